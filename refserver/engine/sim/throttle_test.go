package sim

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
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// gaps asks for one answer and measures the time between its tokens.
func gaps(t *testing.T, r *rig, id string, tokens int) (out []time.Duration) {
	t.Helper()
	s, err := r.engine.Generate(t.Context(), request(id, 16, tokens))
	require.NoError(t, err)
	var last time.Time
	for c := range s.C {
		if c.Tokens == 0 {
			continue
		}
		if !last.IsZero() {
			out = append(out, time.Since(last))
		}
		last = time.Now()
	}
	return out
}

func mean(all []time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, d := range all {
		sum += d
	}
	return sum / time.Duration(len(all))
}

func TestThrottledEngineIsSlowAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil).up()
		defer r.down()
		healthy := mean(gaps(t, r, "a", 30))
		assert.InDelta(t, 1, r.device.State(r.clock.Now()).StepRatio, 0.01)

		_, _, err := r.device.Throttle(r.clock.Now(), admin.ThrottleRequest{ID: "x", Factor: 8, TTL: time.Minute})
		require.NoError(t, err)
		assert.InDelta(t, 1, r.device.State(r.clock.Now()).StepRatio, 0.01, "a setting is not a measurement")
		slow := mean(gaps(t, r, "b", 30))
		assert.InEpsilon(t, 8, slow.Seconds()/healthy.Seconds(), 0.01)
		assert.InEpsilon(t, 8, r.device.State(r.clock.Now()).StepRatio, 0.01)

		_, was := r.device.Unthrottle(r.clock.Now(), "x")
		require.True(t, was)
		again := mean(gaps(t, r, "c", 30))
		assert.InEpsilon(t, healthy.Seconds(), again.Seconds(), 0.01)
		assert.InDelta(t, 1, r.device.State(r.clock.Now()).StepRatio, 0.01)
	})
}

// The measurement is of the clock, so that slowness that no throttle explains shows as well: here the
// waiter oversleeps.
func TestStepRatioIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec, model := llamaOnH100(t)
		r := &rig{t: t, clock: event.NewClock()}
		r.device = gpu.NewDevice(gpu.DeviceConfig{ID: "n1/g0", Spec: spec}, r.clock.Now())
		e, err := New(Config{ID: "e", Model: model}, Deps{Device: r.device, Events: event.NewLog(r.clock, 100), Clock: r.clock, Waiter: drowsy{}})
		require.NoError(t, err)
		r.engine = e
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = e.Run(ctx) })
		defer wg.Wait()
		defer stop()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		gaps(t, r, "a", 30)
		assert.Greater(t, r.device.State(r.clock.Now()).StepRatio, 5.0)
	})
}

// drowsy sleeps until half a second after the time asked for: more than the schedule makes good.
type drowsy struct{}

func (drowsy) Until(at time.Time, stop <-chan struct{}) bool {
	timer := time.NewTimer(time.Until(at) + 500*time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}
