package gpu

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

func TestTelemetryFollowsTheKernels(t *testing.T) {
	s, _ := llamaOnH100(t)
	tel := NewTelemetry(s, t0)
	idle := tel.Read(t0)
	assert.Equal(t, Sample{Celsius: s.IdleCelsius, Watts: s.IdlePower, MHz: s.IdleMHz}, idle)

	now := t0
	work := func(d time.Duration, share float64) {
		for end := now.Add(d); now < end; now = now.Add(10 * time.Millisecond) {
			tel.Ran(now, now.Add(time.Duration(share*float64(10*time.Millisecond))), 1)
		}
	}
	work(time.Minute, 0.5)
	half := tel.Read(now)
	assert.InDelta(t, 0.5, half.Utilisation, 0.03)
	assert.InDelta(t, (s.IdlePower+s.PeakPower)/2, half.Watts, 15)
	assert.Equal(t, s.BoostMHz, half.MHz)

	work(time.Second, 1)
	warm := tel.Read(now)
	assert.Greater(t, warm.Utilisation, 0.97)
	assert.Greater(t, warm.Watts, half.Watts+200, "power follows within a second")
	assert.Less(t, warm.Celsius, half.Celsius+5, "heat does not")
	work(2*time.Minute, 1)
	assert.InDelta(t, s.PeakCelsius, tel.Read(now).Celsius, 1)

	// Nothing is told about the end of the work; time alone cools the device.
	assert.Zero(t, tel.Read(now.Add(2*time.Second)).Utilisation)
	cold := tel.Read(now.Add(5 * time.Minute))
	assert.InDelta(t, s.IdleCelsius, cold.Celsius, 0.5)
	assert.InDelta(t, s.IdlePower, cold.Watts, 0.5)
	assert.Equal(t, s.IdleMHz, cold.MHz)
}

func TestUsageOfOneLongKernel(t *testing.T) {
	var u usage
	u.add(t0, t0.Add(10*time.Second))
	assert.InDelta(t, 1, u.share(t0.Add(10*time.Second)), 0.001)
	assert.InDelta(t, 0.5, u.share(t0.Add(10500*time.Millisecond)), 0.05)
	assert.Zero(t, u.share(t0.Add(12*time.Second)))
}

func TestDeviceStateTellsTheWholeStory(t *testing.T) {
	s, m := llamaOnH100(t)
	d := NewDevice(DeviceConfig{ID: "n1/g0", UUID: "GPU-1", Spec: s}, t0)
	require.NoError(t, d.Alloc(t0, Weights, m.WeightBytes()))
	require.Error(t, d.Alloc(t0, KV, s.Total))
	require.Error(t, d.Claim(t0, s.Total))
	_, _, err := d.Hold(t0, admin.HoldRequest{ID: "hog", Share: 0.5, TTL: time.Second})
	require.NoError(t, err)

	st := d.State(t0)
	assert.Equal(t, "n1/g0", st.ID)
	assert.True(t, st.Simulated)
	assert.EqualValues(t, 2, st.Refused)
	assert.Equal(t, "weights", st.LastRefused.For)
	assert.Equal(t, m.WeightBytes(), st.Ledger["weights"])
	require.Len(t, st.Holdings, 1)
	assert.Equal(t, st.Ledger["foreign"], st.Holdings[0].Bytes)

	assert.False(t, d.Probe(st.Free+1).Granted)
	assert.True(t, d.Probe(st.Free).Granted)
	assert.EqualValues(t, 2, d.State(t0).Refused, "a probe is not the engine's refusal")
	assert.Equal(t, st.Free, d.Free(), "and takes nothing")

	gone, _, ok := d.Tick(t0.Add(time.Second))
	assert.Len(t, gone, 1)
	assert.False(t, ok)
	d.ReleaseAll(t0)
	assert.Equal(t, s.Total, d.Free())
	_, was := d.Unhold(event.Time(1), "hog")
	assert.False(t, was)
}
