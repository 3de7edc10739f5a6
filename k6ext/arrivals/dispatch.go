package arrivals

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// sender is what the dispatcher needs of the measuring client.
type sender interface {
	Prepare(p *load.Plan, a load.Arrival, start event.Time) *client.Request
	Do(ctx context.Context, req *client.Request) client.Result
	Dropped(a load.Arrival, due event.Time, note string) record.Record
}

// dispatcher hands requests over when they are due. It knows nothing of k6.
type dispatcher struct {
	plan     *load.Plan
	share    load.Share
	start    event.Time
	clock    *event.Clock
	waiter   pace.Waiter
	drain    time.Duration
	client   sender
	due      *atomic.Uint64
	inFlight *atomic.Int64
	report   func(client.Result) // may block; called concurrently, never by the pacing goroutine

	most   int          // highest number in flight; only run writes it
	gaveUp string       // why run ended before its plan; only run writes it, or late
	last   atomic.Int64 // event.Time of the latest end

	peak atomic.Int64 // most, while the users of a closed loop run
	late sync.Once    // of them, the first that is hopelessly late writes gaveUp
}

// ahead is how many requests are prepared before they are due: at 1,000/s a quarter of a second,
// which covers a garbage collection, and at 512 tokens a prompt less than a megabyte.
const ahead = 256

// hopeless is the send lag at which the load is given up: far above every limit under which a run
// can be believed, so that going on would only cost time.
const hopeless = 10 * time.Second

// run sends the plan and returns when every request was reported. When ctx ends, or the load is
// hopelessly late, open requests become unfinished and nothing more is sent.
func (d *dispatcher) run(ctx context.Context) {
	if d.plan.Arrivals.Process == load.Closed {
		d.runClosed(ctx)
		return
	}
	open, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	drops := newDropper(d.report)
	wg.Go(drops.run)
	crew := crew{todo: make(chan *client.Request), hire: wg.Go, do: func(req *client.Request) { d.one(open, req) }}

	for req := range d.prepared(open, &wg) {
		if !d.waiter.Until(d.clock.Wall(req.Due), ctx.Done()) {
			break
		}
		if lag := d.clock.Now().Sub(req.Due); lag > hopeless {
			d.gaveUp = fmt.Sprintf("request %d was sent %v late", req.Index, lag.Round(time.Second))
			cancel(errGaveUp)
			break
		}
		d.due.Add(1)
		n := int(d.inFlight.Add(1))
		if n > d.plan.MaxInFlight {
			d.inFlight.Add(-1)
			drops.add(client.Result{Record: d.client.Dropped(req.Arrival, req.Due, "too many requests in flight")})
			continue
		}
		d.most = max(d.most, n)
		crew.hand(req)
	}
	drops.close()
	crew.dismiss()
	end := d.start.Add(d.plan.Duration)
	if d.gaveUp == "" && d.waiter.Until(d.clock.Wall(end), ctx.Done()) {
		// From here nothing is paced: Go's timers are exact enough to end a drain.
		timer := time.AfterFunc(end.Add(d.drain).Sub(d.clock.Now()), func() { cancel(errDrained) })
		defer timer.Stop()
	}
	wg.Wait()
}

// one is a request's whole life. It gives its place free only after its record was taken, so that
// a slow reader of records cannot make memory grow without bound.
func (d *dispatcher) one(ctx context.Context, req *client.Request) {
	d.exchange(ctx, req)
	d.inFlight.Add(-1)
}

// exchange sends a request and reports what became of it.
func (d *dispatcher) exchange(ctx context.Context, req *client.Request) (ended event.Time, outcome record.Outcome) {
	res := d.client.Do(ctx, req)
	ended, outcome = res.Record.End, res.Record.Outcome
	end := int64(ended)
	for {
		last := d.last.Load()
		if end <= last || d.last.CompareAndSwap(last, end) {
			break
		}
	}
	d.report(res)
	return ended, outcome
}

// prepared writes requests ahead of their time, so that the pacing goroutine only waits and hands over.
// They come by the dozen: whoever writes them is woken for each lot, and not for each request.
func (d *dispatcher) prepared(ctx context.Context, wg *sync.WaitGroup) iter.Seq[*client.Request] {
	const lot = 32
	out := make(chan []*client.Request, ahead/lot)
	send := func(reqs []*client.Request) bool {
		select {
		case out <- reqs:
			return true
		case <-ctx.Done():
			return false
		}
	}
	wg.Go(func() {
		defer close(out)
		reqs := make([]*client.Request, 0, lot)
		for a := range d.plan.Of(d.share) {
			if reqs = append(reqs, d.client.Prepare(d.plan, a, d.start)); len(reqs) == lot {
				if !send(reqs) {
					return
				}
				reqs = make([]*client.Request, 0, lot)
			}
		}
		send(reqs)
	})
	return func(yield func(*client.Request) bool) {
		for reqs := range out {
			for _, req := range reqs {
				if !yield(req) {
					return
				}
			}
		}
	}
}

// finished is when the last request was over.
func (d *dispatcher) finished() event.Time { return event.Time(d.last.Load()) }

// dropper reports drops beside the pacing goroutine, which must never wait for a reader.
type dropper struct {
	report func(client.Result)
	mu     sync.Mutex
	todo   []client.Result
	wake   chan struct{} // capacity 1
	closed bool
}

func newDropper(report func(client.Result)) *dropper {
	return &dropper{report: report, wake: make(chan struct{}, 1)}
}

func (q *dropper) add(r client.Result) {
	q.mu.Lock()
	q.todo = append(q.todo, r)
	q.mu.Unlock()
	q.ring()
}

func (q *dropper) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ring()
}

func (q *dropper) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *dropper) run() {
	for range q.wake {
		q.mu.Lock()
		todo, closed := q.todo, q.closed
		q.todo = nil
		q.mu.Unlock()
		for _, r := range todo {
			q.report(r)
		}
		if closed {
			return
		}
	}
}
