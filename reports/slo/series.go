package slo

import (
	"math"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// maxSeconds bounds the series at a day; a longer run's charts show its first day.
const maxSeconds = 24 * 3600

// tally is one second while it is being counted.
type tally struct {
	due, good, bad int
	ttft, e2e      samples
	tokens         float64
}

// series is the run by second, drain included.
func (j *judge) series() []Second {
	last := -1
	for i := range j.in.Records {
		last = max(last, j.second(over(&j.in.Records[i])), j.second(j.harmed[i]))
	}
	t := make([]tally, min(last+1, maxSeconds))
	for i := range j.in.Records {
		j.tally(t, i)
	}
	out := make([]Second, len(t))
	for i := range t {
		s := &t[i]
		s.ttft.seal()
		s.e2e.seal()
		out[i] = Second{At: i, Due: s.due, Good: s.good, Bad: s.bad, Tokens: int(math.Round(s.tokens))}
		out[i].TTFTP50, out[i].TTFTP99 = s.ttft.edges()
		out[i].E2EP50, out[i].E2EP99 = s.e2e.edges()
		if h := j.in.Gaps.Seconds[i]; h != nil {
			out[i].ITLP50 = float64(h.ValueAtQuantile(50)) * micros
			out[i].ITLP99 = float64(h.ValueAtQuantile(99)) * micros
		}
	}
	return out
}

func (j *judge) tally(t []tally, i int) {
	r := &j.in.Records[i]
	if at := j.second(j.harmed[i]); j.classes[i] == bad && at >= 0 && at < len(t) {
		t[at].bad++
	}
	at := j.second(r.Due)
	if at < 0 || at >= len(t) {
		return
	}
	s := &t[at]
	s.due++
	if j.classes[i] == good || j.classes[i] == expected {
		s.good++
	}
	if r.Outcome == record.OK || r.Outcome == record.Degraded {
		if ttft, ok := r.TTFT(); ok && r.Streaming {
			s.ttft.values = append(s.ttft.values, ttft.Seconds())
		}
		if e2e, ok := r.E2E(); ok {
			s.e2e.values = append(s.e2e.values, e2e.Seconds())
		}
	}
	j.spread(t, r)
}

// spread lays a request's tokens evenly over the time they came in.
func (j *judge) spread(t []tally, r *record.Record) {
	from, to := r.First, r.Last
	if !r.Streaming || from == 0 || to <= from {
		from, to = over(r), over(r)
	}
	a, b := j.second(from), j.second(to)
	if a < 0 || r.OutputTokens <= 0 {
		return
	}
	for k := a; k <= b && k < len(t); k++ {
		part := 1.0
		if a != b {
			begin := j.in.Start + event.Time(k)*event.Time(time.Second)
			inside := min(to, begin+event.Time(time.Second)).Sub(max(from, begin))
			part = inside.Seconds() / to.Sub(from).Seconds()
		}
		t[k].tokens += part * float64(r.OutputTokens)
	}
}

// edges are the median and p99 over completed requests, 0 without any: a chart has no sample floor.
func (s *samples) edges() (p50, p99 float64) {
	n := len(s.values)
	if n == 0 {
		return 0, 0
	}
	return s.values[nearestRank(0.5, n)-1], s.values[nearestRank(0.99, n)-1]
}
