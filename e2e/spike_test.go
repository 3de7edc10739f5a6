package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

func TestScenarioLatencySpike(t *testing.T) {
	a, r := Settled(t, nil, "latency-spike")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	f := onlyFault(t, r)
	assert.NotZero(t, f.Effective, "the fault is proven")
	assert.Contains(t, f.Evidence, "times what the model gives them", "by measured step time")
	assert.NotEmpty(t, f.Gone)
	assert.Contains(t, []slo.RecoveryState{slo.Absorbed, slo.Recovered}, f.State)
	assert.NotZero(t, f.Touched)
	assert.NotZero(t, f.Detected, "the server noticed")
	assert.GreaterOrEqual(t, phase(t, r, "fault").Goodput, 0.99)
	assert.Zero(t, r.Judgement.Run.Outcomes["truncated"]+r.Judgement.Run.Outcomes["corrupt"])
	assert.True(t, seen(r, "replica.slow"), "and said which replica it is")
}

// The control: dealt out in turn, a sixth of the requests meets the slow GPU.
func TestScenarioLatencySpikeWithoutResilience(t *testing.T) {
	a, r := Settled(t, nil, "latency-spike", "--set", "target.refserver.resilience=none")
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	f := onlyFault(t, r)
	assert.NotZero(t, f.Effective, "the fault is proven")
	assert.NotZero(t, f.Impact)
	assert.NotZero(t, f.Late)
	assert.Less(t, phase(t, r, "fault").Goodput, 0.99)
}
