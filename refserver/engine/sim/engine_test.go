package sim

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

func reasonOf(t *testing.T, err error) engine.Reason {
	t.Helper()
	require.Error(t, err)
	return engine.AsError(err).Reason
}

func TestAnswerComesAtTheModelsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		var wg sync.WaitGroup
		start := r.clock.Now()
		req := request("a", 512, 64)
		h := r.ask(t.Context(), &wg, req)
		wg.Wait()

		assert.Equal(t, synth.AnswerKey(req.Model, req.Prompt, 0).Text(0, 64), h.text)
		assert.Equal(t, engine.FinishLength, h.finish)
		timing := gpu.TimingOf(llamaOnH100(t))
		var b gpu.Batch
		b.Add(512, 0, true)
		assert.Equal(t, timing.Step(b), h.times[0].Sub(start), "the first token ends the prefill")
		at := h.times[0]
		for i, when := range h.times[1:] {
			var b gpu.Batch
			b.AddDecode(512 + i)
			at = at.Add(timing.Step(b))
			require.Equal(t, at, when, "token %d", i+1)
		}
		s := Summarise(Collect(r.clock.Now(), r.engine.Steps()))
		assert.True(t, s.Known)
		assert.EqualValues(t, 64, s.Steps)
		assert.LessOrEqual(t, s.LateP99, 1e-6, "virtual time is punctual")
		assert.InDelta(t, 0.007, s.StepP50, 0.001)
		assert.EqualValues(t, 64, r.engine.Snapshot().Tokens)
		r.down()
	})
}

func TestPrefillSlowsOtherDecodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		var wg sync.WaitGroup
		h := r.ask(t.Context(), &wg, request("decode", 16, 60))
		time.Sleep(200 * time.Millisecond)
		r.ask(t.Context(), &wg, request("prefill", 8000, 1))
		wg.Wait()
		longest := time.Duration(0)
		for i, at := range h.times[1:] {
			longest = max(longest, at.Sub(h.times[i]))
		}
		assert.Greater(t, longest, 250*time.Millisecond)
		assert.Equal(t, 60, h.tokens)
		r.down()
	})
}

func TestBatchOfManyServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxSequences = 32 }).up()
		var wg sync.WaitGroup
		var all []*heard
		for i := range 100 {
			all = append(all, r.ask(t.Context(), &wg, request(fmt.Sprint(i), 100+i, 20+i%7)))
			if i == 0 {
				time.Sleep(time.Millisecond) // the others come while its step runs
			}
		}
		load := r.engine.Load()
		assert.Equal(t, 100, load.Running+load.Waiting, "arrivals count at once")
		assert.Positive(t, load.TokenDebt)
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, 32, r.engine.Load().Running)
		assert.Positive(t, r.engine.Load().KVUsage)
		wg.Wait()
		for i, h := range all {
			require.Equal(t, 20+i%7, h.tokens)
			require.Equal(t, engine.FinishLength, h.finish)
		}
		synctest.Wait()
		load = r.engine.Load()
		assert.Equal(t, engine.Load{State: engine.Ready, Generation: 1}, load, "nothing is left")
		r.down()
	})
}

func TestCancelFreesWithinOneStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxSequences = 1 }).up()
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		gone := r.ask(ctx, &wg, request("gone", 512, 1000))
		next := r.ask(t.Context(), &wg, request("next", 16, 1))
		waitingCtx, cancelWaiting := context.WithCancel(t.Context())
		waiting := r.ask(waitingCtx, &wg, request("waiting", 16, 1))
		time.Sleep(100 * time.Millisecond)
		cancel()
		cancelWaiting()
		at := r.clock.Now()
		wg.Wait()
		assert.True(t, gone.closed)
		assert.Nil(t, gone.err, "no terminal chunk for a caller who left")
		assert.Empty(t, gone.finish)
		assert.Positive(t, gone.tokens)
		assert.True(t, waiting.closed)
		assert.Zero(t, waiting.tokens)
		assert.Less(t, next.times[0].Sub(at), 20*time.Millisecond, "the slot was free at the end of the step")
		r.down()
	})
}

