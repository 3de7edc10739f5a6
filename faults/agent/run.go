package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
)

// Run clears what an earlier holder left, then ends faults whose time is over or whose lease ran
// out, until ctx ends; then it clears everything and proves it, within StopWithin. It is called
// once. The error names faults that could not be proven gone; ctx ending is none.
func (a *Agent) Run(ctx context.Context) error {
	if left := a.on(); len(left) > 0 {
		a.cfg.Log.Warn("clearing faults of an earlier holder", "count", len(left))
		a.clearAll(ctx, faults.CauseLeftover)
	}
	close(a.ready)
	for ctx.Err() == nil {
		a.wait(ctx, a.expire(ctx))
	}
	return a.stop(ctx)
}

// expire starts clearing what is due and answers when to look again; zero: nothing is planned.
func (a *Agent) expire(ctx context.Context) (next event.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.cfg.Clock.Now()
	for _, h := range a.order {
		cause, at, yes := h.due(now, a.cfg.MaxRetries)
		switch {
		case yes:
			h.ending = true // decided under mu: a renewal comes before or is refused
			// Each on its own, so that a target that hangs does not keep other faults on.
			a.work.Go(func() { a.clear(ctx, h, cause, "") })
		case at != 0 && (next == 0 || at < next):
			next = at
		}
	}
	return next
}

// wait is the one place where leases are waited for.
func (a *Agent) wait(ctx context.Context, until event.Time) {
	var alarm <-chan time.Time
	if until != 0 {
		timer := time.NewTimer(until.Sub(a.cfg.Clock.Now()))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-ctx.Done():
	case <-a.wake:
	case <-alarm:
	}
}

func (a *Agent) stop(ctx context.Context) error {
	a.mu.Lock()
	a.stopping = true
	a.mu.Unlock()
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		a.clearAll(ctx, faults.CauseHolder)
		a.work.Wait()
	})
	go func() {
		all.Wait()
		close(done)
	}()
	timer := time.NewTimer(a.cfg.StopWithin)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		// Clearings still run and may write: what New opened stays open for them.
		return a.remaining()
	}
	err := errors.Join(a.remaining(), a.journal.Close())
	a.store.close()
	return err
}

func (a *Agent) remaining() error {
	on := a.on()
	names := make([]string, 0, len(on))
	for _, h := range on {
		names = append(names, fmt.Sprintf("%q on %s (%s)", h.fault.String(), strings.Join(h.targets, ", "), h.id))
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("not proven gone: %s; start the fault holder again with the same state directory to clear it", strings.Join(names, "; "))
}
