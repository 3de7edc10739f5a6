package gpu

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

func TestThrottleLife(t *testing.T) {
	l := NewThrottles("n1/g0")
	assert.InDelta(t, 1, l.Factor(t0), 0)
	r := admin.ThrottleRequest{ID: "a", Factor: 9, Ramp: 4 * time.Second, TTL: 10 * time.Second}
	th, fresh, err := l.Begin(t0, r)
	require.NoError(t, err)
	assert.True(t, fresh)
	assert.Equal(t, admin.Throttle{ID: "a", Factor: 1, Target: 9, Expires: t0.Add(10 * time.Second)}, th)
	for after, want := range map[time.Duration]float64{0: 1, time.Second: 3, 2 * time.Second: 5, 4 * time.Second: 9, 9 * time.Second: 9, 10 * time.Second: 1} {
		assert.InDelta(t, want, l.Factor(t0.Add(after)), 1e-9, "%v: a ramp, and nothing past its time even before anybody expires it", after)
	}

	again, fresh, err := l.Begin(t0.Add(5*time.Second), admin.ThrottleRequest{ID: "a", Factor: 50, TTL: 10 * time.Second})
	require.NoError(t, err)
	assert.False(t, fresh)
	assert.InDelta(t, 9, again.Factor, 0, "the same id is the same throttle")
	assert.Equal(t, t0.Add(15*time.Second), again.Expires)

	_, _, err = l.Begin(t0, admin.ThrottleRequest{ID: "b", Factor: 2, TTL: 20 * time.Second})
	require.NoError(t, err)
	assert.InDelta(t, 9, l.Factor(t0.Add(5*time.Second)), 0, "a device has one clock: the lowest cap holds")
	at, ok := l.Due()
	assert.True(t, ok)
	assert.Equal(t, t0.Add(15*time.Second), at)
	gone := l.Expire(t0.Add(15 * time.Second))
	require.Len(t, gone, 1)
	assert.Equal(t, "a", gone[0].ID)
	assert.True(t, gone[0].Gone)
	assert.InDelta(t, 2, l.Factor(t0.Add(15*time.Second)), 0)
	_, was := l.End(t0, "b")
	assert.True(t, was)
	th, was = l.End(t0, "b")
	assert.False(t, was)
	assert.True(t, th.Gone, "idempotent")
	_, ok = l.Due()
	assert.False(t, ok)
}

// The draws are fixed numbers, not only equal to each other: a seed must mean the same in every process.
func TestThrottleJitterIsOfItsSeed(t *testing.T) {
	draw := func(device string, seed uint64) (out []float64) {
		l := NewThrottles(device)
		_, _, err := l.Begin(t0, admin.ThrottleRequest{ID: "a", Factor: 5, Jitter: 0.5, Seed: seed, TTL: time.Second})
		require.NoError(t, err)
		for range 1000 {
			out = append(out, l.Factor(t0))
		}
		return out
	}
	one := draw("n1/g0", 7)
	assert.Equal(t, one, draw("n1/g0", 7))
	assert.NotEqual(t, one, draw("n1/g1", 7), "devices draw apart")
	assert.NotEqual(t, one, draw("n1/g0", 8))
	assert.InDeltaSlice(t, []float64{4.4742, 5.3286, 4.2192}, one[:3], 1e-3)
	sum := 0.0
	for _, f := range one {
		assert.GreaterOrEqual(t, f, 3.0)
		assert.LessOrEqual(t, f, 7.0)
		sum += f
	}
	assert.InDelta(t, 5, sum/1000, 0.1)
}

func TestThrottleRequestsAreChecked(t *testing.T) {
	require.NoError(t, ValidateThrottle(admin.ThrottleRequest{ID: "a", Factor: 8, Jitter: 1, Ramp: time.Second, TTL: time.Second}))
	err := ValidateThrottle(admin.ThrottleRequest{ID: strings.Repeat("x", 200), Factor: 1, Jitter: -1, Ramp: -1})
	for _, word := range []string{"id must", "factor is 1", "jitter_share is -1", "ttl_ns is 0", "ramp_ns is -1"} {
		require.ErrorContains(t, err, word)
	}
	l := NewThrottles("d")
	for i := range maxThrottles {
		_, _, err := l.Begin(t0, admin.ThrottleRequest{ID: string(rune('a' + i)), Factor: 2, TTL: 1})
		require.NoError(t, err)
	}
	_, _, err = l.Begin(t0, admin.ThrottleRequest{ID: "z", Factor: 2, TTL: 1})
	require.ErrorContains(t, err, "end one first")
}

