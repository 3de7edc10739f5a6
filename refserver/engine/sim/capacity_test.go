package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/refserver/gpu"
)

func llamaOnH100(t testing.TB) (gpu.Spec, gpu.Model) {
	t.Helper()
	s, err := gpu.SpecOf("h100-80gb")
	require.NoError(t, err)
	m, err := gpu.ModelOf("llama-3.1-8b")
	require.NoError(t, err)
	return s, m
}

// A slowdown is in every constant: of the capacity, and of each step.
func TestSlowdown(t *testing.T) {
	spec, model := llamaOnH100(t)
	cfg := Config{ID: "r", Model: model}
	slow := cfg
	slow.Slowdown = 2
	assert.InEpsilon(t, Capacity(cfg, spec, 512, 64)/2, Capacity(slow, spec, 512, 64), 0.01)

	device := gpu.NewDevice(gpu.DeviceConfig{ID: "g", UUID: "g", Spec: spec}, 0)
	usual, err := newCore(cfg.withDefaults(), device, nil)
	require.NoError(t, err)
	twice, err := newCore(slow.withDefaults(), device, nil)
	require.NoError(t, err)
	var b gpu.Batch
	b.Add(512, 0, true)
	b.AddDecode(700)
	assert.InEpsilon(t, 2*usual.timing.Step(b).Seconds(), twice.timing.Step(b).Seconds(), 1e-6)
	for _, wrong := range []float64{-1, 0.05, 11} {
		cfg.Slowdown = wrong
		require.ErrorContains(t, cfg.Validate(), "slowdown is")
	}
}

// Six H100 with the 8B model at 512 in, 64 out: in total 220 to 270 requests/s are plausible (NIM's and
// TensorRT-LLM's end-to-end efficiency); longer work is slower, and the study is quick.
func TestCapacity(t *testing.T) {
	spec, model := llamaOnH100(t)
	cfg := Config{ID: "r", Model: model}
	for _, c := range []struct {
		prompt, output int
		low, high      float64 // requests/s of six
	}{
		{512, 64, 210, 270},
		{128, 128, 350, 600},
		{2048, 128, 50, 80},
		{4000, 4000, 0.5, 6},
		{1, 1, 100_000, 140_000},
		{100_000, 1, 0.3, 3},
	} {
		start := time.Now()
		got := 6 * Capacity(cfg, spec, c.prompt, c.output)
		t.Logf("%d/%d: %.1f requests/s on six, studied in %v", c.prompt, c.output, got, time.Since(start).Round(time.Millisecond))
		assert.Greater(t, got, c.low, "%d/%d", c.prompt, c.output)
		assert.Less(t, got, c.high, "%d/%d", c.prompt, c.output)
	}
	assert.Zero(t, Capacity(cfg, spec, 10_000_000, 1), "what does not fit has no rate")
	assert.Zero(t, Capacity(cfg, spec, 0, 64))
}
