package router

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/pool"
)

// ErrTick is returned by Next when the tick channel fired before anything else came.
var ErrTick = errors.New("router: nothing yet")

// Call is one request on its way through its attempts. One goroutine at a time may use it.
type Call struct {
	router *Router
	ctx    context.Context //nolint:containedctx // a Call is the request, and lives no longer
	req    engine.Request

	began, deadline time.Time
	timer           *time.Timer // one for all deadlines and waits
	armed           time.Time   // when timer will fire; zero: it will not

	cur    *attempt  // nil between attempts
	aside  received  // taken from cur's stream by Ready, for the next Next
	wake   time.Time // between attempts: not before
	tried  []*pool.Member
	served *pool.Member // of the first content

	attempts, retries, resumes, kills, waits int
	tokens                                   int    // delivered
	sent                                     []byte // delivered text, for a resume
	firstAttempts                            int    // attempts until the first content

	from     *pool.Member // the failed member that the next attempt replaces
	fate     Fate
	outcome  Outcome
	finished bool
	failure  *Error
}

// attempt is one stream from one member. It doubles as the epoch: chunks are read from the current
// attempt's channel only, so nothing that an older one still says can be forwarded.
type attempt struct {
	member *pool.Member
	stream *engine.Stream
	cancel context.CancelFunc
	settle func(error) bool
	began  time.Time
	last   time.Time // of the newest content; began before the first
	spoke  bool      // content came in this attempt
}

// Node is the device that gave the first content ("n2/g1"), "" before.
func (c *Call) Node() string {
	if c.served == nil {
		return ""
	}
	return c.served.Device
}

// Attempts is how many attempts it took until the first content, or until now.
func (c *Call) Attempts() int {
	if c.firstAttempts > 0 {
		return c.firstAttempts
	}
	return c.attempts
}

// Tokens is how many tokens of the answer were delivered.
func (c *Call) Tokens() int { return c.tokens }

// Next is the next piece of the answer: content, or the terminal chunk (Finish set), after which
// the Call is over. It returns ErrTick when tick fires first (nil: never), and an *Error at the end
// of a broken request; never a chunk with Err.
func (c *Call) Next(tick <-chan time.Time) (engine.Chunk, error) {
	for {
		switch {
		case c.failure != nil:
			return engine.Chunk{}, c.failure
		case c.finished:
			return engine.Chunk{}, &Error{Cause: Failed, Text: "the answer is already complete", Started: true}
		case c.cur == nil:
			if !c.wake.IsZero() {
				if err := c.sleep(tick); err != nil {
					return engine.Chunk{}, err
				}
			} else if chunk, done := c.start(); done {
				return chunk, nil
			}
			continue
		}
		got, o, err := c.receive(tick)
		switch {
		case err != nil:
			return engine.Chunk{}, err
		case o != Complete:
			c.ended(o, o.String())
		case c.take(&got):
			return got.chunk, nil
		}
	}
}

// Ready is content that already waits, without waiting for more. What else waits (an end, an
// error) is put aside for Next.
func (c *Call) Ready() (engine.Chunk, bool) {
	if c.cur == nil || c.aside.full {
		return engine.Chunk{}, false
	}
	select {
	case chunk, open := <-c.cur.stream.C:
		got := received{chunk: chunk, open: open, full: true}
		if !open || chunk.Err != nil || chunk.Finish != "" {
			c.aside = got
			return engine.Chunk{}, false
		}
		deliver := c.take(&got)
		return got.chunk, deliver
	default:
		return engine.Chunk{}, false
	}
}

// received is one receive from a stream; full tells it from nothing.
type received struct {
	chunk      engine.Chunk
	open, full bool
}

func (c *Call) receive(tick <-chan time.Time) (received, Outcome, error) {
	if c.aside.full {
		got := c.aside
		c.aside = received{}
		return got, Complete, nil
	}
	select { // the common case is one channel operation and no timer
	case chunk, open := <-c.cur.stream.C:
		return received{chunk: chunk, open: open}, Complete, nil
	default:
		return c.await(tick)
	}
}

// Close ends the call: what still runs is cancelled, and counts as the client's doing.
func (c *Call) Close() {
	if c.cur != nil {
		c.settleCurrent(ClientLeft)
		c.drop()
	}
	c.timer.Stop()
	if !c.finished && c.failure == nil {
		c.failure = &Error{Cause: ClientGone, Text: "the call was closed", Started: c.tokens > 0}
	}
}

// await blocks until the current attempt says something or a limit passes. The timer is re-armed
// only when it fires early, not for every token.
func (c *Call) await(tick <-chan time.Time) (received, Outcome, error) {
	for {
		limit, late := c.limit()
		c.arm(limit)
		select {
		case chunk, open := <-c.cur.stream.C:
			return received{chunk: chunk, open: open}, Complete, nil
		case <-c.timer.C:
			c.armed = time.Time{}
			if !time.Now().Before(limit) {
				return received{}, late, nil
			}
		case <-c.ctx.Done():
			return received{}, ClientLeft, nil
		case <-tick:
			return received{}, Complete, ErrTick
		}
	}
}

// limit is the nearest deadline of the current attempt and what passing it means.
func (c *Call) limit() (time.Time, Outcome) {
	at, o := c.cur.last.Add(c.router.cfg.FirstToken), FirstTokenTimeout
	if c.cur.spoke {
		at, o = c.cur.last.Add(c.router.cfg.Idle), IdleTimeout
	}
	if c.deadline.Before(at) {
		return c.deadline, TotalTimeout
	}
	return at, o
}

