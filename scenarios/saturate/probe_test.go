package saturate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/library"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

func builtIn(t *testing.T, name string, set ...string) *spec.Spec {
	t.Helper()
	data, ok := library.Read(name)
	require.True(t, ok)
	s, err := spec.Parse(name+".yaml (built-in)", data, set)
	require.NoError(t, err)
	return s
}

func TestDerive(t *testing.T) {
	for _, e := range library.List() {
		base := builtIn(t, e.Name)
		s, err := Derive(base, 99.5, 3, ShapeOf(10*time.Second))
		require.NoError(t, err, e.Name)
		assert.InDelta(t, 99.5, s.Load.Arrivals.Rate, 1e-9)
		assert.Empty(t, s.Faults)
		assert.Equal(t, []slo.Phase{{Name: "warmup", For: 5 * time.Second, Quiet: true}, {Name: "probe", At: 5 * time.Second, For: 10 * time.Second}}, s.Phases)
		assert.Equal(t, base.Seed+3, s.Load.Seed, "every probe has draws of its own")
		assert.Equal(t, base.SLO.Limits, s.SLO.Limits)
		assert.NotEqual(t, base.Digest, s.Digest)
		again, err := spec.Parse("again", s.Effective, nil)
		require.NoError(t, err, "what is written down is what ran")
		assert.Equal(t, s.Digest, again.Digest)
		goodput := 0
		for _, g := range s.SLO.Gates {
			assert.Equal(t, "probe", g.Scope)
			if g.Metric == "goodput" {
				goodput++
			}
		}
		assert.NotZero(t, goodput, e.Name)
	}
	share := builtIn(t, "steady", "load.arrivals.rate=60%")
	s, err := Derive(share, 12, 0, ShapeOf(3*time.Second))
	require.NoError(t, err)
	assert.False(t, s.Unresolved())
	assert.Equal(t, 3*time.Second, s.Phases[0].For)
}

// A probe keeps the shape of the load, but not what changes its rate.
func TestDeriveKeepsTheProcess(t *testing.T) {
	for _, arrivals := range []string{"{process: gamma, rate: 10/s, cv: 2}", "{process: onoff, rate: 10/s, on: 2s, off: 1500ms}"} {
		base := builtIn(t, "steady", "load.arrivals="+arrivals)
		s, err := Derive(base, 33, 0, ShapeOf(3*time.Second))
		require.NoError(t, err)
		want := base.Load.Arrivals
		want.Rate = 33
		assert.Equal(t, want, s.Load.Arrivals)
	}
	ramp := builtIn(t, "steady", "load.arrivals={rate: 10/s, stages: [{for: 5s, to: 50/s}]}")
	s, err := Derive(ramp, 33, 0, ShapeOf(3*time.Second))
	require.NoError(t, err)
	assert.Empty(t, s.Load.Arrivals.Stages)
	_, err = Derive(builtIn(t, "steady", "load.arrivals={process: closed, concurrency: 4}"), 33, 0, ShapeOf(3*time.Second))
	require.ErrorContains(t, err, "no rate to search over")
}

func TestDeriveLeavesGatesOfClassesOut(t *testing.T) {
	base := builtIn(t, "steady", "load.mix=[{class: a, weight: 1}, {class: b, weight: 1}]",
		"slo.classes={a: {limits: {ttft: 2s}, gates: {steady: [goodput >= 50%]}}}")
	s, err := Derive(base, 33, 0, ShapeOf(3*time.Second))
	require.NoError(t, err)
	assert.Equal(t, base.SLO.Classes, s.SLO.Classes)
	for _, g := range s.SLO.Gates {
		assert.Empty(t, g.Class)
	}
}

// Gates of a phase with a fault say nothing of undisturbed service.
func TestGatesOfUndisturbedService(t *testing.T) {
	base := builtIn(t, "gpu-oom", "slo.gates={before: [availability >= 99.9%], fault: [p99 ttft <= 9s], after: [p99 ttft <= 8s], run: [count corrupt == 0], recovery: [ttr <= 5s]}")
	assert.Equal(t, []string{"availability >= 99.9%", "count corrupt == 0", "goodput >= 99%"}, gates(base))
}

