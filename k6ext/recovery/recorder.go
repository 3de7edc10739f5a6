// Package recovery tells a plain k6 script how fast faults went away. A Recorder notes, in the load
// generator's process, when requests hurt and what became of the faults; at the end of the test
// reports/slo judges both, so that k6's own thresholds can stand on the answer.
//
// What may not live here: sending, injecting, k6's metrics and channels. A harness run does not need
// any of this: there the merged records are judged afterwards, with the server's events.
package recovery

import (
	"sync"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Options is what counts as out and as well again. Zero settings get slo's defaults.
type Options struct {
	slo.Spec         // Objective, MinBad, Hold, Horizon, Expected, DegradedIsGood; the rest is not used
	Rate     float64 // requests/s, for the length of the window; 0 = as measured
}

// Recorder notes requests and faults of one test. Safe for concurrent use; methods work on nil,
// which records nothing.
type Recorder struct {
	clock *event.Clock

	mu       sync.Mutex
	off      bool
	options  Options
	start    event.Time // never = the first request's due
	requests []request
	faults   []*Fault
}

// request is what the judge needs of a record, in a sixth of its memory: a load of a million
// requests keeps 32 MB.
type request struct {
	due, end, harmed event.Time
	outcome          record.Outcome
	violated         record.Limit
}

// New makes a recorder on that clock; every record and fault must be stamped by it.
func New(clock *event.Clock) *Recorder { return &Recorder{clock: clock} }

// Off ends recording: somebody else judges.
func (r *Recorder) Off() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off, r.requests = true, nil
}

// Configure replaces the options.
func (r *Recorder) Configure(o Options) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.Rate == 0 {
		o.Rate = r.options.Rate
	}
	r.options = o
}

// Plan says that a load of rate requests a second begins at start.
func (r *Recorder) Plan(start event.Time, rate float64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.start == 0 || start < r.start {
		r.start = start
	}
	r.options.Rate += rate
}

// Request notes one finished request.
func (r *Recorder) Request(rec *record.Record) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.off {
		r.requests = append(r.requests, request{
			due: rec.Due, end: rec.End, harmed: rec.Harmed, outcome: rec.Outcome, violated: rec.Violated,
		})
	}
}

// Recovery is one fault's story, with what its noter wanted to remember of it.
type Recovery struct {
	slo.Recovery
	Label any
}

// Unrecovered reports whether nobody may say that users are well again: the fault still hurt when
// we stopped looking, the test ended too early to tell, or it was never proven to take effect.
func (r *Recovery) Unrecovered() bool {
	return r.LeaseLost || (r.State != slo.Absorbed && r.State != slo.Recovered)
}

// Judge says how every fault went until now, in the order they were noted. A fault that is still on
// is not recovered.
func (r *Recorder) Judge() []Recovery {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || len(r.faults) == 0 {
		return nil
	}
	in := slo.Input{Spec: r.options.Spec, Start: r.start, Records: make([]record.Record, len(r.requests))}
	in.Spec.Gates, in.Spec.Phases, in.Spec.Limits = nil, nil, slo.Limits{} // limits are in harmed already
	for _, f := range r.faults {
		in.Faults = append(in.Faults, f.judged())
	}
	var last event.Time
	for i, q := range r.requests {
		in.Records[i] = record.Record{Due: q.due, End: q.end, Harmed: q.harmed, Outcome: q.outcome, Violated: q.violated}
		if in.Start == 0 || q.due < in.Start {
			in.Start = q.due
		}
		last = max(last, q.due)
	}
	in.Load.Rate = r.options.Rate
	if in.Load.Rate == 0 && last > in.Start {
		in.Load.Rate = float64(len(in.Records)) / last.Sub(in.Start).Seconds()
	}
	out := make([]Recovery, 0, len(r.faults))
	for i, one := range slo.Judge(in).Faults {
		out = append(out, Recovery{Recovery: one, Label: r.faults[i].label})
	}
	return out
}
