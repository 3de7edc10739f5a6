package arrivals

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// runClosed sends the plan of a closed loop: each virtual user of the share asks, waits for the answer,
// thinks, and asks again until the plan is over. Nothing can be prepared ahead, for a request is due when
// the one before it ends; what preparing costs is in sched_lag.
func (d *dispatcher) runClosed(ctx context.Context) {
	open, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var users sync.WaitGroup
	loop := d.plan.Users()
	if d.waiter.Until(d.clock.Wall(d.start), ctx.Done()) {
		for a := range d.plan.Of(d.share) {
			users.Go(func() { d.user(open, cancel, loop, a) })
		}
	}
	end := d.start.Add(d.plan.Duration)
	if d.waiter.Until(d.clock.Wall(end), open.Done()) {
		timer := time.AfterFunc(end.Add(d.drain).Sub(d.clock.Now()), func() { cancel(errDrained) })
		defer timer.Stop()
	}
	users.Wait()
	d.most = int(d.peak.Load())
}

// user is the life of one virtual user, from its request a on.
func (d *dispatcher) user(ctx context.Context, giveUp context.CancelCauseFunc, loop *load.Users, a load.Arrival) {
	for {
		req := d.client.Prepare(d.plan, a, d.start)
		if !sleepUntil(ctx, d.clock.Wall(req.Due)) {
			return
		}
		if lag := d.clock.Now().Sub(req.Due); lag > hopeless {
			d.late.Do(func() { d.gaveUp = fmt.Sprintf("request %d was sent %v late", req.Index, lag.Round(time.Second)) })
			giveUp(errGaveUp)
			return
		}
		end, failed := d.turn(ctx, req)
		next, ok := loop.Next(a, end, failed)
		if !ok || ctx.Err() != nil {
			return
		}
		a = next
	}
}

// turn sends one request of a user and reports it.
func (d *dispatcher) turn(ctx context.Context, req *client.Request) (end time.Duration, failed bool) {
	d.due.Add(1)
	open := d.inFlight.Add(1)
	for most := d.peak.Load(); open > most && !d.peak.CompareAndSwap(most, open); {
		most = d.peak.Load()
	}
	ended, outcome := d.exchange(ctx, req)
	d.inFlight.Add(-1)
	switch outcome {
	case record.OK, record.Degraded, record.Cancelled:
	default:
		failed = true
	}
	return ended.Sub(d.start), failed
}

// sleepUntil waits on Go's timers: a user's pause needs no pacing thread, and what they are late is told.
func sleepUntil(ctx context.Context, at time.Time) bool {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
