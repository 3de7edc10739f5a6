package agent

import (
	"context"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
)

// Clear undoes a fault and waits for the proof that it is gone. Clearing what has ended is fine.
func (a *Agent) Clear(ctx context.Context, id string) (faults.Held, error) {
	a.mu.Lock()
	h, err := a.find(id)
	a.mu.Unlock()
	if err != nil {
		return faults.Held{}, err
	}
	return a.clear(ctx, h, faults.CauseAsked, ""), nil
}

// StopAll clears everything that is on, at the same time, and answers with what was.
func (a *Agent) StopAll(ctx context.Context) []faults.Held {
	return a.clearAll(ctx, faults.CauseStopAll)
}

func (a *Agent) clearAll(ctx context.Context, cause faults.Cause) []faults.Held {
	on := a.on()
	out := make([]faults.Held, len(on))
	var wg sync.WaitGroup
	for i, h := range on {
		wg.Go(func() { out[i] = a.clear(ctx, h, cause, "") })
	}
	wg.Wait()
	return out
}

func (a *Agent) on() []*holding {
	a.mu.Lock()
	defer a.mu.Unlock()
	var on []*holding
	for _, h := range a.order {
		if !h.ended {
			on = append(on, h)
		}
	}
	return on
}

// clear undoes h and proves it gone; why is what went wrong with the fault before, for the journal.
// Of several callers one does the work and the others wait for its outcome.
func (a *Agent) clear(ctx context.Context, h *holding, cause faults.Cause, why string) faults.Held {
	a.mu.Lock()
	asked := h.attempts
	h.ending = true // from here on renewals are refused and a proof under way gives up
	if h.cause == "" {
		h.cause = cause
	}
	a.mu.Unlock()

	<-h.turn
	defer func() { h.turn <- struct{}{} }()
	a.mu.Lock()
	done := h.ended || h.attempts != asked
	unsettled := h.held.Step == faults.StepArmed && !h.leftover
	if done {
		h.ending = false
		defer a.mu.Unlock()
		return h.view()
	}
	a.mu.Unlock()

	if unsettled {
		now := a.cfg.Clock.Now()
		a.step(h, faults.StepUnproven, func(v *faults.Held) { v.Evidence, v.Error = h.last, why })
		_ = a.record(h, faults.Entry{At: now, Step: faults.StepUnproven, Evidence: h.last, Error: why})
	}
	gone, problem := a.undo(ctx, h)
	return a.conclude(h, gone, problem)
}

// undo has the turn. problem is "" when the fault is proven gone.
func (a *Agent) undo(ctx context.Context, h *holding) (gone, problem string) {
	deadline := a.cfg.Clock.Now().Add(a.cfg.GoneWithin)
	every := time.NewTicker(a.cfg.ProveEvery)
	defer every.Stop()
	undone := false
	for {
		if !undone {
			if err := a.clearCall(ctx, h); err != nil {
				problem = err.Error()
			} else {
				undone = true
			}
		}
		if undone {
			proof, err := a.goneCall(ctx, h)
			switch {
			case err != nil:
				problem = err.Error()
			case proof.Holds:
				return proof.Evidence, ""
			default:
				problem = "it is still there: " + proof.Evidence
			}
		}
		if a.cfg.Clock.Now() >= deadline {
			return "", problem
		}
		<-every.C
	}
}

// conclude has the turn: it stamps, journals, and lets go of the undo state when the fault is gone.
func (a *Agent) conclude(h *holding, gone, problem string) faults.Held {
	now := a.cfg.Clock.Now()
	a.mu.Lock()
	h.attempts++
	h.ending = false
	entry := faults.Entry{At: now, Step: faults.StepCleared, Cause: h.cause, Evidence: gone, Error: problem}
	switch {
	case problem != "":
		entry.Step = faults.StepClearFailed
		h.tries++
		h.retry = now.Add(a.cfg.RetryAfter)
		h.held.Error = problem
	default:
		if h.cause == faults.CauseLease {
			entry.Step = faults.StepExpired
		}
		h.ended = true
		h.held.Cleared, h.held.Gone, h.held.Expires = now, gone, h.lease.Expires
	}
	h.held.Step, h.held.Cause = entry.Step, h.cause
	view := h.view()
	a.nudge()
	a.mu.Unlock()

	_ = a.record(h, entry)
	if problem != "" {
		a.cfg.Log.Error("a fault could not be cleared", "fault", h.id, "on", h.targets, "error", problem)
		return view
	}
	// After the journal: a crash in between clears once more, which is harmless; the other way
	// round the journal would never say that the fault ended.
	if err := a.store.remove(h.id); err != nil {
		a.cfg.Log.Error("undo state", "fault", h.id, "error", err.Error())
	}
	return view
}
