package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
)

func TestKilledNodeStaysDownUntilRevived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{Reload: 5 * time.Second})
		defer end()
		time.Sleep(time.Second)
		s, err := c.Replicas()[2].Engine.Generate(t.Context(), engine.Request{Model: "llama-3.1-8b", PromptTokens: 100, MaxTokens: 1000, IgnoreEOS: true})
		require.NoError(t, err)
		<-s.C

		out, err := c.Kill("n2", admin.KillRequest{ID: "f", TTL: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, "f", out.ID)
		var last engine.Chunk
		for chunk := range s.C {
			last = chunk
		}
		require.NotNil(t, last.Err, "its streams break at once")
		assert.Equal(t, engine.ReasonDead, last.Err.Reason)
		assert.False(t, last.Err.Killed, "no request is to blame")
		for _, g := range []string{"g0", "g1"} {
			synctest.Wait()
			require.NotNil(t, find(log, event.EngineDied, "n2/"+g+"/llama-3.1-8b"))
			_, err = c.Probe("n2", g, admin.ProbeRequest{})
			require.ErrorIs(t, err, ErrNodeDown)
			_, err = c.Restart("n2", g)
			require.ErrorIs(t, err, ErrNodeDown)
			_, err = c.Hold("n2", g, admin.HoldRequest{ID: "hog", Share: 0.5, TTL: time.Minute})
			require.ErrorIs(t, err, ErrNodeDown)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		state := c.State()
		assert.Equal(t, admin.NodeDown, state[1].State)
		assert.Len(t, state[1].Outages, 1)
		assert.Equal(t, string(engine.Dead), state[1].Replicas[0].State, "it does not come back by itself")
		assert.Equal(t, string(engine.Ready), state[0].Replicas[0].State, "the others live")
		assert.Equal(t, admin.NodeUp, state[0].State)

		gone, err := c.Revive("n2", "f")
		require.NoError(t, err)
		assert.True(t, gone.Gone)
		synctest.Wait()
		assert.Equal(t, string(engine.Loading), c.State()[1].Replicas[1].State)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, string(engine.Ready), c.State()[1].Replicas[1].State)
		assert.EqualValues(t, 2, c.State()[1].Replicas[1].Generation)
		again, err := c.Revive("n2", "f")
		require.NoError(t, err)
		assert.True(t, again.Gone, "idempotent")
		require.NotNil(t, find(log, event.NodePermitted, "n2"))
	})
}

func TestOutageExpiresByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{Reload: time.Second})
		defer end()
		time.Sleep(time.Second)
		r := admin.KillRequest{ID: "f", TTL: 2 * time.Second}
		_, err := c.Kill("n1", r)
		require.NoError(t, err)
		time.Sleep(1900 * time.Millisecond)
		_, err = c.Kill("n1", r) // renewed
		require.NoError(t, err)
		time.Sleep(1990 * time.Millisecond)
		assert.Nil(t, find(log, event.NodePermitted, "n1"))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		permitted := find(log, event.NodePermitted, "n1")
		require.NotNil(t, permitted)
		assert.Equal(t, "expired", permitted.Reason)
		assert.Equal(t, string(engine.Ready), c.State()[0].Replicas[0].State)
	})
}

// Two orders: the node stays down until both have ended. And a stop ends what is down, too.
func TestTwoOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, end := start(t, Config{Reload: time.Second})
		time.Sleep(time.Second)
		for _, id := range []string{"a", "b"} {
			_, err := c.Kill("n3", admin.KillRequest{ID: id, TTL: time.Hour})
			require.NoError(t, err)
		}
		_, err := c.Revive("n3", "a")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		assert.Equal(t, string(engine.Dead), c.State()[2].Replicas[0].State)
		end()
	})
}

func TestBadKills(t *testing.T) {
	c, err := New(Config{}, Deps{Events: event.NewLog(event.NewClock(), 10), Clock: event.NewClock()})
	require.NoError(t, err)
	_, err = c.Kill("n9", admin.KillRequest{ID: "x", TTL: time.Second})
	require.ErrorIs(t, err, ErrNoNode)
	require.ErrorContains(t, err, `"n9"; nodes are n1 to n3`)
	_, err = c.Kill("n1", admin.KillRequest{})
	require.ErrorIs(t, err, ErrBadRequest)
	require.ErrorContains(t, err, "id must")
	require.ErrorContains(t, err, "ttl_ns is 0")
	_, err = c.Revive("n9", "x")
	require.ErrorIs(t, err, ErrNoNode)
	for i := range maxOutages {
		_, err = c.Kill("n1", admin.KillRequest{ID: string(rune('a' + i)), TTL: time.Hour})
		require.NoError(t, err)
	}
	_, err = c.Kill("n1", admin.KillRequest{ID: "one more", TTL: time.Hour})
	require.ErrorIs(t, err, ErrBadRequest)
}
