package slo

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

const zero = event.Time(1_700_000_000_000_000_000)

// s is so many seconds into the run.
func s(seconds float64) event.Time { return zero + event.Time(seconds*1e9) }

// history builds runs by hand: a constant load whose requests are answered in 100 ms, and plants on top.
type history struct {
	in   Input
	rate int
}

// newHistory is load at rate for so many seconds, every request good.
func newHistory(rate int, seconds float64) *history {
	h := &history{rate: rate}
	h.in = Input{Start: zero, Load: Load{Rate: float64(rate)}}
	h.in.Spec = Spec{
		Limits:  Limits{TTFT: 500 * time.Millisecond, E2E: 5 * time.Second},
		Horizon: 20 * time.Second,
		Phases:  []Phase{{Name: "all", For: time.Duration(seconds * 1e9)}},
	}
	for i := range int(seconds * float64(rate)) {
		h.in.Records = append(h.in.Records, answered(uint64(i), s(float64(i)/float64(rate))))
	}
	return h
}

// answered is a good request of 10 tokens: first content after 20 ms, over after 100 ms.
func answered(arrival uint64, due event.Time) record.Record {
	return record.Record{
		Arrival: arrival, Due: due, Sent: due, First: due + 20e6, Last: due + 100e6, End: due + 100e6,
		Outcome: record.OK, Streaming: true, OutputTokens: 10, Chunks: 10, MaxGap: 10 * time.Millisecond,
	}
}

// broken makes a request fail at an instant.
func broken(r *record.Record, at event.Time, o record.Outcome) {
	r.End, r.Harmed, r.Outcome = at, at, o
	if r.First > at {
		r.First, r.Last, r.OutputTokens, r.Chunks = 0, 0, 0, 0
	}
}

// outage makes every request that is due in [from, to) fail 10 ms later.
func (h *history) outage(from, to float64) {
	for i := range h.in.Records {
		if r := &h.in.Records[i]; r.Due >= s(from) && r.Due < s(to) {
			broken(r, r.Due+10e6, record.Overloaded)
		}
	}
}

// pause takes the load of [from, to) away.
func (h *history) pause(from, to float64) {
	var kept []record.Record
	for _, r := range h.in.Records {
		if r.Due < s(from) || r.Due >= s(to) {
			kept = append(kept, r)
		}
	}
	h.in.Records = kept
}

// fault plants a proven fault on n2/g1; cleared 0 = never proven gone.
func (h *history) fault(effective, cleared float64) {
	f := Fault{
		ID: "f1", Fault: "gpu.oom on gpu=n2/g1 for 10s", Kind: "gpu.oom", Targets: []string{"n2/g1"},
		Armed: s(effective), Effective: s(effective),
	}
	if cleared > 0 {
		f.Cleared = s(cleared)
	}
	h.in.Faults = append(h.in.Faults, f)
}

func (h *history) event(at float64, kind event.Kind, target string) {
	h.in.Events = append(h.in.Events, event.Event{At: s(at), Kind: kind, Target: target, Source: "router"})
}

func (h *history) gate(g Gate) { h.in.Spec.Gates = append(h.in.Spec.Gates, g) }

// at is a stamp as seconds into the run; -1 for never.
func at(t event.Time) float64 {
	if t == 0 {
		return -1
	}
	return float64(t-zero) / 1e9
}
