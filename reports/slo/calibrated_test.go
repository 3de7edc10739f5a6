package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/reports/record"
)

// What a client may be wrong by depends on the tightest limit that its error could spoil.
func TestErrorLimits(t *testing.T) {
	const ms = time.Millisecond
	for name, row := range map[string]struct {
		limits    Limits
		gates     []Gate
		own       time.Duration
		ttft, gap time.Duration
	}{
		"no limit":             {ttft: 20 * ms, gap: 20 * ms},
		"wide ones":            {limits: Limits{TTFT: time.Second, Gap: time.Second}, ttft: 20 * ms, gap: 20 * ms},
		"tight ones":           {limits: Limits{TTFT: 20 * ms, Gap: 100 * ms}, ttft: 2 * ms, gap: 10 * ms},
		"tpot is an average":   {limits: Limits{TPOT: 10 * ms}, ttft: 20 * ms, gap: 20 * ms},
		"a tighter gate":       {limits: Limits{TTFT: time.Second}, gates: []Gate{{Metric: "ttft", Op: "<=", Value: 0.05}}, ttft: 5 * ms, gap: 20 * ms},
		"a gate alone":         {gates: []Gate{{Metric: "itl", Op: "<=", Value: 0.03}}, ttft: 20 * ms, gap: 3 * ms},
		"a wider gate":         {limits: Limits{TTFT: 50 * ms}, gates: []Gate{{Metric: "ttft", Op: "<=", Value: 3}}, ttft: 5 * ms, gap: 20 * ms},
		"not an upper limit":   {gates: []Gate{{Metric: "ttft", Op: ">=", Value: 0.001}}, ttft: 20 * ms, gap: 20 * ms},
		"another metric":       {gates: []Gate{{Metric: "e2e", Op: "<=", Value: 0.001}}, ttft: 20 * ms, gap: 20 * ms},
		"of one's own, lower":  {own: ms, ttft: ms, gap: ms},
		"of one's own, higher": {own: time.Second, limits: Limits{TTFT: time.Second}, ttft: 100 * ms, gap: time.Second},
	} {
		s := Spec{Limits: row.limits, Gates: row.gates}
		s.Guards.TTFTErrorP99, s.Guards.GapErrorP99 = row.own, row.own
		s = s.WithDefaults()
		ttft, gap := s.ErrorLimits()
		assert.Equal(t, row.ttft, ttft, name)
		assert.Equal(t, row.gap, gap, name)
	}
}

func TestGuardsOfTheCalibration(t *testing.T) {
	s := DefaultSpec()
	assert.Empty(t, s.calibrated(nil), "nobody asked for one")
	assert.Empty(t, s.calibrated(&record.Calibration{Failed: "no loopback"}), "a problem of the run, not numbers of zero")

	got := s.calibrated(&record.Calibration{TTFTError: record.Spread{P99: 0.0003}, GapError: record.Spread{P99: 0.0002}, Headroom: 14.2})
	assert.Len(t, got, 3)
	for _, g := range got {
		assert.False(t, g.Tripped, g.Name)
	}
	closed := s.calibrated(&record.Calibration{TTFTError: record.Spread{P99: 0.030}, ChunksPerSecond: 9})
	assert.Len(t, closed, 2, "nobody knows what a closed loop asks for")
	assert.True(t, closed[0].Tripped, "the errors count")
	starved := s.calibrated(&record.Calibration{Asked: 5})
	assert.True(t, starved[2].Tripped, "negative control: nothing of what is asked for can be read")
	low := s.calibrated(&record.Calibration{Headroom: 1.25})[2]
	assert.True(t, low.Tripped)
	assert.Equal(t, "The load generator can read 1.25 times the chunks that the plan asks for, and below 2 times the numbers cannot be trusted; lower the rate or give it more cores.", low.text())
}
