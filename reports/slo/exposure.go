package slo

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// recent is how long before a fault its target must have served somebody to count as in use. Ten seconds
// hold requests for every replica of a pool at any rate whose percentiles one could judge.
const recent = 10 * time.Second

// unused counts the faults that hit nobody's replica: none of their targets answered a request that was open
// while the fault was on, or in the ten seconds before it. Such a run says nothing about the fault, however
// good it looks. ok is false where that cannot be known: the target does not say who serves, or the faults
// are not on places that serve.
func (j *judge) unused() (n int, ok bool) {
	named := false
	for i := range j.in.Records {
		named = named || j.in.Records[i].Node != ""
	}
	if !named {
		return 0, false
	}
	for i := range j.in.Faults {
		f := &j.in.Faults[i]
		if !f.Serving || f.Effective == 0 {
			continue
		}
		ok = true
		if !j.used(f) {
			n++
		}
	}
	return n, ok
}

// used reports whether a request was in the fault's reach: served by a target, or taken away from it.
func (j *judge) used(f *Fault) bool {
	from, to := onset(f)-event.Time(recent), f.Cleared
	if to == 0 {
		to = j.seen
	}
	for i := range j.in.Records {
		if r := &j.in.Records[i]; overlaps(r, from, to) && served(r, f.Targets) {
			return true
		}
	}
	for i := range j.in.Events {
		e := &j.in.Events[i]
		if e.Request != "" && e.At >= onset(f) && e.At <= to && namesAny(e, f.Targets) {
			return true
		}
	}
	return false
}

// served reports whether one of the targets, or a part of it, gave the answer.
func served(r *record.Record, targets []string) bool {
	return r.Node != "" && namesAny(&event.Event{Target: r.Node}, targets)
}
