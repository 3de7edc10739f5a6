package sim

import (
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
)

func graceful(c *Config) { c.Graceful = true }

// The story of the built-in scenario: a hog, then an ordinary prefill beside a few decodes.
func TestGracefulEngineHalvesItsBudgetAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, graceful).up()
		var wg sync.WaitGroup
		var all []*heard
		for i := range 15 {
			all = append(all, r.ask(t.Context(), &wg, request(fmt.Sprint(i), 512, 400)))
			time.Sleep(30 * time.Millisecond)
		}
		require.Len(t, r.kinds(), 2, "loading, ready: without a hog nothing is refused")
		r.hog(0.995)
		time.Sleep(time.Second)
		require.Len(t, r.kinds(), 2, "decodes fit beside the hog")
		late := r.ask(t.Context(), &wg, request("late", 512, 10))
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()

		oom, ok := r.first(event.OOM)
		require.True(t, ok)
		assert.Equal(t, "n1/g0", oom.Target)
		halved, ok := r.first(event.BudgetHalved)
		require.True(t, ok)
		assert.Equal(t, "n1/g0/llama-3.1-8b", halved.Target)
		assert.Equal(t, "4096", halved.Attrs["token_budget"])
		assert.Equal(t, 256, r.engine.Snapshot().TokenBudget)
		d := r.device.State(r.clock.Now())
		assert.EqualValues(t, 5, d.Refused, "8192 to 256")
		assert.Equal(t, "activations", d.LastRefused.For)
		assert.Greater(t, d.LastRefused.Bytes, d.LastRefused.Free)

		time.Sleep(10 * time.Second)
		assert.Equal(t, 256, r.engine.Snapshot().TokenBudget, "no larger budget would fit, and none is tried")
		assert.EqualValues(t, 5, r.device.State(r.clock.Now()).Refused)
		r.unhog()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, 8192, r.engine.Snapshot().TokenBudget)
		_, ok = r.first(event.BudgetRestored)
		assert.True(t, ok)

		wg.Wait()
		for i, h := range append(all, late) {
			require.Nil(t, h.err, "%d", i)
			require.Equal(t, engine.FinishLength, h.finish)
		}
		r.down()
	})
}

func TestGracefulEngineHandsTheNewestBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, graceful).up()
		var wg sync.WaitGroup
		var all []*heard
		for i := range 100 { // decodes of 112 MB; the hog leaves 48
			all = append(all, r.ask(t.Context(), &wg, request(fmt.Sprint(i), 16, 300)))
		}
		time.Sleep(time.Second)
		r.hog(0.995)
		wg.Wait()
		kept := 0
		for i, h := range all {
			if h.err == nil {
				kept++
				require.Equal(t, 300, h.tokens)
				continue
			}
			require.Equal(t, engine.ReasonMigrate, h.err.Reason)
			require.False(t, h.err.Killed)
			require.True(t, h.err.Retryable())
			require.Equal(t, synth.AnswerKey("llama-3.1-8b", fmt.Sprint(i), 0).Text(0, h.tokens), h.text)
		}
		assert.InDelta(t, 42, kept, 5, "as many as fit stay")
		assert.Nil(t, all[0].err, "the oldest stay")
		migrated, ok := r.first(event.Migrated)
		assert.True(t, ok)
		assert.Equal(t, "oom", migrated.Reason)
		_, ok = r.first(event.BudgetHalved)
		assert.False(t, ok, "a smaller budget does not help decodes, so it is left alone")
		assert.Equal(t, []event.Kind{event.EngineLoading, event.EngineReady}, r.kinds(event.OOM, event.Migrated, event.BudgetHalved, event.BudgetRestored), "it lived")
		r.down()
	})
}

func TestGracefulEngineShrinksItsCacheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, graceful).up()
		full := r.engine.Snapshot().KVBlocks
		r.hog(1)
		var wg sync.WaitGroup
		h := r.ask(t.Context(), &wg, request("a", 512, 64))
		wg.Wait()
		assert.Equal(t, 64, h.tokens)
		_, ok := r.first(event.KVShrunk)
		assert.True(t, ok)
		assert.Less(t, r.engine.Snapshot().KVBlocks, full)
		assert.Greater(t, r.engine.Snapshot().KVBlocks, full*9/10)
		r.unhog()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, full, r.engine.Snapshot().KVBlocks, "grown back, without any request")
		assert.Equal(t, 8192, r.engine.Snapshot().TokenBudget)
		restored, ok := r.first(event.BudgetRestored)
		assert.True(t, ok)
		assert.Equal(t, fmt.Sprint(full), restored.Attrs["kv_blocks"])
		r.down()
	})
}

