package agent

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/faults"
)

// Check resolves the selector and injects nothing.
func (a *Agent) Check(ctx context.Context, req faults.InjectRequest) ([]string, error) {
	_, targets, err := a.resolve(ctx, req)
	return targets, err
}

func (a *Agent) resolve(ctx context.Context, req faults.InjectRequest) (faults.Fault, []string, error) {
	f, err := faults.Parse(req.Fault)
	if err != nil {
		return f, nil, err
	}
	switch {
	case req.Lease < 0:
		return f, nil, fmt.Errorf("%w: a lease of %s is negative, leave it out for the fault's duration", faults.ErrRequest, req.Lease)
	case req.ProveWithin < 0 || req.ProveWithin > MaxProveWithin:
		return f, nil, fmt.Errorf("%w: prove_within is from 0s (the default) to %s, not %s", faults.ErrRequest, MaxProveWithin, req.ProveWithin)
	}
	driver, ok := a.driver[f.Kind]
	if !ok {
		return f, nil, fmt.Errorf("%w: %s wants another driver, 'brownout fault list' says which", faults.ErrUnsupported, f.Kind)
	}
	candidates, err := a.candidates(ctx, driver)
	if err != nil {
		return f, nil, err
	}
	targets, err := f.Resolve(candidates)
	return f, targets, err
}

// Inject arms a fault, proves it and holds it. The lease runs from the answer, so that a caller who
// only now learns the id has all of it; until then the fault's own duration bounds it.
func (a *Agent) Inject(ctx context.Context, req faults.InjectRequest) (faults.Held, error) {
	select {
	case <-a.ready:
	case <-ctx.Done():
		return faults.Held{}, fmt.Errorf("%w: it is still clearing what an earlier one left on, try again", faults.ErrFull)
	}
	f, targets, err := a.resolve(ctx, req)
	if err != nil {
		return faults.Held{}, err
	}
	h := newHolding(newID(), f, a.driver[f.Kind], targets, req)
	<-h.turn
	if err := a.admit(h); err != nil {
		return faults.Held{}, err
	}
	if err := a.arm(ctx, h); err != nil {
		defer a.work.Done()
		h.turn <- struct{}{}
		a.clear(ctx, h, faults.CauseArm, err.Error())
		return faults.Held{}, err
	}
	h.turn <- struct{}{}
	go func() {
		defer a.work.Done()
		a.prove(ctx, h)
	}()
	a.await(ctx, h)
	if ctx.Err() != nil {
		return a.clear(ctx, h, faults.CauseCaller, ""), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	h.lease.Renew(a.cfg.Clock.Now(), req.Lease)
	a.nudge()
	return h.view(), nil
}

// admit takes the fault in, unless it may not be. It counts as work from here on.
func (a *Agent) admit(h *holding) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopping {
		return fmt.Errorf("%w: inject elsewhere or start it again", faults.ErrStopping)
	}
	on := 0
	for _, other := range a.order {
		if other.collides(h.fault.Kind, h.targets) {
			return fmt.Errorf("%w: %q is on %s as %s, clear that first", faults.ErrConflict,
				other.fault, strings.Join(other.targets, ", "), other.id)
		}
		if !other.ended {
			on++
		}
	}
	if on >= a.cfg.MaxHeld {
		return fmt.Errorf("%w: %d are on, clear one first", faults.ErrFull, on)
	}
	h.held.Armed = a.cfg.Clock.Now()
	h.lease = faults.NewLease(h.held.Armed, h.fault.For)
	a.remember(h)
	a.work.Add(1)
	return nil
}

// arm has the turn. What is needed to undo is on disk before the driver touches the target (the id
// alone, from which a driver can find its traces) and again after it (with what the driver returned).
func (a *Agent) arm(ctx context.Context, h *holding) error {
	rec := record{ID: h.id, Fault: h.fault.String(), Driver: h.driver.Name(), Targets: h.targets,
		Run: h.req.Run, Actor: h.req.Actor, Reason: h.req.Reason, At: time.Now()}
	if err := a.store.save(rec); err != nil {
		return err
	}
	if err := a.record(h, faults.Entry{At: h.held.Armed, Step: faults.StepArmed}); err != nil {
		return err
	}
	undo, err := a.armCall(ctx, h)
	h.undo = undo
	if err != nil {
		return err
	}
	rec.Undo, rec.Armed = undo, true
	if err := a.store.save(rec); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	h.armed = true
	a.nudge()
	return nil
}

// prove looks at the target until the fault is seen, its time is up, or it is being cleared.
func (a *Agent) prove(ctx context.Context, h *holding) {
	defer close(h.settled)
	every := time.NewTicker(a.cfg.ProveEvery)
	defer every.Stop()
	deadline := h.proofDeadline(a.cfg.ProveWithin)
	for a.look(ctx, h, a.cfg.Clock.Now() >= deadline) {
		<-every.C
	}
}

// look observes once and reports whether to look again. final: this is the last chance.
func (a *Agent) look(ctx context.Context, h *holding, final bool) (again bool) {
	<-h.turn
	defer func() { h.turn <- struct{}{} }()
	a.mu.Lock()
	over := h.ending || h.attempts > 0
	a.mu.Unlock()
	if over {
		return false
	}
	proof, err := a.proveCall(ctx, h)
	now := a.cfg.Clock.Now()
	if err != nil {
		h.last = err.Error()
	} else {
		h.last = proof.Evidence
	}
	if err == nil && proof.Holds {
		a.step(h, faults.StepEffective, func(v *faults.Held) { v.Effective, v.Evidence = now, proof.Evidence })
		_ = a.record(h, faults.Entry{At: now, Step: faults.StepEffective, Evidence: proof.Evidence})
		return false
	}
	if !final {
		return true
	}
	a.step(h, faults.StepUnproven, func(v *faults.Held) { v.Evidence = h.last })
	_ = a.record(h, faults.Entry{At: now, Step: faults.StepUnproven, Evidence: h.last})
	return false
}

func (a *Agent) step(h *holding, s faults.Step, set func(*faults.Held)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h.held.Step = s
	set(&h.held)
}

// await returns when the proof is settled, the caller is gone, or a ramp makes the wait too long.
func (a *Agent) await(ctx context.Context, h *holding) {
	var patience <-chan time.Time
	if h.fault.Ramp > 0 {
		timer := time.NewTimer(cmp.Or(h.req.ProveWithin, a.cfg.ProveWithin))
		defer timer.Stop()
		patience = timer.C
	}
	select {
	case <-h.settled:
	case <-patience:
	case <-ctx.Done():
	}
}

// Renew extends a lease from now, never past the fault's own duration.
func (a *Agent) Renew(_ context.Context, id string, req faults.RenewRequest) (faults.Held, error) {
	if req.Lease <= 0 {
		return faults.Held{}, fmt.Errorf("%w: a renewal names a lease above 0s, not %s", faults.ErrRequest, req.Lease)
	}
	now := a.cfg.Clock.Now()
	a.mu.Lock()
	h, err := a.find(id)
	if err == nil && (h.ending || h.ended || h.tries > 0) {
		err = fmt.Errorf("%w: %s was ended (%s)", faults.ErrEnded, id, h.cause)
	}
	if err != nil {
		a.mu.Unlock()
		return faults.Held{}, err
	}
	h.lease.Renew(now, req.Lease)
	first := !h.renewed
	h.renewed = true
	view := h.view()
	a.nudge()
	a.mu.Unlock()
	if first {
		_ = a.record(h, faults.Entry{At: now, Step: faults.StepRenewed})
	}
	return view, nil
}

// nudge makes Run look at the leases again.
func (a *Agent) nudge() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}
