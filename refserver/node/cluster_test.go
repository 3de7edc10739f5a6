package node

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// start runs a cluster in virtual time; the returned function ends it.
func start(t *testing.T, cfg Config) (*Cluster, *event.Log, func()) {
	t.Helper()
	clock := event.NewClock()
	log := event.NewLog(clock, 1000)
	c, err := New(cfg, Deps{Events: log, Clock: clock, Waiter: func() pace.Waiter { return pace.Timers{} }})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return c, log, func() { stop(); wg.Wait() }
}

func find(log *event.Log, kind event.Kind, target string) *event.Event {
	events, _, _ := log.Since(0)
	for _, e := range events {
		if e.Kind == kind && e.Target == target {
			return &e
		}
	}
	return nil
}

func TestClusterOfThreeByTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, end := start(t, Config{})
		replicas := c.Replicas()
		require.Len(t, replicas, 6)
		assert.Equal(t, "n1/g0/llama-3.1-8b", replicas[0].ID)
		assert.Equal(t, "n3", replicas[5].Node)
		assert.Equal(t, "n3/g1", replicas[5].Device)
		time.Sleep(201 * time.Millisecond)
		synctest.Wait()

		state := c.State()
		require.Len(t, state, 3)
		names := map[string]bool{}
		for _, n := range state {
			require.Len(t, n.Devices, 2)
			require.Len(t, n.Replicas, 2)
			for i, d := range n.Devices {
				assert.Equal(t, d.ID+"/llama-3.1-8b", n.Replicas[i].ID)
				assert.Equal(t, string(engine.Ready), n.Replicas[i].State)
				assert.Equal(t, 27942, n.Replicas[i].KVBlocks)
				assert.Equal(t, 8192, n.Replicas[i].Budget)
				assert.EqualValues(t, 1, n.Replicas[i].Generation)
				names[d.UUID] = true
			}
		}
		assert.Len(t, names, 6, "every device has a UUID of its own")

		s, err := replicas[3].Engine.Generate(t.Context(), engine.Request{Model: "llama-3.1-8b", PromptTokens: 100, MaxTokens: 20, IgnoreEOS: true})
		require.NoError(t, err)
		n := 0
		for range s.C {
			n++
		}
		assert.Equal(t, 21, n)
		synctest.Wait()
		assert.EqualValues(t, 20, c.State()[1].Replicas[1].Tokens)
		assert.Positive(t, c.State()[1].Devices[1].Utilisation)
		assert.EqualValues(t, 20, c.Steps().Steps)
		assert.True(t, c.Steps().Known)

		all, minus1 := c.Saturation(512, 64)
		t.Logf("512/64: %.0f requests/s, %.0f without one replica", all, minus1)
		assert.InDelta(t, 240, all, 30)
		assert.InEpsilon(t, all*5/6, minus1, 1e-9)
		end()
		assert.Equal(t, string(engine.Dead), c.State()[0].Replicas[0].State)
	})
}

func TestHoldProbeRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{Graceful: true})
		defer end()
		time.Sleep(time.Second)
		answer, err := c.Probe("n2", "g1", admin.ProbeRequest{})
		require.NoError(t, err)
		assert.True(t, answer.Granted, "without a hog the proof fails")
		assert.EqualValues(t, 1101529088, answer.Bytes)

		h, err := c.Hold("n2", "g1", admin.HoldRequest{ID: "hog", Share: 0.995, TTL: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, h.Target, h.Bytes)
		taken := find(log, event.HoldingTaken, "n2/g1")
		require.NotNil(t, taken)
		assert.Equal(t, "control", taken.Source)
		answer, err = c.Probe("n2", "g1", admin.ProbeRequest{})
		require.NoError(t, err)
		assert.False(t, answer.Granted)
		answer, err = c.Probe("n2", "g1", admin.ProbeRequest{Bytes: 1 << 20})
		require.NoError(t, err)
		assert.True(t, answer.Granted)
		answer, err = c.Probe("n2", "g0", admin.ProbeRequest{})
		require.NoError(t, err)
		assert.True(t, answer.Granted, "the neighbour has its own memory")
		d := c.State()[1].Devices[1]
		assert.Zero(t, d.Refused)
		assert.Equal(t, h.Bytes, d.Ledger["foreign"])

		gone, err := c.Release("n2", "g1", "hog")
		require.NoError(t, err)
		assert.True(t, gone.Gone)
		again, err := c.Release("n2", "g1", "hog")
		require.NoError(t, err)
		assert.True(t, again.Gone, "idempotent")
		released := find(log, event.HoldingReleased, "n2/g1")
		require.NotNil(t, released)
		assert.Equal(t, "asked", released.Reason)
	})
}

func TestHoldRampsAndExpiresByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{})
		defer end()
		time.Sleep(time.Second)
		r := admin.HoldRequest{ID: "hog", Share: 0.5, Ramp: time.Second, TTL: 3 * time.Second}
		h, err := c.Hold("n1", "g0", r)
		require.NoError(t, err)
		assert.Zero(t, h.Bytes)
		held := func() float64 {
			synctest.Wait()
			return float64(c.State()[0].Devices[0].Ledger["foreign"]) / float64(h.Target)
		}
		time.Sleep(500 * time.Millisecond)
		assert.InDelta(t, 0.5, held(), 0.02)
		time.Sleep(510 * time.Millisecond)
		assert.InDelta(t, 1, held(), 1e-9)
		time.Sleep(1500 * time.Millisecond)
		_, err = c.Hold("n1", "g0", r) // renewed half a second before its end
		require.NoError(t, err)
		time.Sleep(2990 * time.Millisecond)
		assert.InDelta(t, 1, held(), 1e-9)
		assert.Nil(t, find(log, event.HoldingReleased, "n1/g0"))
		time.Sleep(20 * time.Millisecond)
		assert.Zero(t, held())
		released := find(log, event.HoldingReleased, "n1/g0")
		require.NotNil(t, released)
		assert.Equal(t, "expired", released.Reason)
	})
}

func TestRestartIsOneReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{Reload: 5 * time.Second})
		defer end()
		time.Sleep(time.Second)
		r, err := c.Restart("n3", "g0")
		require.NoError(t, err)
		assert.Equal(t, "n3/g0/llama-3.1-8b", r.ID)
		assert.NotEqual(t, string(engine.Ready), r.State)
		synctest.Wait()
		assert.NotNil(t, find(log, event.EngineDied, r.ID))
		assert.Equal(t, string(engine.Loading), c.State()[2].Replicas[0].State)
		assert.Equal(t, string(engine.Ready), c.State()[2].Replicas[1].State)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, string(engine.Ready), c.State()[2].Replicas[0].State)
		assert.EqualValues(t, 2, c.State()[2].Replicas[0].Generation)
	})
}

func TestBadCalls(t *testing.T) {
	c, err := New(Config{}, Deps{Events: event.NewLog(event.NewClock(), 10), Clock: event.NewClock()})
	require.NoError(t, err)
	_, err = c.Hold("n9", "g0", admin.HoldRequest{})
	require.ErrorIs(t, err, ErrNoDevice)
	require.ErrorContains(t, err, `"n9/g0"; devices are n1/g0 to n3/g1`)
	_, err = c.Hold("n1", "g0", admin.HoldRequest{ID: "x", TTL: time.Second})
	require.ErrorIs(t, err, ErrBadRequest)
	_, err = c.Release("n1", "g7", "x")
	require.ErrorIs(t, err, ErrNoDevice)
	_, err = c.Probe("", "", admin.ProbeRequest{})
	require.ErrorIs(t, err, ErrNoDevice)
	_, err = c.Probe("n1", "g0", admin.ProbeRequest{Bytes: -1})
	require.ErrorIs(t, err, ErrBadRequest)
	_, err = c.Restart("n1", "")
	require.ErrorIs(t, err, ErrNoDevice)
}

func TestConfigNamesEveryProblem(t *testing.T) {
	_, err := New(Config{Nodes: -1, GPUsPerNode: 99, GPU: "h800", Model: "gpt", TokenBudget: 5}, Deps{})
	for _, word := range []string{"nodes is -1", "gpus_per_node is 99", `gpu "h800"`, `model "gpt"`, "token_budget is 5"} {
		require.ErrorContains(t, err, word)
	}
	_, err = New(Config{MemoryUtilisation: 0.1}, Deps{Clock: event.NewClock()})
	assert.ErrorContains(t, err, "raise the utilisation")
}