func (c *Call) arm(at time.Time) {
	if c.armed.IsZero() || at.Before(c.armed) {
		c.timer.Reset(time.Until(at))
		c.armed = at
	}
}

// sleep waits for wake, between attempts.
func (c *Call) sleep(tick <-chan time.Time) error {
	for time.Until(c.wake) > 0 {
		c.arm(c.wake)
		select {
		case <-c.timer.C:
			c.armed = time.Time{}
		case <-c.ctx.Done():
			c.giveUp(ClientLeft, "client_gone", "the client went away")
			return nil
		case <-tick:
			return ErrTick
		}
	}
	c.wake = time.Time{}
	return nil
}

// start begins an attempt. It leaves one of: cur set, wake set, failure set, or a finished answer.
func (c *Call) start() (engine.Chunk, bool) {
	r := c.router
	if c.ctx.Err() != nil {
		c.giveUp(ClientLeft, "client_gone", "the client went away")
		return engine.Chunk{}, false
	}
	if !time.Now().Before(c.deadline) {
		c.giveUp(TotalTimeout, "deadline", "the request took too long")
		return engine.Chunk{}, false
	}
	if c.tokens >= c.req.MaxTokens {
		// The engine broke between its last token and the word that it was the last.
		c.finished = true
		return engine.Chunk{Index: c.tokens, Finish: engine.FinishLength}, true
	}
	m, settle := r.pick(c.req.Model, c.tried)
	if m == nil && c.waits > 0 {
		m, settle = r.pick(c.req.Model, nil)
	}
	if m == nil && len(c.tried) > 0 && c.waits < r.cfg.Waits {
		// All others were tried or are out: after a pause the same ones may do.
		c.wake = time.Now().Add(c.pause())
		c.waits++
		return engine.Chunk{}, false
	}
	if m == nil {
		c.noReplica()
		return engine.Chunk{}, false
	}
	c.begin(m, settle)
	return engine.Chunk{}, false
}

// pause doubles with every wait of this request, ± 50 %.
func (c *Call) pause() time.Duration {
	cfg := c.router.cfg
	d := min(cfg.BackoffMax, cfg.Backoff<<min(c.waits, 20))
	return time.Duration(float64(d) * (0.5 + rand.Float64()))
}

func (c *Call) begin(m *pool.Member, settle func(error) bool) {
	r := c.router
	c.attempts++
	r.attempts.Add(1)
	c.announce(m)
	req := c.req
	if c.tokens > 0 {
		req.ResumeAt, req.Sent = c.tokens, string(c.sent)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	now := time.Now()
	c.cur = &attempt{member: m, cancel: cancel, settle: settle, began: now, last: now}
	m.Pace.Began(now)
	stream, err := m.Engine.Generate(ctx, req)
	if err != nil {
		c.broke(engine.AsError(err))
		return
	}
	c.cur.stream = stream
}

// announce says where a retry or resume went, once the place is known.
func (c *Call) announce(m *pool.Member) {
	if c.from == nil {
		return
	}
	r, attrs := c.router, map[string]string{"to": m.ID, "why": c.fate.Why, "tokens": strconv.Itoa(c.tokens)}
	if c.fate.Action == Resume {
		r.resumes.Add(1)
		r.deps.Observer.Resumed(c.outcome.String())
		r.emit(event.RequestResumed, c.from.ID, c, c.outcome.String(), attrs)
	} else {
		r.retries.Add(1)
		r.deps.Observer.Retried(c.outcome.String())
		r.emit(event.RequestRetried, c.from.ID, c, c.outcome.String(), attrs)
	}
	c.from = nil
}

// take books what came from the current attempt and reports whether it is to be delivered.
func (c *Call) take(got *received) bool {
	chunk := &got.chunk
	switch {
	case !got.open && c.ctx.Err() != nil:
		c.ended(ClientLeft, "the client went away")
		return false
	case !got.open:
		c.ended(EngineProtocol, "the stream ended without a finish")
		return false
	case chunk.Err != nil:
		c.broke(chunk.Err)
		return false
	case chunk.Tokens > 0 && chunk.Index+chunk.Tokens <= c.tokens:
		chunk.Text, chunk.Tokens = "", 0 // the client has these tokens already
	case chunk.Tokens > 0 && chunk.Index != c.tokens:
		c.ended(EngineProtocol, fmt.Sprintf("token %d came where %d was due", chunk.Index, c.tokens))
		return false
	}
	if chunk.Text != "" {
		c.content(chunk)
	}
	if chunk.Finish != "" {
		c.finish()
	}
	return chunk.Text != "" || chunk.Finish != ""
}

func (c *Call) content(chunk *engine.Chunk) {
	a := c.cur
	now := time.Now()
	gap := now.Sub(a.last)
	a.last = now
	if a.spoke {
		a.member.Pace.Heard(now, gap, chunk.Tokens)
	} else {
		a.spoke = true
		a.member.Pace.Heard(now, 0, 0)
		c.router.normal.add(gap)
		a.settle(nil)
	}
	if c.served == nil {
		c.served, c.firstAttempts = a.member, c.attempts
	}
	c.tokens += chunk.Tokens
	if c.router.cfg.Resilient {
		c.sent = append(c.sent, chunk.Text...)
	}
}

func (c *Call) finish() {
	if c.served == nil {
		c.served, c.firstAttempts = c.cur.member, c.attempts
	}
	c.cur.settle(nil)
	c.router.deps.Pool.Completed(c.cur.member)
	c.router.deps.Observer.AttemptEnded(Complete.String())
	c.finished = true
	c.drop()
}
