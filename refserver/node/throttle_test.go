package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

func TestThrottleOneDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{})
		defer end()
		time.Sleep(time.Second)
		_, err := c.Throttle("n2", "g1", admin.ThrottleRequest{ID: "t", Factor: 8, TTL: time.Minute})
		require.NoError(t, err)
		begun := find(log, event.ThrottleBegun, "n2/g1")
		require.NotNil(t, begun)
		assert.Equal(t, "control", begun.Source)
		assert.Equal(t, map[string]string{"id": "t", "factor": "8"}, begun.Attrs)
		assert.False(t, begun.Detection(), "the operator's own call is no sign of trouble")
		assert.Len(t, c.State()[1].Devices[1].Throttles, 1)
		assert.Empty(t, c.State()[1].Devices[0].Throttles)

		th, err := c.Unthrottle("n2", "g1", "t")
		require.NoError(t, err)
		assert.True(t, th.Gone)
		ended := find(log, event.ThrottleEnded, "n2/g1")
		require.NotNil(t, ended)
		assert.Equal(t, "asked", ended.Reason)
		th, err = c.Unthrottle("n2", "g1", "t")
		require.NoError(t, err)
		assert.True(t, th.Gone, "idempotent")
	})
}

func TestThrottleExpiresByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log, end := start(t, Config{})
		defer end()
		time.Sleep(time.Second)
		r := admin.ThrottleRequest{ID: "t", Factor: 8, TTL: 3 * time.Second}
		_, err := c.Throttle("n1", "g0", r)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		_, err = c.Throttle("n1", "g0", r) // renewed
		require.NoError(t, err)
		time.Sleep(2990 * time.Millisecond)
		assert.Len(t, c.State()[0].Devices[0].Throttles, 1)
		time.Sleep(20 * time.Millisecond)
		assert.Empty(t, c.State()[0].Devices[0].Throttles)
		ended := find(log, event.ThrottleEnded, "n1/g0")
		require.NotNil(t, ended)
		assert.Equal(t, "expired", ended.Reason)
	})
}

func TestBadThrottles(t *testing.T) {
	c, err := New(Config{}, Deps{Events: event.NewLog(event.NewClock(), 10), Clock: event.NewClock()})
	require.NoError(t, err)
	_, err = c.Throttle("n9", "g0", admin.ThrottleRequest{})
	require.ErrorIs(t, err, ErrNoDevice)
	_, err = c.Throttle("n1", "g0", admin.ThrottleRequest{ID: "x", TTL: time.Second})
	require.ErrorIs(t, err, ErrBadRequest)
	_, err = c.Unthrottle("n1", "g7", "x")
	require.ErrorIs(t, err, ErrNoDevice)
}
