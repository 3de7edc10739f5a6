package pace

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTimersWaitInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		assert.True(t, Timers{}.Until(start.Add(3*time.Hour), nil))
		assert.Equal(t, 3*time.Hour, time.Since(start))

		stop := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(stop) })
		assert.False(t, Timers{}.Until(time.Now().Add(time.Hour), stop))
		assert.Equal(t, 3*time.Hour+time.Minute, time.Since(start))
	})
}

func TestWaiterContract(t *testing.T) {
	for name, w := range map[string]Waiter{"timers": Timers{}, "system": New()} {
		t.Run(name, func(t *testing.T) {
			past := time.Now().Add(-time.Hour)
			assert.True(t, w.Until(past, nil), "the past is now")
			at := time.Now().Add(20 * time.Millisecond)
			assert.True(t, w.Until(at, nil))
			assert.False(t, time.Now().Before(at), "never early")
			stop := make(chan struct{})
			close(stop)
			assert.False(t, w.Until(past, stop), "stopped wins")
			assert.False(t, w.Until(time.Now().Add(time.Hour), stop))
		})
	}
}