func TestStopwatchObserves(t *testing.T) {
	var w Stopwatch
	read := func(now event.Time) (d admin.Device) {
		w.Describe(now, &d)
		return d
	}
	assert.Equal(t, admin.Device{}, read(t0), "no steps, no ratio")
	now := t0
	step := func(actual, nominal time.Duration) {
		now = now.Add(actual)
		w.Step(now, actual, nominal)
	}
	for range 20 {
		step(10*time.Millisecond, 10*time.Millisecond)
	}
	assert.InDelta(t, 1, read(now).StepRatio, 1e-9)
	step(80*time.Millisecond, 10*time.Millisecond)
	assert.InDelta(t, 150.0/80, read(now).StepRatio, 1e-9, "one late step of eight")
	for range 7 {
		step(80*time.Millisecond, 10*time.Millisecond)
	}
	d := read(now)
	assert.InDelta(t, 8, d.StepRatio, 1e-9)
	assert.Equal(t, 8, d.StepsWatched)
	assert.EqualValues(t, 28, d.StepsTotal)
	assert.InDelta(t, 0.2+0.64, d.StepSeconds, 1e-9)
	assert.InDelta(t, 0.28, d.StepModelSeconds, 1e-9)
	idle := read(now.Add(watchedFor))
	assert.Zero(t, idle.StepRatio, "an idle device has none")
	assert.EqualValues(t, 28, idle.StepsTotal)
}

func TestThrottledDeviceShowsInItsSensors(t *testing.T) {
	s, _ := llamaOnH100(t)
	run := func(factor float64) Sample {
		d := NewDevice(DeviceConfig{ID: "n1/g0", Spec: s}, t0)
		if factor > 1 {
			_, fresh, err := d.Throttle(t0, admin.ThrottleRequest{ID: "x", Factor: factor, TTL: time.Hour})
			require.NoError(t, err)
			require.True(t, fresh)
		}
		now := t0
		for range 600 { // work for half of the time, at full speed
			took := d.Stretch(now, 5*time.Millisecond)
			d.Ran(now, now.Add(took), 0)
			d.Timed(now.Add(took), took, 5*time.Millisecond)
			now = now.Add(max(10*time.Millisecond, took))
		}
		return d.telemetry.Read(now)
	}
	healthy, slow := run(1), run(8)
	assert.Equal(t, s.BoostMHz, healthy.MHz)
	assert.Equal(t, max(s.IdleMHz, 248), slow.MHz, "the clock is held down, never below idle")
	assert.Greater(t, slow.Utilisation, healthy.Utilisation+0.3)
	assert.Less(t, slow.Watts, healthy.Watts-100)
	assert.Less(t, slow.Celsius, healthy.Celsius)
	half := run(2)
	assert.Equal(t, s.BoostMHz/2, half.MHz)
}

func TestDeviceThrottleExpires(t *testing.T) {
	s, _ := llamaOnH100(t)
	d := NewDevice(DeviceConfig{ID: "n1/g0", Spec: s}, t0)
	_, _, err := d.Throttle(t0, admin.ThrottleRequest{ID: "x", Factor: 4, TTL: time.Second})
	require.NoError(t, err)
	assert.Equal(t, 40*time.Millisecond, d.Stretch(t0, 10*time.Millisecond))
	require.Len(t, d.State(t0).Throttles, 1)
	gone, at, ok := d.TickThrottles(t0)
	assert.Empty(t, gone)
	assert.True(t, ok)
	assert.Equal(t, t0.Add(time.Second), at)
	gone, _, ok = d.TickThrottles(at)
	assert.Len(t, gone, 1)
	assert.False(t, ok)
	assert.Equal(t, 10*time.Millisecond, d.Stretch(at, 10*time.Millisecond))
	assert.Empty(t, d.State(at).Throttles)
	_, was := d.Unthrottle(at, "x")
	assert.False(t, was)
}