// at is a time of the plan; zero would be "never".
func at(seconds float64) event.Time { return event.Time((1000 + seconds) * 1e9) }

func TestTrend(t *testing.T) {
	steady, growing := []record.Record{}, []record.Record{}
	for i := range 300 {
		due := float64(i) / 20 // 20/s for 15 s
		steady = append(steady, answer(at(due), at(due+0.1), at(due+0.5)))
		late := due * 0.2 // each 50 ms of arrivals take 60 ms: five in six are served
		growing = append(growing, answer(at(due), at(due+0.1+late), at(due+0.5+late)))
	}
	limits := slo.Limits{TTFT: 5 * time.Second}
	s := trendOf(steady, at(0), 3*time.Second, 12*time.Second)
	assert.Equal(t, 240, s.Due)
	assert.InDelta(t, 0, s.PiledUp, 1)
	assert.InDelta(t, 0.1, s.Last, 1e-9)
	assert.Empty(t, grows(s, limits, true))
	g := trendOf(growing, at(0), 3*time.Second, 12*time.Second)
	assert.InDelta(t, 240./6, g.PiledUp, 1, "a sixth of what came is still there")
	assert.Contains(t, grows(g, limits, true), "piled up")
	assert.Greater(t, g.Last, 2*g.First)
	assert.Zero(t, trendOf(nil, at(0), 0, time.Second))

	g.PiledUp = 0
	assert.Contains(t, grows(g, limits, true), "median ttft grew")
	assert.Contains(t, grows(g, limits, false), "median e2e grew")
	assert.Empty(t, grows(g, slo.Limits{TTFT: time.Minute}, true), "less than a tenth of the limit is no trouble")
}

func TestJudge(t *testing.T) {
	gate := func(v slo.Verdict, got float64) slo.GateResult {
		return slo.GateResult{Gate: slo.Gate{Metric: "ttft", P: 99, Op: "<=", Value: 0.5, Text: "p99 ttft <= 500ms"}, Verdict: v, Got: got}
	}
	for _, tc := range []struct {
		name    string
		j       slo.Judgement
		trend   saturation.Trend
		verdict slo.Verdict
		why     string
	}{
		{"all is well", slo.Judgement{Gates: []slo.GateResult{gate(slo.Pass, 0.1)}}, saturation.Trend{}, slo.Pass, ""},
		{"a gate fails", slo.Judgement{Gates: []slo.GateResult{gate(slo.Fail, 0.7)}, Reasons: []slo.Reason{{Word: "gate"}}}, saturation.Trend{}, slo.Fail, "0.7 s"},
		{"too few samples, inside", slo.Judgement{Gates: []slo.GateResult{gate(slo.Unknown, 0.4)}, Reasons: []slo.Reason{{Word: "samples"}}}, saturation.Trend{}, slo.Pass, ""},
		{"too few samples, outside", slo.Judgement{Gates: []slo.GateResult{gate(slo.Unknown, 0.6)}, Reasons: []slo.Reason{{Word: "samples"}}}, saturation.Trend{}, slo.Fail, "0.6 s"},
		{"too few samples, failures", slo.Judgement{Gates: []slo.GateResult{gate(slo.Unknown, slo.Infinite)}}, saturation.Trend{}, slo.Fail, "too many failed"},
		{"a guard beats a gate", slo.Judgement{Gates: []slo.GateResult{gate(slo.Fail, 0.7)}, Reasons: []slo.Reason{{Word: "client-limited", Text: "Late."}}}, saturation.Trend{}, slo.Unknown, "Late."},
		{"it grows", slo.Judgement{Gates: []slo.GateResult{gate(slo.Pass, 0.1)}}, saturation.Trend{Due: 100, PiledUp: 50}, slo.Fail, "piled up"},
	} {
		p := judge(100, tc.j, tc.trend, slo.Limits{}, true)
		assert.Equal(t, tc.verdict, p.Verdict, tc.name)
		assert.Contains(t, p.Why, tc.why, tc.name)
	}
}
