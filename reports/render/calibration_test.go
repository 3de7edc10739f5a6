package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func TestCalibrationIsToldWhereThereIsOne(t *testing.T) {
	r := common("steady")
	assert.Contains(t, calibrated(r), "TTFT error p99 310 µs, gap error p99 220 µs, head-room 14.2x.")
	assert.Contains(t, calibratedFact(r), "reads 118,000 chunks/s of 8,320 asked for")

	r.Client.Calibration.Asked, r.Client.Calibration.Headroom = 0, 0 // of a closed loop
	assert.Contains(t, calibrated(r), "gap error p99 220 µs.")
	assert.Contains(t, calibratedFact(r), "; reads 118,000 chunks/s; took")

	r.Client.Calibration = &record.Calibration{Failed: "no loopback"}
	assert.Empty(t, calibrated(r))
	assert.Equal(t, "no: no loopback", calibratedFact(r))

	r.Client.Calibration = nil
	assert.Empty(t, calibratedFact(r))
	var b strings.Builder
	require.NoError(t, Terminal(&b, r, TerminalOptions{}))
	assert.NotContains(t, b.String(), "known stream", "of a file of an older version")
}

func TestInjectorFact(t *testing.T) {
	r := common("steady")
	assert.Equal(t, "with no fault on: not in the path of requests; its process takes 0.2 % of a core; a call of its API takes 210 µs (p50), 600 µs (p99)", injectorFact(r))
	r.Injector = &result.Injector{InPath: true, AddedTTFT: &record.Spread{P50: 0.0001, P99: 0.0004}, AddedGap: &record.Spread{P50: 0.00002, P99: 0.0002}}
	assert.Equal(t, "with no fault on: in the path of requests, adds 100 µs (p50), 400 µs (p99) to a TTFT, 20 µs (p50), 200 µs (p99) to a gap; a call of its API takes 0 s (p50), 0 s (p99)", injectorFact(r))
	r.Injector = nil
	assert.Empty(t, injectorFact(r))
}

// Of head-room, more is better: near and the bar read the other way round.
func TestHeadroomReadsTheOtherWayRound(t *testing.T) {
	g := slo.GuardResult{Name: "client head-room", Got: 14, Limit: 2, Unit: slo.UnitFactor}
	assert.False(t, guardNear(g))
	assert.InDelta(t, 1.0/7, newGuardRow(g).Fill, 1e-9)
	assert.Equal(t, "14x", newGuardRow(g).Measured)
	g.Got = 2.3
	assert.True(t, guardNear(g))
	g.Got, g.Tripped = 1, true
	assert.False(t, guardNear(g))
	assert.InDelta(t, 1, newGuardRow(g).Fill, 0)
}
