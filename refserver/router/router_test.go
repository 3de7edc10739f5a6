package router

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

func TestBudgetBoundsAmplification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var engines []*enginetest.Engine
		for range 6 {
			e := enginetest.New()
			e.Otherwise = enginetest.Script{Refuse: &engine.Error{Reason: engine.ReasonOverloaded}}
			engines = append(engines, e)
		}
		b := newBench(Defaults(), engines...)
		for range 1000 {
			_, _, err := b.ask(t, request(8))
			require.NotNil(t, err)
			assert.Equal(t, Overloaded, err.Cause)
			time.Sleep(5 * time.Millisecond)
		}
		s := b.Stats()
		assert.LessOrEqual(t, float64(s.Attempts), 1.2*1000+3)
		assert.Positive(t, s.BudgetDenied)
	})
}

func TestNobodyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Set(engine.Load{State: engine.Loading})
		b := newBench(Defaults(), e)
		_, _, err := b.ask(t, request(8))
		assert.Equal(t, NoReplica, err.Cause)
		assert.Equal(t, 8*time.Second, err.RetryAfter)
		time.Sleep(5 * time.Second)
		_, _, err = b.ask(t, request(8))
		assert.Equal(t, 3*time.Second, err.RetryAfter, "the hint follows the reload")
	})
}

func TestBreakerOpensAndIsAvoided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := enginetest.New(), enginetest.New()
		bad.Otherwise = broken(engine.ReasonOOM, 0)
		good.Set(engine.Load{State: engine.Ready, Running: 9})
		b := newBench(Defaults(), bad, good)
		lost := 0
		for range 50 {
			if _, _, err := b.ask(t, request(4)); err != nil {
				lost++
			}
			time.Sleep(10 * time.Millisecond)
		}
		assert.Equal(t, []string{"n1/g0/m open consecutive"}, *b.opened)
		assert.Equal(t, 2, lost, "five failures, three retries in the floor of a fresh budget")
		assert.Len(t, bad.Calls(), 5)
		bad.Otherwise = enginetest.Script{}
		time.Sleep(6 * time.Second)
		for range 3 {
			_, _, _ = b.ask(t, request(4))
		}
		assert.Equal(t, []string{"n1/g0/m open consecutive", "n1/g0/m half-open open_over", "n1/g0/m closed probes_ok"}, *b.opened)
		before := len(bad.Calls())
		for range 200 { // at once: the ramp has not begun to grow
			_, _, _ = b.ask(t, request(4))
		}
		assert.Less(t, len(bad.Calls())-before, 40, "though it is the idle one, it is spared at first")
		time.Sleep(5 * time.Second)
		before = len(bad.Calls())
		for range 200 {
			_, _, _ = b.ask(t, request(4))
		}
		assert.Equal(t, 200, len(bad.Calls())-before, "and has its share back")
	})
}

func TestSlowFirstTokenOpensOnlyTheSlowOne(t *testing.T) {
	ask := func(t *testing.T, slow, normal time.Duration) []string {
		var opened []string
		synctest.Test(t, func(t *testing.T) {
			var engines []*enginetest.Engine
			for i := range 4 {
				e := enginetest.New()
				e.Otherwise = enginetest.Script{Wait: normal}
				if i == 0 {
					e.Otherwise.Wait = slow
				}
				engines = append(engines, e)
			}
			b := newBench(Defaults(), engines...)
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() { _, _, _ = b.ask(t, request(2)) })
				time.Sleep(20 * time.Millisecond)
			}
			wg.Wait()
			opened = *b.opened
		})
		return opened
	}
	assert.Contains(t, ask(t, 2*time.Second, 20*time.Millisecond), "n1/g0/m open consecutive")
	assert.Empty(t, ask(t, 400*time.Millisecond, 20*time.Millisecond))
	for _, o := range ask(t, 2*time.Second, 20*time.Millisecond) {
		assert.True(t, strings.HasPrefix(o, "n1/"), o)
	}
}

func TestControlGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Defaults()
		cfg.Resilient = false
		a, bad, c := enginetest.New(), enginetest.New(), enginetest.New()
		bad.Otherwise = broken(engine.ReasonDead, 2)
		b := newBench(cfg, a, bad, c)
		failed := 0
		for range 9 {
			if _, _, err := b.ask(t, request(4)); err != nil {
				failed++
			}
		}
		assert.Equal(t, 3, failed, "every third request meets the bad one, and nobody helps")
		assert.Len(t, a.Calls(), 3)
		assert.Len(t, c.Calls(), 3)
	})
}

func TestTickAndKeepWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Defaults(), enginetest.New(enginetest.Script{Wait: 3 * time.Second}))
		call := b.Open(t.Context(), request(2))
		defer call.Close()
		tick := time.NewTimer(time.Second)
		_, err := call.Next(tick.C)
		require.ErrorIs(t, err, ErrTick)
		chunk, err := call.Next(nil)
		require.NoError(t, err)
		assert.Equal(t, 0, chunk.Index)
	})
}

// A thousand requests that end in every way there is: nothing stays behind. (synctest fails the
// test if a goroutine is left blocked.)
func TestRandomEndingsLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		reasons := []engine.Reason{engine.ReasonDead, engine.ReasonOOM, engine.ReasonMigrate, engine.ReasonOverloaded, engine.ReasonLoading}
		var engines []*enginetest.Engine
		for range 4 {
			var scripts []enginetest.Script
			for range 1500 {
				s := enginetest.Script{Wait: time.Duration(rnd.IntN(700)) * time.Millisecond, Gap: time.Duration(rnd.IntN(50)) * time.Millisecond, Tokens: rnd.IntN(10)}
				e := &engine.Error{Reason: reasons[rnd.IntN(len(reasons))], Text: "planted"}
				switch rnd.IntN(6) {
				case 0:
					s.Break = e
				case 1:
					s.Close = true
				case 2:
					s.Hang = true
				case 3:
					s = enginetest.Script{Refuse: e}
				}
				scripts = append(scripts, s)
			}
			engines = append(engines, enginetest.New(scripts...))
		}
		b := newBench(Defaults(), engines...)
		var wg sync.WaitGroup
		for i := range 1000 {
			req := request(1 + rnd.IntN(20))
			req.Prompt = fmt.Sprint(i)
			patience := time.Duration(rnd.IntN(4000)) * time.Millisecond
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				call := b.Open(ctx, req)
				defer call.Close()
				text, _, err := collect(call)
				want, _ := enginetest.Answer(req)
				if err == nil {
					assert.Equal(t, want, text)
				} else {
					assert.True(t, strings.HasPrefix(want, text), "what came is a true beginning")
				}
			})
			time.Sleep(time.Duration(rnd.IntN(30)) * time.Millisecond)
		}
		wg.Wait()
		for _, e := range engines {
			e.Wait()
		}
		sum := 0
		for _, n := range b.counts.ended {
			sum += n
		}
		assert.EqualValues(t, b.Stats().Attempts, sum, "every attempt ended exactly once")
	})
}
