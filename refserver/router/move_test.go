package router

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

// A batch runs on a replica that is ten times as slow as the other one, and is known to be so since
// after a second of it.
func laggards(t *testing.T, cfg Config, n int, after time.Duration) (b *bench, took []time.Duration) {
	t.Helper()
	slow, fast := enginetest.New(), enginetest.New()
	slow.Otherwise = enginetest.Script{Gap: 100 * time.Millisecond}
	fast.Otherwise = enginetest.Script{Gap: 10 * time.Millisecond}
	fast.Set(engine.Load{State: engine.Loading}) // so that the batch begins on the slow one
	b = newBench(cfg, slow, fast)
	took = make([]time.Duration, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			began := time.Now()
			req := request(50)
			whole, finish := enginetest.Answer(req)
			text, end, err := b.ask(t, req)
			if err != nil || text != whole || end != finish {
				t.Errorf("%v: %q", err, text)
			}
			took[i] = time.Since(began)
		})
	}
	time.Sleep(time.Second)
	members := b.pool.Members()
	members[0].Slow.Begin(time.Now().Add(after))
	for range 50 {
		members[1].Pace.Heard(time.Now(), 10*time.Millisecond, 1)
	}
	tell := func() {
		for i, m := range members {
			b.engines[i].Set(engine.Load{State: engine.Ready, Running: m.Pace.Waiting()})
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var teller sync.WaitGroup
	defer teller.Wait()
	defer stop()
	teller.Go(func() {
		for ctx.Err() == nil {
			tell()
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	return b, took
}

func TestStreamsLeaveASlowReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, took := laggards(t, Defaults(), 20, 0)
		resumed := 0
		events, _, _ := b.events.Since(0)
		var last event.Event
		for _, e := range events {
			require.NotEqual(t, event.RequestFailed, e.Kind)
			if e.Kind == event.RequestResumed {
				resumed, last = resumed+1, e
			}
		}
		assert.Equal(t, "replica_slow", last.Reason)
		assert.Equal(t, "n1/g0/m", last.Target)
		assert.Equal(t, "n2/g0/m", last.Attrs["to"])
		assert.GreaterOrEqual(t, resumed, 16, "until the wait is about the same on both")
		quick := 0
		for _, d := range took {
			if d < 2500*time.Millisecond {
				quick++
			}
		}
		assert.GreaterOrEqual(t, quick, 16, "who moved was done in half the time")
		assert.Equal(t, resumed, b.counts.resumed["replica_slow"])
		assert.Empty(t, *b.opened, "slowness after the first token opens no breaker")
	})
}

// The negative control: without moves everybody stays to the slow end.
func TestStreamsStayWhereMovesAreOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Defaults()
		cfg.MoveFactor = 0
		b, took := laggards(t, cfg, 20, 0)
		assert.Empty(t, b.counts.resumed)
		for _, d := range took {
			assert.Greater(t, d, 4*time.Second)
		}
	})
}

func TestStreamsStayThatCameToASlowReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := laggards(t, Defaults(), 20, -2*time.Second)
		assert.Empty(t, b.counts.resumed)
	})
}

// With most of the pool out, slowness is overload: nobody moves.
func TestNobodyMovesInAnOverload(t *testing.T) {
	engines := []*enginetest.Engine{enginetest.New(), enginetest.New(), enginetest.New(), enginetest.New()}
	b := newBench(Defaults(), engines...)
	now := time.Now()
	for i, m := range b.pool.Members() {
		m.Pace.Heard(now, []time.Duration{100, 10, 10, 10}[i]*time.Millisecond, 1)
	}
	engines[0].Set(engine.Load{State: engine.Ready, Running: 20})
	c := b.Open(t.Context(), request(50))
	defer c.Close()
	c.cur = &attempt{member: b.pool.Members()[0], cancel: func() {}, settle: ignore, began: now}
	c.cur.member.Pace.Began(now)
	assert.False(t, c.leaves(now), "it is not slow")
	c.cur.member.Slow.Begin(now.Add(1))
	engines[1].Set(engine.Load{State: engine.Loading})
	assert.True(t, c.leaves(now), "two of four are well")
	engines[2].Set(engine.Load{State: engine.Loading})
	assert.False(t, c.leaves(now), "one of four is")
}

func TestMovesArePaced(t *testing.T) {
	var m moves
	now := time.Now()
	n := 0
	for i := range 1000 {
		for range 3 {
			if m.allow(now.Add(time.Duration(i) * time.Millisecond)) {
				n++
			}
		}
	}
	assert.Equal(t, 100+moveBurst, n, "a burst, and then the pace")
}

// An end that already waits is delivered from where it is.
func TestNobodyLeavesAtTheEnd(t *testing.T) {
	b := newBench(Defaults(), enginetest.New(), enginetest.New())
	c := b.Open(t.Context(), request(50))
	defer c.Close()
	feed := make(chan engine.Chunk, 4)
	c.cur = &attempt{member: b.pool.Members()[0], stream: &engine.Stream{C: feed}, cancel: func() {}, settle: ignore, began: time.Now(), last: time.Now()}
	c.cur.member.Pace.Began(time.Now())
	feed <- engine.Chunk{Text: " word", Tokens: 1}
	feed <- engine.Chunk{Finish: engine.FinishStop}
	_, err := c.Next(nil)
	require.NoError(t, err)
	_, more := c.Ready()
	assert.False(t, more)
	c.leaving = true
	chunk, err := c.Next(nil)
	require.NoError(t, err)
	assert.Equal(t, engine.FinishStop, chunk.Finish)
	assert.Zero(t, b.Stats().Resumes)
}