// When the cache may not shrink either, requests fail one by one and the engine lives.
func TestNoMemoryAtAllFailsTheRequestOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Graceful, c.MinKV = true, 1 }).up()
		r.hog(1)
		var wg sync.WaitGroup
		h := r.ask(t.Context(), &wg, request("a", 512, 64))
		wg.Wait()
		require.NotNil(t, h.err)
		assert.Equal(t, engine.ReasonOOM, h.err.Reason)
		assert.Equal(t, engine.Ready, r.engine.Load().State)
		r.unhog()
		time.Sleep(10 * time.Second)
		h = r.ask(t.Context(), &wg, request("a", 512, 64))
		wg.Wait()
		assert.Nil(t, h.err)
		r.down()
	})
}

func TestPlainEngineDiesOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxSequences = 16 }).up()
		var wg sync.WaitGroup
		var running, waiting []*heard
		for i := range 16 {
			running = append(running, r.ask(t.Context(), &wg, request(fmt.Sprint(i), 512, 400)))
		}
		time.Sleep(2 * time.Second)
		waiting = append(waiting, r.ask(t.Context(), &wg, request("w", 5000, 400)))
		r.hog(0.995)
		time.Sleep(100 * time.Millisecond)
		require.Len(t, r.kinds(), 2, "decodes still fit")
		wg.Wait()
		for _, h := range running {
			if h.err == nil {
				require.Equal(t, 400, h.tokens)
			}
		}
		require.NotNil(t, waiting[0].err, "its prefill was the last straw")
		assert.Equal(t, engine.ReasonDead, waiting[0].err.Reason)
		assert.True(t, waiting[0].err.Killed)
		died, _ := r.first(event.EngineDied)
		assert.Equal(t, "oom", died.Reason)

		// vLLM refuses to start where less than its claim is free.
		time.Sleep(20 * time.Second)
		synctest.Wait()
		assert.NotEqual(t, engine.Ready, r.engine.Load().State)
		_, ok := r.first(event.LoadFailed)
		assert.True(t, ok)
		assert.Equal(t, "weights", r.device.State(r.clock.Now()).LastRefused.For)
		assert.EqualValues(t, 0, r.device.State(r.clock.Now()).Ledger["weights"])
		r.unhog()
		time.Sleep(17 * time.Second) // the rest of a wait, and a load
		synctest.Wait()
		assert.Equal(t, engine.Ready, r.engine.Load().State)
		r.down()
	})
}

func TestDeathTellsWaitingFromRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxSequences = 2 }).up()
		r.hog(0.999)
		var wg sync.WaitGroup
		all := []*heard{r.ask(t.Context(), &wg, request("small", 16, 400))}
		time.Sleep(time.Millisecond) // it fits, and the others come while its step runs
		for i := range 3 {
			all = append(all, r.ask(t.Context(), &wg, request(fmt.Sprint(i), 512, 400)))
		}
		wg.Wait()
		for i, h := range all {
			require.NotNil(t, h.err)
			assert.Equal(t, i < 2, h.err.Killed, "%d", i)
		}
		r.down()
	})
}

func TestGracefulEngineReloadsSmallerUnderAHog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, graceful).up()
		full := r.engine.Snapshot().KVBlocks
		r.hog(0.995)
		r.engine.Restart()
		time.Sleep(8100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, engine.Ready, r.engine.Load().State)
		assert.Less(t, r.engine.Snapshot().KVBlocks, full)
		assert.Greater(t, r.engine.Snapshot().KVBlocks, full*9/10)
		var wg sync.WaitGroup
		h := r.ask(t.Context(), &wg, request("a", 8000, 10))
		wg.Wait()
		assert.Nil(t, h.err, "and leaves room for a full step")
		assert.Zero(t, r.device.State(r.clock.Now()).Refused)
		r.unhog()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, full, r.engine.Snapshot().KVBlocks)
		r.down()
	})
}

// A load that finds less than the smallest useful cache fails, gracefully or not, and is tried again.
func TestLoadFailsWithoutMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, graceful)
		time.Sleep(100 * time.Millisecond) // weights are in, the cache is not
		synctest.Wait()
		r.hog(0.95)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, engine.Dead, r.engine.Load().State)
		assert.Equal(t, []event.Kind{event.EngineLoading, event.LoadFailed}, r.kinds()[:2])
		r.unhog()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		assert.Equal(t, engine.Ready, r.engine.Load().State)
		r.down()
	})
}

// An event for each refusal would drown the timeline: an engine short of memory is refused in every step.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Graceful, c.MinKV = true, 1 }).up()
		r.hog(1)
		var wg sync.WaitGroup
		for i := range 1000 {
			r.ask(t.Context(), &wg, request(fmt.Sprint(i), 512, 64))
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		assert.Greater(t, r.device.State(r.clock.Now()).Refused, int64(900))
		assert.Less(t, len(r.kinds()), 40)
		r.down()
	})
}
