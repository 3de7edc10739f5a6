package modules

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/k6ext/recovery"
)

// held is one fault that is on. Its keeper renews the lease.
type held struct {
	line  string
	story *recovery.Fault
	stop  context.CancelFunc
	done  chan struct{} // closed when the keeper ended
}

// keep renews the lease of a fault until it is cleared or its time is over.
func (f *Faults) keep(ctx context.Context, id, line string, story *recovery.Fault, end time.Time) {
	ctx, stop := context.WithDeadline(ctx, end)
	one := &held{line: line, story: story, stop: stop, done: make(chan struct{})}
	f.mu.Lock()
	f.mine[id] = one
	f.mu.Unlock()
	go func() {
		defer close(one.done)
		f.renewing(ctx, id, one)
	}()
	f.module.test.AtEnd(func() { f.end(context.WithoutCancel(ctx), id) })
}

func (f *Faults) renewing(ctx context.Context, id string, one *held) {
	tick := time.NewTicker(f.lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				_, _ = f.undo(context.WithoutCancel(ctx), id, one) // it is noted
			}
			return
		case <-tick.C:
		}
		h, err := f.holder.Renew(ctx, id, f.lease)
		switch {
		case ctx.Err() != nil: // the select above settles it
		case gone(err) || over(h.Step):
			f.ended(context.WithoutCancel(ctx), id, one)
			return
		case err == nil:
			one.story.Answer(h)
		default: // the lease may still hold at the next tick
		}
	}
}

// ended finds out why a fault is over that this VU did not clear: somebody else may have.
func (f *Faults) ended(ctx context.Context, id string, one *held) {
	h, err := f.undo(ctx, id, one)
	switch h.Cause {
	case faults.CauseAsked, faults.CauseStopAll, faults.CauseDuration:
		return
	default:
		one.story.Gone(err)
		f.module.log.Errorf("fault %q ended before its time: its lease was lost", one.line)
	}
}

// end clears a fault that is still on when the test is over.
func (f *Faults) end(ctx context.Context, id string) {
	f.mu.Lock()
	_, on := f.mine[id]
	f.mu.Unlock()
	if !on {
		return
	}
	if _, err := f.clear(ctx, id); err != nil {
		f.module.log.WithError(err).Errorf("fault %s was not cleared at the end of the test; it ends with its lease", id)
	}
}

// clear ends the renewing first, then the fault. Only one call for an id does the work.
func (f *Faults) clear(ctx context.Context, id string) (faults.Held, error) {
	f.mu.Lock()
	one := f.mine[id]
	delete(f.mine, id)
	f.mu.Unlock()
	if one != nil {
		one.stop()
		<-one.done
	}
	return f.undo(ctx, id, one)
}

// undo asks the holder to clear and notes the answer; one is nil for a fault that is not ours.
func (f *Faults) undo(ctx context.Context, id string, one *held) (faults.Held, error) {
	h, err := f.holder.Clear(ctx, id)
	switch {
	case one == nil:
	case err == nil:
		one.story.Answer(h)
	case gone(err): // it was over, and the holder forgot it
		one.story.Answer(faults.Held{Step: faults.StepCleared})
	default:
		one.story.Failed(err)
	}
	return h, err
}

func over(s faults.Step) bool {
	return s == faults.StepCleared || s == faults.StepExpired || s == faults.StepClearFailed
}

// gone: the holder answered that it knows no such fault, or no longer.
func gone(err error) bool {
	api, ok := errors.AsType[*faults.APIError](err)
	return ok && (api.Code == http.StatusNotFound || api.Code == http.StatusGone)
}
