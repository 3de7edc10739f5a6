package saturate

import (
	"container/heap"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/reports/slo"
)

// server turns due times into answers, in virtual time.
type server func(due []event.Time) []record.Record

// slots is a server of c slots that each take service for a request, first come first served: it bears
// c/service requests/s, exactly.
func slots(c int, service time.Duration) server {
	return func(due []event.Time) []record.Record {
		free := make(times, c)
		out := make([]record.Record, len(due))
		for i, at := range due {
			begin := max(at, free[0])
			free[0] = begin.Add(service)
			heap.Fix(&free, 0)
			out[i] = answer(at, begin.Add(service/10), begin.Add(service))
		}
		return out
	}
}

// batching is one engine with continuous batching: each step takes a fixed time and more for every prompt
// that joins and every sequence that runs. It bears most with a full batch.
func batching(most, tokens int, fixed, prompt, each time.Duration) server {
	return func(due []event.Time) []record.Record {
		out := make([]record.Record, len(due))
		type sequence struct{ index, left int }
		var running []sequence
		now, next := event.Time(0), 0
		for next < len(due) || len(running) > 0 {
			if len(running) == 0 {
				now = max(now, due[next])
			}
			joined := 0
			for next < len(due) && due[next] <= now && len(running) < most && joined < 4 {
				running = append(running, sequence{next, tokens})
				next, joined = next+1, joined+1
			}
			now = now.Add(fixed + time.Duration(joined)*prompt + time.Duration(len(running))*each)
			kept := running[:0]
			for _, s := range running {
				if s.left == tokens {
					out[s.index].First = now
				}
				if s.left--; s.left > 0 {
					kept = append(kept, s)
					continue
				}
				out[s.index] = answer(due[s.index], out[s.index].First, now)
			}
			running = kept
		}
		return out
	}
}

// pool sends requests round robin to n servers of a kind.
func pool(n int, one server) server {
	return func(due []event.Time) []record.Record {
		var out []record.Record
		for k := range n {
			var mine []event.Time
			for i := k; i < len(due); i += n {
				mine = append(mine, due[i])
			}
			out = append(out, one(mine)...)
		}
		return out
	}
}

func engines() server {
	return pool(6, batching(256, 64, 6*time.Millisecond, 20100*time.Microsecond, 27*time.Microsecond))
}

func answer(due, first, end event.Time) record.Record {
	return record.Record{Due: due, Sent: due, First: first, Last: end, End: end, Outcome: record.OK, Streaming: true, OutputTokens: 64}
}

type times []event.Time

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(any)          {}
func (t *times) Pop() any          { return nil }

// probes is a prober over a virtual server: the same derivation, judge and trend as a real probe.
func probes(t *testing.T, s server, seed uint64) func(float64) Probe {
	t.Helper()
	return probesWith(t, s, seed, trendOf)
}

type trendFunc func(records []record.Record, start event.Time, at, length time.Duration) saturation.Trend

func probesWith(t *testing.T, s server, seed uint64, trend trendFunc, set ...string) func(float64) Probe {
	t.Helper()
	n := 0
	base := builtIn(t, "steady", append([]string{fmt.Sprintf("seed=%d", 1+seed*1000),
		"slo.gates.steady=[goodput >= 99%, p99 ttft <= 500ms, p99 e2e <= 9s]"}, set...)...) // virtual servers show no token gaps
	return func(rate float64) Probe {
		derived, err := Derive(base, rate, n, ShapeOf(15*time.Second))
		require.NoError(t, err)
		n++
		var due []event.Time
		for a := range derived.Load.All() {
			due = append(due, event.Time(time.Hour).Add(a.Due))
		}
		records := s(due)
		harm(records, derived.SLO.Limits)
		j := slo.Judge(slo.Input{Spec: derived.SLO, Start: event.Time(time.Hour), Records: records, Gaps: record.Gaps{},
			Load: slo.Load{Rate: rate}})
		ph := phase(derived)
		p := judge(rate, j, trend(records, event.Time(time.Hour), ph.At, ph.For), derived.SLO.Limits, true)
		return Probe{Rate: p.Rate, Verdict: p.Verdict, Word: p.Why}
	}
}

// harm marks what passed a limit, as the measuring client does.
func harm(records []record.Record, l slo.Limits) {
	for i := range records {
		r := &records[i]
		if r.First.Sub(r.Due) > l.TTFT {
			r.Harmed, r.Violated = r.Due.Add(l.TTFT), record.LimitTTFT
		} else if r.End.Sub(r.Due) > l.E2E {
			r.Harmed, r.Violated = r.Due.Add(l.E2E), record.LimitE2E
		}
	}
}

// Servers of known capacity, open-loop Poisson arrivals: the search finds it within 10 %.
func TestKnownKnees(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    server
		knee float64
	}{
		{"50 slots of 250 ms", slots(50, 250*time.Millisecond), 200},
		{"10 slots of 200 ms", slots(10, 200*time.Millisecond), 50},
		{"200 slots of 500 ms", slots(200, 500*time.Millisecond), 400},
		// With full batches of 256, 4 join each step of 6 ms + 4 · 20.1 ms + 256 · 27 µs: 4 / 93.3 ms, six times.
		{"six batching engines", engines(), 257},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for seed := range uint64(5) {
				d, done := search(t, bounds(), probes(t, tc.s, seed))
				t.Logf("%.4g of %.4g (%.4g to %.4g), %d probes, %s", d.Best, tc.knee, d.Low, d.High, len(done), d.Status)
				assert.InEpsilon(t, tc.knee, d.Best, 0.1)
			}
		})
	}
}

// The control: under generous limits a server that gets a seventh more than it bears keeps every one of
// them for as long as a probe lasts. Only growth shows it.
func TestGrowthShowsWhatLimitsDoNot(t *testing.T) {
	blind := func([]record.Record, event.Time, time.Duration, time.Duration) saturation.Trend {
		return saturation.Trend{}
	}
	const tooMuch = 1.15 * 200
	generous := []string{"slo.limits={ttft: 5s, e2e: 10s}", "slo.gates.steady=[goodput >= 99%]"}
	assert.Equal(t, slo.Pass, probesWith(t, slots(50, 250*time.Millisecond), 1, blind, generous...)(tooMuch).Verdict)
	seen := probesWith(t, slots(50, 250*time.Millisecond), 1, trendOf, generous...)(tooMuch)
	assert.Equal(t, slo.Fail, seen.Verdict)
	assert.Contains(t, seen.Word, "piled up")
}
