package saturate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/reports/slo"
)

func TestConduct(t *testing.T) {
	shown := 0
	j := Job{Spec: builtIn(t, "steady"), Search: bounds(), Shape: ShapeOf(15 * time.Second), Show: func(saturation.Probe) { shown++ }}
	var asked []float64
	f, err := j.conduct(t.Context(), func(_ context.Context, rate float64, n int, _ *saturation.File) (saturation.Probe, error) {
		assert.Equal(t, len(asked), n)
		asked = append(asked, rate)
		if n == 0 {
			return saturation.Probe{Asked: rate, Rate: rate * 0.9, Verdict: slo.Unknown, Word: "client-limited"}, nil
		}
		p := saturation.Probe{Asked: rate, Rate: rate, Verdict: slo.Pass}
		if rate > 100 {
			p.Verdict = slo.Fail
		}
		return p, nil
	})
	require.NoError(t, err)
	assert.Equal(t, "found", f.Status)
	assert.InEpsilon(t, 100, f.Best, 0.05)
	assert.Len(t, f.Probes, shown)
	assert.InDelta(t, asked[0], asked[1], 1e-9, "the rate that was asked for is repeated, not the one that was drawn")
	assert.Contains(t, f.Summary[0], "512/64 tokens inside ttft ≤ 1s")
	assert.InDelta(t, 0.95, f.Confidence, 1e-9)
}

// What was found before an end from outside is kept, and not called found.
func TestConductInterrupted(t *testing.T) {
	j := Job{Spec: builtIn(t, "steady"), Search: bounds(), Show: func(saturation.Probe) {}}
	stop := errors.New("stopped")
	f, err := j.conduct(t.Context(), func(_ context.Context, rate float64, n int, _ *saturation.File) (saturation.Probe, error) {
		if n == 3 {
			return saturation.Probe{}, stop
		}
		return saturation.Probe{Asked: rate, Rate: rate, Verdict: slo.Pass}, nil
	})
	require.ErrorIs(t, err, stop)
	assert.Equal(t, "at-least", f.Status)
	assert.InDelta(t, 40, f.Low, 1e-9)
	assert.Contains(t, f.Summary[1], "stopped")
	assert.Len(t, f.Probes, 3)
}