// A reader that never reads keeps its slot until its context ends, and nothing else.
func TestUnreadAnswerIsFreedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		ctx, cancel := context.WithCancel(t.Context())
		s, err := r.engine.Generate(ctx, request("unread", 16, 1000))
		require.NoError(t, err)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 1, r.engine.Load().Running)
		assert.Len(t, s.C, streamRoom)
		cancel()
		synctest.Wait()
		assert.Equal(t, 0, r.engine.Load().Running)
		r.down()
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxWaiting = 2; c.MaxSequences = 1 })
		synctest.Wait()
		_, err := r.engine.Generate(t.Context(), request("early", 10, 10))
		assert.Equal(t, engine.ReasonLoading, reasonOf(t, err))
		r.up()
		_, err = r.engine.Generate(t.Context(), request("long", 131_000, 100))
		assert.Equal(t, engine.ReasonTooLong, reasonOf(t, err))
		assert.False(t, engine.AsError(err).Retryable())
		var wg sync.WaitGroup
		r.ask(t.Context(), &wg, request("1", 10, 10))
		time.Sleep(time.Millisecond)
		r.ask(t.Context(), &wg, request("2", 10, 10))
		r.ask(t.Context(), &wg, request("3", 10, 10))
		_, err = r.engine.Generate(t.Context(), request("4", 10, 10))
		assert.Equal(t, engine.ReasonOverloaded, reasonOf(t, err))
		wg.Wait()
		r.down()
		_, err = r.engine.Generate(t.Context(), request("late", 10, 10))
		assert.Equal(t, engine.ReasonDead, reasonOf(t, err))
	})
}

func TestResumeContinuesAndPaysForWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		var wg sync.WaitGroup
		req := request("a", 512, 100)
		key := synth.AnswerKey(req.Model, req.Prompt, 0)
		req.ResumeAt, req.Sent = 90, key.Text(0, 90)
		start := r.clock.Now()
		h := r.ask(t.Context(), &wg, req)
		wg.Wait()
		assert.Equal(t, key.Text(90, 100), h.text)
		var b gpu.Batch
		b.Add(602, 0, true)
		assert.Equal(t, gpu.TimingOf(llamaOnH100(t)).Step(b), h.times[0].Sub(start))

		req.ResumeAt, req.Sent = 100, key.Text(0, 100)
		h = r.ask(t.Context(), &wg, req)
		wg.Wait()
		assert.Equal(t, engine.FinishLength, h.finish)
		assert.Zero(t, h.tokens)
		r.down()
	})
}

func TestRestartBreaksStreamsAndLoadsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		var wg sync.WaitGroup
		h := r.ask(t.Context(), &wg, request("a", 512, 1000))
		time.Sleep(100 * time.Millisecond)
		r.engine.Restart()
		_, err := r.engine.Generate(t.Context(), request("b", 1, 1))
		assert.Contains(t, []engine.Reason{engine.ReasonDead, engine.ReasonLoading}, reasonOf(t, err), "refused from this instant")
		killed := r.clock.Now()
		wg.Wait()
		assert.Equal(t, killed, r.clock.Now(), "streams break at once, not at the end of the step")
		require.NotNil(t, h.err)
		assert.Equal(t, engine.ReasonDead, h.err.Reason)
		assert.False(t, h.err.Killed, "somebody else killed the engine")
		synctest.Wait()
		assert.Equal(t, engine.Loading, r.engine.Load().State)
		r.engine.Restart() // again while it loads: the load starts anew
		time.Sleep(7999 * time.Millisecond)
		assert.Equal(t, engine.Loading, r.engine.Load().State)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, engine.Ready, r.engine.Load().State)
		assert.EqualValues(t, 3, r.engine.Load().Generation)
		again := r.ask(t.Context(), &wg, request("a", 512, 10))
		wg.Wait()
		assert.Equal(t, 10, again.tokens)
		r.down()
		assert.Equal(t, []event.Kind{
			event.EngineLoading, event.EngineReady, event.EngineDied, event.EngineLoading, event.EngineDied,
			event.EngineLoading, event.EngineReady, event.EngineDied,
		}, r.kinds())
	})
}

func TestShutdownBreaksEveryStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxSequences = 4 }).up()
		var wg sync.WaitGroup
		var all []*heard
		for i := range 10 {
			all = append(all, r.ask(t.Context(), &wg, request(fmt.Sprint(i), 100, 1000)))
		}
		time.Sleep(100 * time.Millisecond)
		r.down()
		wg.Wait()
		for _, h := range all {
			require.NotNil(t, h.err)
			assert.Equal(t, engine.ReasonDead, h.err.Reason)
			assert.False(t, h.err.Killed)
		}
	})
}

// A caller who left hears nothing more, not even that the engine died before it noticed.
func TestDeathSaysNothingToThoseWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		h := r.ask(ctx, &wg, request("a", 512, 1000))
		time.Sleep(100 * time.Millisecond)
		cancel()
		synctest.Wait()
		r.engine.Restart()
		wg.Wait()
		assert.True(t, h.closed)
		assert.Nil(t, h.err)
		r.down()
	})
}

// lateWaiter is punctual but for one wait, which it oversleeps.
type lateWaiter struct {
	at   int
	by   time.Duration
	seen int
}

func (w *lateWaiter) Until(t time.Time, stop <-chan struct{}) bool {
	w.seen++
	d := time.Until(t)
	if w.seen == w.at {
		d += w.by
	}
	time.Sleep(max(0, d))
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

func TestLatenessIsMadeGoodAndCounted(t *testing.T) {
	for _, c := range []struct {
		by    time.Duration
		drift bool // the schedule is set anew: the loss stays
	}{{100 * time.Millisecond, false}, {2 * time.Second, true}} {
		synctest.Test(t, func(t *testing.T) {
			end := func(by time.Duration) (took time.Duration, p99 float64, burst int) {
				r := newRig(t, nil)
				r.stop()
				<-r.done
				e, err := New(r.engine.cfg, Deps{Device: r.device, Events: r.log, Clock: r.clock, Waiter: &lateWaiter{at: 10, by: by}})
				require.NoError(t, err)
				r.engine = e
				ctx, stop := context.WithCancel(t.Context())
				var run sync.WaitGroup
				run.Go(func() { _ = e.Run(ctx) })
				r.up()
				start := r.clock.Now()
				var wg sync.WaitGroup
				h := r.ask(t.Context(), &wg, request("a", 16, 600))
				wg.Wait()
				late := Summarise(Collect(r.clock.Now(), e.Steps())).LateP99
				stop()
				run.Wait()
				for i, at := range h.times[1:] {
					if at == h.times[i] {
						burst++
					}
				}
				return h.times[599].Sub(start), late, burst
			}
			punctual, _, burst := end(0)
			assert.Zero(t, burst)
			late, p99, burst := end(c.by)
			if c.drift { // one late step of 600, which no p99 shows
				assert.Greater(t, late, punctual+time.Second)
				assert.Zero(t, burst, "no catching up")
			} else {
				assert.Equal(t, punctual, late, "the last token is in time again")
				assert.Positive(t, burst)
				assert.GreaterOrEqual(t, p99, c.by.Seconds()*0.5, "steps are late until the loss is made good")
			}
		})
	}
}

func TestConfigNamesEveryProblem(t *testing.T) {
	err := Config{TokenBudget: 10, MaxWaiting: -1, MemoryUtilisation: 2, Reload: -1}.Validate()
	for _, word := range []string{"ID", "token_budget is 10", "max_waiting is -1", "memory_utilisation is 2", "reload is"} {
		assert.ErrorContains(t, err, word)
	}
}
