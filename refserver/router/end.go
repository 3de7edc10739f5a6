package router

import (
	"context"
	"errors"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// broke ends the current attempt with what its engine said.
func (c *Call) broke(e *engine.Error) {
	if e.Killed {
		c.kills++
	}
	o := outcomeOf(e)
	if c.ctx.Err() != nil {
		o = ClientLeft
	}
	c.ended(o, e.Text)
}

// ended closes the current attempt and settles the request's fate.
func (c *Call) ended(o Outcome, text string) {
	r, a := c.router, c.cur
	c.settleCurrent(o)
	c.drop()
	now := time.Now()
	if o.blames() && a.spoke && r.cfg.Resilient && r.deps.Pool.Broke(a.member, now) {
		r.emit(event.BreakerOpened, a.member.ID, c, "stream_breaks", map[string]string{"by": "ejection"})
	}
	s := Situation{
		Outcome: o, Started: c.tokens > 0, Attempts: c.attempts,
		Retries: c.retries, Resumes: c.resumes, Kills: c.kills, Budget: true,
	}
	fate := Decide(s, r.cfg)
	if fate.Charged && !r.budget.take(now) {
		r.denied.Add(1)
		r.deps.Observer.BudgetDenied()
		s.Budget = false
		fate = Decide(s, r.cfg)
	}
	if !o.callers() {
		r.attemptFailed(c, a.member.ID, o, fate)
	}
	c.tried = append(c.tried, a.member)
	c.fate, c.outcome, c.from = fate, o, a.member
	switch {
	case fate.Action == GiveUp:
		c.giveUp(o, fate.Why, text)
	case fate.Action == Resume && o != EngineMigrated:
		c.resumes++
	case fate.Charged:
		c.retries++
	}
}

// settleCurrent tells the breaker and the metrics how the current attempt ended. After the first
// content the permit is settled already and only the metric hears of it.
func (c *Call) settleCurrent(o Outcome) {
	if o.blames() {
		c.cur.settle(errAttempt)
	} else {
		c.cur.settle(context.Canceled)
	}
	c.router.deps.Observer.AttemptEnded(o.String())
}

var errAttempt = errors.New("router: the attempt failed")

// drop cancels the current attempt's engine work and forgets its stream.
func (c *Call) drop() {
	c.cur.cancel()
	c.cur.member.Pace.Ended()
	c.cur = nil
}

// noReplica ends a request that nobody can be asked to serve. The failed attempt before, if any,
// keeps its own reason.
func (c *Call) noReplica() {
	e := &Error{Cause: NoReplica, Text: "no replica of the model can take the request now"}
	switch {
	case len(c.tried) > 0 && (c.outcome == FirstTokenTimeout || c.outcome == IdleTimeout):
		e.Cause, e.Text = Timeout, "the model gave no token in time, and no other replica is left"
	case len(c.tried) > 0 && c.outcome == EngineOverloaded:
		e.Cause, e.Text = Overloaded, "the queues of all replicas are full"
	}
	c.router.failed.Add(1)
	c.refuse(e, "no_replica")
}

func (c *Call) refuse(e *Error, reason string) {
	if e.Cause == NoReplica || e.Cause == Overloaded || e.Cause == Failed {
		e.RetryAfter = c.router.deps.Pool.RetryAfter(c.req.Model, time.Now())
	}
	c.router.emit(event.RequestFailed, c.lastFailed(), c, reason, nil)
	c.fail(e)
}

// giveUp ends the request for good.
func (c *Call) giveUp(o Outcome, why, text string) {
	r := c.router
	if o == ClientLeft {
		c.fail(&Error{Cause: ClientGone, Text: text})
		return
	}
	r.failed.Add(1)
	if why == "poison" {
		r.poisoned.Add(1)
		r.deps.Observer.Poisoned()
		r.quarantine.add(c.req.Model, c.req.Prompt, time.Now())
		r.emit(event.RequestPoisoned, c.lastFailed(), c, o.String(), nil)
		c.fail(&Error{Cause: Poisoned, Text: "this request ended several engines and is not tried again"})
		return
	}
	e := &Error{Cause: Failed, Text: "the attempts to answer failed: " + text}
	switch o {
	case EngineTooLong:
		c.fail(&Error{Cause: TooLong, Text: text})
		return
	case EngineBadRequest:
		c.fail(&Error{Cause: BadRequest, Text: text})
		return
	case EngineOverloaded:
		e.Cause, e.Text = Overloaded, "the queues of all replicas asked are full"
	case FirstTokenTimeout:
		e.Cause, e.Text = Timeout, "the model gave no first token in time"
	case IdleTimeout:
		e.Cause, e.Text = Timeout, "the model stopped giving tokens"
	case TotalTimeout:
		e.Cause, e.Text = Timeout, "the request took too long"
	}
	c.refuse(e, o.String())
}

// lastFailed is the replica of the newest failed attempt, "" when there was none.
func (c *Call) lastFailed() string {
	if c.from == nil {
		return ""
	}
	return c.from.ID
}

func (c *Call) fail(e *Error) {
	e.Started = c.tokens > 0
	c.failure = e
}
