package series

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func TestNewFigures(t *testing.T) {
	r := result.Result{Load: result.LoadInfo{Delivered: 40.5}, Judgement: slo.Judgement{
		Run: slo.PhaseResult{For: 10 * time.Second, Due: 400, Good: 300, Availability: 0.9,
			TTFT: slo.Dist{WithFailures: map[string]float64{"p50": 0.1, "p99": slo.Infinite}},
			E2E:  slo.Dist{WithFailures: map[string]float64{"p50": 2}, Completed: map[string]float64{"p50": 1.5, "p99": 9}}},
		Faults: []slo.Recovery{{TTR: new(1.5)}, {}, {TTR: new(0.5)}},
	}}
	assert.Equal(t, Figures{Sent: 40.5, Completed: 36, Good: 30, Lost: 40, TTFTP50: new(0.1), TTFTP99: new(-1.0),
		E2EP50: new(2.0), E2EWhole: new(1.5), TTR: new(1.5)}, newFigures(r))
}

// ttft is a trial that says nothing but its TTFT p99.
func ttft(trusted bool, p99 float64) Trial {
	return Trial{Trusted: trusted, Figures: &Figures{TTFTP99: new(p99)}}
}

func TestBeside(t *testing.T) {
	s := Series{Variants: []Variant{
		{Name: "a", Trials: []Trial{ttft(true, 0.1), ttft(true, 0.3), ttft(false, 9), ttft(true, 0.2)}},
		{Name: "b", Trials: []Trial{ttft(true, 0.4), ttft(true, 0.6)}},
		{Name: "c", Trials: []Trial{ttft(true, -1), ttft(true, 1)}},
		{Name: "d", Trials: []Trial{ttft(false, 0.8)}},
		{Name: "e"},
	}}
	var row Row
	for _, r := range s.Beside() {
		assert.NotEqual(t, "TTR", r.Name, "nobody has one")
		if r.Name == "TTFT p99" {
			row = r
		}
	}
	want := []Cell{{Value: new(0.2)}, {Value: new(0.5), Ratio: new(2.5)}, {Value: new(-1.0)}, {Value: new(0.8), Ratio: new(4.0)}, {}}
	assert.Equal(t, want, row.Values)
	var doubtful []bool
	for i := range s.Variants {
		doubtful = append(doubtful, s.Variants[i].Doubtful())
	}
	assert.Equal(t, []bool{false, false, false, true, false}, doubtful)

	s.Variants = s.Variants[:1]
	assert.Empty(t, s.Beside(), "nothing to compare with")
}

func TestRatioOfNothing(t *testing.T) {
	for _, c := range [][2]*float64{{nil, new(1.0)}, {new(1.0), nil}, {new(1.0), new(0.0)}, {new(-1.0), new(1.0)}, {new(1.0), new(-1.0)}} {
		assert.Nil(t, ratio(c[0], c[1]))
	}
}
