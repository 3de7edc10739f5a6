// Package router takes one request through its attempts: which replica, what to do when an attempt
// fails, when to give up. The caller pulls the answer from a Call and sees one unbroken stream.
//
// What may not live here: HTTP, encoding, kinds of engines, what is in front of a request (limits, queues).
package router

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/pool"
)

// Observer counts. Implementations may not block.
type Observer interface {
	AttemptEnded(outcome string) // an Outcome's word
	Retried(outcome string)      // the outcome of the attempt that was replaced
	Resumed(outcome string)
	BudgetDenied()
	Poisoned()
}

// Deps is what a Router works with. All are required.
type Deps struct {
	Pool     *pool.Pool
	Events   event.Sink
	Observer Observer
}

// Router serves all requests of one server. Safe for concurrent use.
type Router struct {
	cfg        Config
	deps       Deps
	budget     *budget
	quarantine *quarantine
	normal     normal
	watch      watch
	turn       atomic.Uint64 // of round robin

	attempts, retries, resumes, failed, poisoned, denied atomic.Uint64
}

// New builds a router. cfg must be valid.
func New(cfg Config, deps Deps) *Router {
	return &Router{
		cfg: cfg, deps: deps,
		budget:     newBudget(cfg.BudgetShare, cfg.BudgetFloor, cfg.BudgetWindow),
		quarantine: newQuarantine(cfg.PoisonFor, cfg.PoisonMemory),
		watch:      watch{seen: map[*pool.Member]*sight{}},
	}
}

// Open starts a request. It never blocks; what goes wrong comes from the first Next. The caller
// must Close the Call. When ctx ends, the Call ends with it and counts as the client's doing.
func (r *Router) Open(ctx context.Context, req engine.Request) *Call {
	now := time.Now()
	c := &Call{
		router: r, ctx: ctx, req: req,
		began: now, deadline: now.Add(r.cfg.Total),
		timer: time.NewTimer(r.cfg.Total),
	}
	c.armed = c.deadline
	r.budget.request(now)
	if r.cfg.Resilient {
		// Room for the usual word lengths; a longer answer grows the buffer a few times.
		c.sent = make([]byte, 0, min(req.MaxTokens*6, 32<<10))
		if r.quarantine.holds(req.Model, req.Prompt, now) {
			c.fail(&Error{Cause: Poisoned, Text: "this prompt ended several engines lately and is not tried again for now"})
		}
	}
	return c
}

// Stats is what the router did since its start.
func (r *Router) Stats() admin.Router {
	return admin.Router{
		Attempts: r.attempts.Load(), Retries: r.retries.Load(), Resumes: r.resumes.Load(),
		Failed: r.failed.Load(), Poisoned: r.poisoned.Load(),
		BudgetLeft: r.BudgetLeft(), BudgetDenied: r.denied.Load(),
	}
}

// BudgetLeft is how many more retries the budget would grant now.
func (r *Router) BudgetLeft() float64 { return r.budget.left(time.Now()) }

// pick chooses a member and takes its permit; nil when nobody can be asked. Members in
// tried are left out.
func (r *Router) pick(model string, tried []*pool.Member) (*pool.Member, func(error) bool) {
	now := time.Now()
	if !r.cfg.Resilient {
		peers := r.deps.Pool.Of(model)
		if len(peers) == 0 {
			return nil, nil
		}
		return peers[int((r.turn.Add(1)-1)%uint64(len(peers)))], ignore
	}
	r.notice(model, now)
	candidates := without(r.deps.Pool.Candidates(make([]pool.Candidate, 0, 16), model, now), tried)
	for len(candidates) > 0 {
		i := draw(candidates, now, r.ramp(now), rand.Float64)
		m := candidates[i].Member
		if m.Gate == nil {
			return m, ignore
		}
		if settle, ok := m.Gate.Allow(r.slow()); ok {
			return m, settle
		}
		candidates = append(candidates[:i], candidates[i+1:]...)
	}
	return nil, nil
}

func ignore(error) bool { return true }

// slow is the time to first token above which a replica counts as failing: the configured floor or
// k times what is normal for the pool now, so that a load that makes all slow opens no breaker.
func (r *Router) slow() time.Duration {
	return max(r.cfg.SlowFirstToken, time.Duration(r.cfg.SlowFactor*float64(r.normal.value())))
}

// ramp is a member's share of its fair number of picks, growing linearly after its breaker closed.
func (r *Router) ramp(now time.Time) func(*pool.Member) float64 {
	return func(m *pool.Member) float64 {
		if m.Gate == nil || r.cfg.Ramp <= 0 {
			return 1
		}
		since := m.Gate.Recovered()
		if since.IsZero() {
			return 1
		}
		return min(1, now.Sub(since).Seconds()/r.cfg.Ramp.Seconds())
	}
}

func (r *Router) emit(kind event.Kind, target string, c *Call, reason string, attrs map[string]string) {
	r.deps.Events.Emit(event.Event{
		Source: "router", Kind: kind, Target: target, Request: c.req.ID, Reason: reason, Attrs: attrs,
	})
}

func (r *Router) attemptFailed(c *Call, target string, o Outcome, f Fate) {
	r.emit(event.AttemptFailed, target, c, o.String(), map[string]string{
		"action": f.Action.String(), "why": f.Why, "attempt": strconv.Itoa(c.attempts),
	})
}

// Cause is why a Call failed, for those who choose a status code.
type Cause uint8

// Causes.
const (
	NoReplica  Cause = iota // nobody could be asked
	Overloaded              // all queues are full
	Timeout                 // first token, idle or total
	Poisoned                // the request ends engines
	TooLong                 // prompt + max_tokens fit no engine
	BadRequest              // an upstream blames the caller
	Failed                  // the attempts failed otherwise
	ClientGone              // the context ended
)

// Error is how a Call ends when not with a whole answer.
type Error struct {
	Cause      Cause
	Text       string        // one sentence for people
	RetryAfter time.Duration // zero: no hint
	Started    bool          // content was delivered before
}

func (e *Error) Error() string { return fmt.Sprintf("router: %s", e.Text) }
