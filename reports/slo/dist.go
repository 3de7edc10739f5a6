package slo

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/brownout-dev/brownout/reports/record"
)

// samples is one metric over one set of requests. Seconds.
type samples struct {
	values    []float64 // of completed requests; sorted by seal
	failed    int       // +∞
	satisfied int       // one-token answers: they have no tpot and keep every limit on it
}

func (s *samples) seal() { slices.Sort(s.values) }

func (s *samples) total() int { return len(s.values) + s.failed + s.satisfied }

// within is how many keep value ≤ x.
func (s *samples) within(x float64) int {
	n, _ := slices.BinarySearchFunc(s.values, x, func(v, x float64) int {
		if v <= x {
			return -1
		}
		return 1
	})
	return n + s.satisfied
}

// quantile is the nearest-rank quantile with failures as +∞; Infinite where it is one. ok is false without samples.
func (s *samples) quantile(q float64) (v float64, ok bool) {
	n := s.total()
	if n == 0 {
		return 0, false
	}
	rank := nearestRank(q, n) - s.satisfied
	switch {
	case rank <= 0:
		return 0, true
	case rank > len(s.values):
		return Infinite, true
	}
	return s.values[rank-1], true
}

// nearestRank is ⌈q·n⌉, at least 1. The small term keeps 0.99·100 from becoming 100 by rounding.
func nearestRank(q float64, n int) int {
	return min(n, max(1, int(math.Ceil(q*float64(n)-1e-9))))
}

type quantile struct {
	name string
	q    float64
	need int // 1/(1−q): below it the quantile would be the maximum by another name
}

func quantiles() [5]quantile {
	return [5]quantile{{"p50", 0.5, 2}, {"p90", 0.9, 10}, {"p95", 0.95, 20}, {"p99", 0.99, 100}, {"p99.9", 0.999, 1000}}
}

func (s *samples) dist() Dist {
	d := Dist{N: len(s.values), Failed: s.failed, Completed: map[string]float64{}, WithFailures: map[string]float64{}}
	sum := 0.0
	for _, v := range s.values {
		sum += v
	}
	if d.N > 0 {
		d.Mean, d.Max = sum/float64(d.N), s.values[d.N-1]
	}
	all := samples{values: s.values, failed: s.failed}
	for _, p := range quantiles() {
		if d.N >= p.need {
			d.Completed[p.name] = s.values[nearestRank(p.q, d.N)-1]
		}
		if all.total() >= p.need {
			d.WithFailures[p.name], _ = all.quantile(p.q)
		}
	}
	return d
}

// micros is the unit of gap histograms, in seconds.
const micros = 1e-6

// gapDist is the distribution of token gaps: every one was seen, none has failed.
func gapDist(h *hdrhistogram.Histogram) Dist {
	d := Dist{N: int(h.TotalCount()), Completed: map[string]float64{}, WithFailures: map[string]float64{}}
	if d.N == 0 {
		return d
	}
	d.Mean, d.Max = h.Mean()*micros, float64(h.Max())*micros
	for _, p := range quantiles() {
		if d.N >= p.need {
			v := float64(h.ValueAtQuantile(p.q*100)) * micros
			d.Completed[p.name], d.WithFailures[p.name] = v, v
		}
	}
	return d
}

// gapsWithin is how many gaps are certainly ≤ x: a bucket (0.8 % wide) counts when its upper edge does.
func gapsWithin(h *hdrhistogram.Histogram, x float64) int {
	n := int64(0)
	for _, bar := range h.Distribution() {
		if float64(bar.To)*micros <= x {
			n += bar.Count
		}
	}
	return int(n)
}

// cohort is a set of requests with everything that is counted over it.
type cohort struct {
	due, good, bad, expected, excluded, planned int
	available                                   int // ok and degraded, late or not, and what was expected
	tokens                                      int
	outcomes                                    map[string]int
	ttft, tpot, e2e, lag                        samples
	gaps                                        *hdrhistogram.Histogram
}

// judged is the denominator of shares.
func (c *cohort) judged() int { return c.good + c.bad + c.expected }

// add counts one request. streams: the load streams, so that a failure failed to stream too.
func (c *cohort) add(r *record.Record, k class, streams bool) {
	c.due++
	c.outcomes[r.Outcome.String()]++
	c.tokens += r.OutputTokens
	if lag, ok := r.Lag(); ok {
		c.lag.values = append(c.lag.values, lag.Seconds())
	} else {
		c.lag.failed++
	}
	switch k {
	case good:
		c.good++
	case bad:
		c.bad++
	case expected:
		c.expected++
		c.available++
	case excluded:
		c.excluded++
	case planned:
		c.planned++
	}
	if k != good && k != bad {
		return
	}
	if r.Outcome == record.Cancelled { // past a limit before the client hung up: how late the rest would have been nobody knows
		if ttft, ok := r.TTFT(); ok {
			c.ttft.values = append(c.ttft.values, ttft.Seconds())
		} else if streams {
			c.ttft.failed++
		}
		return
	}
	if r.Outcome != record.OK && r.Outcome != record.Degraded {
		c.e2e.failed++
		if streams {
			c.ttft.failed++
			c.tpot.failed++
		}
		return
	}
	c.available++
	c.e2e.values = append(c.e2e.values, r.End.Sub(r.Due).Seconds())
	if !r.Streaming {
		return
	}
	if ttft, ok := r.TTFT(); ok {
		c.ttft.values = append(c.ttft.values, ttft.Seconds())
	} else {
		c.ttft.failed++
	}
	if tpot, ok := r.TPOT(); ok {
		c.tpot.values = append(c.tpot.values, tpot.Seconds())
	} else {
		c.tpot.satisfied++
	}
}

func (c *cohort) seal() {
	for _, s := range []*samples{&c.ttft, &c.tpot, &c.e2e, &c.lag} {
		s.seal()
	}
}
