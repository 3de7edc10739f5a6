package router

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/refserver/pool"
)

// A stream whose replica became slow under it is moved by the same measure that places new requests:
// when the wait there is MoveFactor times what it would be elsewhere. One that came when the replica was
// known to be slow stays: it was placed with that in mind, moving it would throw away the dearest
// prefill there is, and its tokens keep measuring the replica.

// Moves are paced, for each costs the other replica a prefill of the prompt and of what was said: one
// each movePace in the long run, and up to moveBurst together, because the tokens of one step come
// together and a slow replica's next step is long in coming.
const (
	movePace  = 10 * time.Millisecond
	moveBurst = 10
)

// moves is that pace, as a virtual schedule (the generic cell rate algorithm of ITU-T I.371).
type moves struct{ due atomic.Int64 } // Unix ns: when the next move is due

func (m *moves) allow(now time.Time) bool {
	due := m.due.Load()
	at := max(due, now.UnixNano())
	return at-now.UnixNano() < int64(moveBurst*movePace) && m.due.CompareAndSwap(due, at+int64(movePace))
}

// leaves decides, at each token of a slow replica, whether the rest of the answer is better had
// elsewhere. A request moves once: it is not to be chased through the pool.
func (c *Call) leaves(now time.Time) bool {
	r, m := c.router, c.cur.member
	if !m.Slow.BeganAfter(c.cur.began) || c.moved || r.cfg.MoveFactor == 0 || !r.cfg.Resilient ||
		c.attempts+1 >= r.cfg.Attempts || c.req.MaxTokens-c.tokens < moveTokens {
		return false
	}
	var few [16]pool.Candidate
	own := pool.Candidate{Member: m, Load: m.Engine.Load()}
	healthy, better := 0, false
	for _, o := range r.deps.Pool.Candidates(few[:0], c.req.Model, now) {
		if o.Member == m || o.Slow.Holds() {
			continue
		}
		healthy++
		better = better || (!slices.Contains(c.tried, o.Member) && delay(own, o, now, 0) > r.cfg.MoveFactor)
	}
	// Where hardly anybody is left, slowness is overload, and a move would only add prefills to it.
	return better && 2*healthy >= len(r.deps.Pool.Of(c.req.Model)) && r.moves.allow(now)
}

// moveTokens is how much of an answer must be left to be worth a prefill.
const moveTokens = 8
