package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func TestCISteady(t *testing.T) {
	a, r := Settled(t, nil, "steady")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, slo.Pass, r.Judgement.Verdict)
	assert.Empty(t, r.Judgement.Faults)
	assert.InDelta(t, r.Load.Rate, r.Load.Delivered, 0.1*r.Load.Rate)
	assert.FileExists(t, a.Dir+"/report.html")
}

func TestCIGPUOOM(t *testing.T) {
	a, r := Settled(t, nil, "gpu-oom")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	f := onlyFault(t, r)
	assert.NotZero(t, f.Effective, "the fault is proven")
	assert.Contains(t, f.Evidence, "refused")
	assert.NotEmpty(t, f.Gone)
	assert.Contains(t, []slo.RecoveryState{slo.Absorbed, slo.Recovered}, f.State)
	assert.NotZero(t, f.Touched)
	assert.GreaterOrEqual(t, phase(t, r, "fault").Goodput, 0.99)
	assert.Zero(t, r.Judgement.Run.Outcomes["truncated"]+r.Judgement.Run.Outcomes["corrupt"])
	assert.True(t, seen(r, "gpu.oom"), "the engine met the wall")
	assert.True(t, seen(r, "engine.budget_halved"), "and gave way")
}

// The control: without its protections the same server fails the same gate.
func TestCIGPUOOMWithoutResilience(t *testing.T) {
	a, r := Settled(t, nil, "gpu-oom", "--set", "target.refserver.resilience=none")
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	f := onlyFault(t, r)
	assert.NotZero(t, f.Impact)
	assert.NotZero(t, f.Lost)
	assert.Less(t, phase(t, r, "fault").Goodput, 0.99)
	assert.True(t, seen(r, "engine.died"))
}

func onlyFault(t *testing.T, r result.Result) slo.Recovery {
	t.Helper()
	require.Len(t, r.Judgement.Faults, 1)
	return r.Judgement.Faults[0]
}

func phase(t *testing.T, r result.Result, name string) slo.PhaseResult {
	t.Helper()
	for _, p := range r.Judgement.Phases {
		if p.Name == name {
			return p
		}
	}
	require.Fail(t, "no phase "+name)
	return slo.PhaseResult{}
}

func seen(r result.Result, kind string) bool {
	for _, e := range r.Events {
		if string(e.Kind) == kind {
			return true
		}
	}
	return false
}
