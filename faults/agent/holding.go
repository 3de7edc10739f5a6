package agent

import (
	"cmp"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
)

// holding is one fault in the agent's hands.
type holding struct {
	id      string
	fault   faults.Fault
	driver  faults.Driver
	targets []string
	req     faults.InjectRequest

	// turn is taken by receiving: whoever has it may talk to the driver about this fault. A channel
	// and not a mutex, because a turn spans network calls.
	turn    chan struct{}
	settled chan struct{} // closed when proven, unproven, or cleared before either

	// Written with the turn taken.
	undo []byte
	last string // what the newest look at the target saw

	// Guarded by Agent.mu.
	held     faults.Held
	lease    faults.Lease
	armed    bool // the driver's Arm succeeded
	renewed  bool
	ending   bool         // a clearing is under way or about to start; renewals are refused
	ended    bool         // cleared and proven gone
	leftover bool         // of an earlier holder, whose journal tells how it began
	cause    faults.Cause // of the first clearing
	tries    int          // clearings that failed
	attempts int          // clearings that came to an end
	retry    event.Time
}

func newHolding(id string, f faults.Fault, d faults.Driver, targets []string, req faults.InjectRequest) *holding {
	h := &holding{
		id: id, fault: f, driver: d, targets: targets, req: req,
		turn:    make(chan struct{}, 1),
		settled: make(chan struct{}),
		held:    faults.Held{ID: id, Fault: f.String(), Step: faults.StepArmed, Targets: targets},
	}
	h.turn <- struct{}{}
	return h
}

// view wants mu held.
func (h *holding) view() faults.Held {
	v := h.held
	v.Targets = slices.Clone(h.targets)
	if !h.ended {
		v.Expires = h.lease.Expires
	}
	return v
}

// collides reports whether f on targets would be the same harm twice. It wants mu held.
func (h *holding) collides(kind string, targets []string) bool {
	return !h.ended && h.fault.Kind == kind &&
		slices.ContainsFunc(targets, func(t string) bool { return slices.Contains(h.targets, t) })
}

// due reports whether the fault must be cleared now, why, and if not, when to look again. It wants
// mu held.
func (h *holding) due(now event.Time, maxTries int) (cause faults.Cause, at event.Time, yes bool) {
	switch {
	case h.ended || h.ending || !h.armed && h.tries == 0:
		return "", 0, false
	case h.tries > maxTries:
		return "", 0, false // an operator's clear call, or the next holder, tries again
	case h.tries > 0:
		return h.cause, h.retry, now >= h.retry
	}
	cause, over := h.lease.Over(now)
	return cause, h.lease.Expires, over
}

// proofDeadline is when a fault counts as unproven.
func (h *holding) proofDeadline(within time.Duration) event.Time {
	within = cmp.Or(h.req.ProveWithin, within)
	return min(h.held.Armed.Add(h.fault.Ramp+within), h.lease.End)
}
