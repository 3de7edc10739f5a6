// Package breaker decides whether a replica may be asked: gobreaker's two-step circuit breaker
// behind a permit that is settled exactly once, within a deadline, whatever happens to its request.
//
// What may not live here: choosing replicas, the ramp after recovery, HTTP.
package breaker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ErrLate is what the deadline settles a permit with: it counts as a failure.
var ErrLate = errors.New("breaker: no first token within the deadline")

// Transition is one change of state. Reason is one word of a bounded set.
type Transition struct {
	From, To string // "closed", "half-open", "open"
	Reason   string // "consecutive", "failure_ratio", "probe_failed", "open_over", "probes_ok"
}

// Breaker guards one replica of one model. Safe for concurrent use.
type Breaker struct {
	cb     *gobreaker.TwoStepCircuitBreaker[struct{}]
	cfg    Config
	notify func(Transition)

	// Shadows of gobreaker's state, written in OnStateChange, so that balancing reads no lock.
	state     atomic.Int32 // gobreaker.State
	opens     atomic.Int64 // Unix ns until which it stays open
	recovered atomic.Int64 // Unix ns of the last half-open → closed, 0: never

	rule string // which rule tripped; touched only under gobreaker's own mutex

	mu         sync.Mutex
	queue      []Transition
	delivering bool
}

// New builds a closed breaker. cfg must be valid. notify may be nil; it is called without any lock
// held, in order, and may call back into the breaker.
func New(cfg Config, notify func(Transition)) *Breaker {
	b := &Breaker{cfg: cfg, notify: notify}
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   uint32(cfg.Probes),
		Interval:      cfg.Window,
		BucketPeriod:  cfg.Window / buckets,
		Timeout:       cfg.Open,
		ReadyToTrip:   b.trips,
		OnStateChange: b.changed,
		IsExcluded:    func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	return b
}

// buckets is how finely the rolling window moves.
const buckets = 10

// Allow asks for a permit. ok is false while the breaker is open or its probes are taken.
//
// settle takes nil (the first content came), context.Canceled (counts as nothing) or any other
// error (a failure); only its first call counts and reports true. A permit not settled within
// the given time settles itself as a failure (ErrLate): gobreaker silently ignores a result older
// than its rolling window, and a probe that never returns would block half-open for ever.
func (b *Breaker) Allow(within time.Duration) (settle func(error) bool, ok bool) {
	done, err := b.cb.Allow()
	b.deliver()
	if err != nil {
		return nil, false
	}
	p := &permit{breaker: b, done: done}
	within = min(within, b.cfg.Window*8/10)
	p.timer.Store(time.AfterFunc(within, func() { p.settle(ErrLate) }))
	return p.settle, true
}

// permit is one allowed request.
type permit struct {
	breaker *Breaker
	done    func(error)
	settled atomic.Bool
	timer   atomic.Pointer[time.Timer]
}

func (p *permit) settle(err error) bool {
	if p.settled.Swap(true) { // gobreaker would count a second result of the same request
		return false
	}
	if t := p.timer.Load(); t != nil {
		t.Stop()
	}
	p.done(err)
	p.breaker.deliver()
	return true
}

// Permits is a cheap forecast of Allow: false only while the breaker is certainly open.
func (b *Breaker) Permits(now time.Time) bool {
	return b.Reopens(now) == 0
}

// Reopens is how long the breaker stays open from now on; zero when it is not.
func (b *Breaker) Reopens(now time.Time) time.Duration {
	if gobreaker.State(b.state.Load()) != gobreaker.StateOpen {
		return 0
	}
	// gobreaker leaves the open state strictly after its timeout, so its last instant still counts.
	return max(0, time.Duration(b.opens.Load()-now.UnixNano())+1)
}

// Recovered is when the breaker last closed after half-open; the zero time if it never opened.
func (b *Breaker) Recovered() time.Time {
	ns := b.recovered.Load()
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// State is "closed", "half-open" or "open", brought up to date.
func (b *Breaker) State() string {
	s := b.cb.State()
	b.deliver()
	return s.String()
}

// trips runs under gobreaker's mutex.
func (b *Breaker) trips(c gobreaker.Counts) bool {
	settled := c.TotalSuccesses + c.TotalFailures
	switch {
	case int(c.ConsecutiveFailures) >= b.cfg.Consecutive:
		b.rule = "consecutive"
	case int(settled) >= b.cfg.MinRequests && float64(c.TotalFailures) >= b.cfg.FailureRatio*float64(settled):
		b.rule = "failure_ratio"
	default:
		return false
	}
	return true
}

// changed runs under gobreaker's mutex: asking the breaker anything here would deadlock, so the
// transition is only written down.
func (b *Breaker) changed(_ string, from, to gobreaker.State) {
	now := time.Now()
	t := Transition{From: from.String(), To: to.String()}
	switch to {
	case gobreaker.StateOpen:
		t.Reason = "probe_failed"
		if from == gobreaker.StateClosed {
			t.Reason = b.rule
		}
		b.opens.Store(now.Add(b.cfg.Open).UnixNano())
	case gobreaker.StateHalfOpen:
		t.Reason = "open_over"
	case gobreaker.StateClosed:
		t.Reason = "probes_ok"
		b.recovered.Store(now.UnixNano())
	}
	b.state.Store(int32(to))
	b.mu.Lock()
	b.queue = append(b.queue, t)
	b.mu.Unlock()
}

// deliver hands queued transitions over, one goroutine at a time so that their order holds.
func (b *Breaker) deliver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.delivering {
		return
	}
	b.delivering = true
	for len(b.queue) > 0 {
		t := b.queue[0]
		b.queue = b.queue[1:]
		b.mu.Unlock()
		if b.notify != nil {
			b.notify(t)
		}
		b.mu.Lock()
	}
	b.delivering = false
}
