package timeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/recovery"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/reports/record"
)

// holder is the API of the process that holds faults.
type holder interface {
	Inject(ctx context.Context, req faults.InjectRequest) (faults.Held, error)
	Renew(ctx context.Context, id string, lease time.Duration) (faults.Held, error)
	Clear(ctx context.Context, id string) (faults.Held, error)
}

// walker walks the steps of a plan, each on its own, from time zero.
type walker struct {
	plan    faults.Plan
	session *session.Session
	holder  holder
	tags    *metrics.TagSet // of the recovery samples
	warn    func(fault string, err error)
}

// clearTries: a fault left on harms whoever comes next, and its lease is only the last resort.
const clearTries = 3

var errLease = errors.New("the lease was lost: the fault ended before its time")

func (w *walker) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, step := range w.plan.Steps {
		wg.Go(func() { w.step(ctx, step) })
	}
	wg.Wait()
}

func (w *walker) step(ctx context.Context, step faults.PlanStep) {
	f, err := faults.Parse(step.Fault)
	if err != nil {
		w.warn(step.Fault, err)
		return
	}
	clock := w.session.Clock
	planned := w.session.Began().Add(step.At)
	recorder := w.session.Test.Recovery
	if !w.wait(ctx, planned) {
		recorder.Fault(step.Fault, w.tags) // never requested: nobody can say that it was survived
		return
	}
	seen := w.session.Fault(record.FaultSeen{Fault: step.Fault, Planned: planned, Requested: clock.Now()})
	story := recorder.Fault(step.Fault, w.tags)
	requested := clock.Now()
	// Not bound to ctx: an abort in the middle of the call would leave a fault whose id nobody knows.
	// The client bounds the call.
	held, err := w.holder.Inject(context.WithoutCancel(ctx), faults.InjectRequest{
		Fault: step.Fault, Lease: min(w.plan.Lease, f.For), Run: w.plan.Run, Actor: "timeline", Reason: "planned step of the scenario",
	})
	if err != nil {
		seen.Update(func(s *record.FaultSeen) { s.Error, s.Ended = err.Error(), clock.Now() })
		story.Failed(err)
		w.warn(step.Fault, err)
		return
	}
	seen.Update(func(s *record.FaultSeen) { s.ID, s.Error = held.ID, held.Error })
	story.Answer(held)
	// The fault's own duration runs at the holder from the moment it was armed, which is later than
	// requested: so the clear arrives before it would expire by itself.
	end := min(requested.Add(f.For), w.session.Began().Add(w.plan.Total))
	if !w.hold(ctx, held.ID, end, seen, story) {
		story.Gone(errLease)
		w.warn(step.Fault, errLease)
		return
	}
	w.clear(ctx, held.ID, seen, story, step.Fault)
}

// hold renews the lease until end, or until ctx is over; false when the lease was lost.
func (w *walker) hold(ctx context.Context, id string, end event.Time, seen session.Seen, story *recovery.Fault) bool {
	clock := w.session.Clock
	renewed := clock.Now()
	for {
		next := renewed.Add(w.plan.Lease / 3)
		if now := clock.Now(); next <= now {
			next = now.Add(w.plan.Lease / 10) // after a failed renewal: soon again, not at once
		}
		if next >= end {
			w.wait(ctx, end)
			return true
		}
		if !w.wait(ctx, next) {
			return true
		}
		asked := clock.Now()
		held, err := w.holder.Renew(ctx, id, w.plan.Lease)
		switch {
		case err == nil && !over(held.Step):
			renewed = asked
			story.Answer(held)
			continue
		case err != nil && ctx.Err() != nil:
			return true
		case err != nil && !gone(err) && clock.Now() < renewed.Add(w.plan.Lease):
			seen.Update(func(s *record.FaultSeen) { s.Error = err.Error() })
			continue
		}
		story.Answer(held) // it may say when it ended
		seen.Update(func(s *record.FaultSeen) {
			s.LeaseLost, s.Ended = true, clock.Now()
			if err != nil {
				s.Error = err.Error()
			} else {
				s.Error = errLease.Error()
			}
		})
		return false
	}
}

func over(s faults.Step) bool {
	return s == faults.StepCleared || s == faults.StepExpired || s == faults.StepClearFailed
}

// gone: the holder answered that it knows no such fault, or no longer.
func gone(err error) bool {
	api, ok := errors.AsType[*faults.APIError](err)
	return ok && (api.Code == http.StatusNotFound || api.Code == http.StatusGone)
}

// clear undoes the fault and waits for the answer. It is not bound to ctx: an aborted run clears too.
func (w *walker) clear(ctx context.Context, id string, seen session.Seen, story *recovery.Fault, fault string) {
	ctx = context.WithoutCancel(ctx)
	var err error
	for try := range clearTries {
		var held faults.Held
		held, err = w.holder.Clear(ctx, id)
		if err == nil {
			story.Answer(held)
		}
		if err == nil && held.Step == faults.StepClearFailed {
			err = fmt.Errorf("the fault could not be cleared: %s", held.Error)
		}
		if err == nil {
			if held.Step == faults.StepExpired {
				seen.Update(func(s *record.FaultSeen) { s.Error = "the fault had expired when it was to be cleared" })
			}
			break
		}
		if gone(err) {
			story.Answer(faults.Held{Step: faults.StepCleared})
			err = nil
			break
		}
		if try < clearTries-1 {
			w.wait(ctx, w.session.Clock.Now().Add(200*time.Millisecond))
		}
	}
	seen.Update(func(s *record.FaultSeen) {
		s.Ended = w.session.Clock.Now()
		if err != nil {
			s.Error = err.Error()
		}
	})
	if err != nil {
		story.Failed(err)
		w.warn(fault, err)
	}
}

// wait reports false when ctx ended first. Timers do here: an injection is stamped when it happens.
func (w *walker) wait(ctx context.Context, at event.Time) bool {
	return pace.Timers{}.Until(w.session.Clock.Wall(at), ctx.Done())
}
