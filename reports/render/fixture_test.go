package render

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// zero is time zero of every fixture.
var zero = event.Time(time.Date(2026, 11, 21, 11, 48, 1, 0, time.UTC).UnixNano())

func after(s float64) event.Time { return zero.Add(time.Duration(s * float64(time.Second))) }

func dist(n, failed int, p50, p99 float64) slo.Dist {
	d := slo.Dist{N: n, Failed: failed, Mean: p50 * 1.1, Max: p99 * 1.6,
		Completed:    map[string]float64{"p50": p50, "p90": p50 * 1.5, "p95": p50 * 1.8, "p99": p99},
		WithFailures: map[string]float64{"p50": p50, "p90": p50 * 1.5, "p95": p50 * 1.9, "p99": p99 * 1.02}}
	if failed > n/100 {
		d.WithFailures["p99"] = slo.Infinite
	}
	return d
}

func phase(name string, at, length, due, lost int, ttft50, ttft99 float64) slo.PhaseResult {
	good := due - lost
	p := slo.PhaseResult{Name: name, At: time.Duration(at) * time.Second, For: time.Duration(length) * time.Second,
		Due: due, Good: good, Goodput: float64(good) / float64(due), Availability: float64(due-lost/2) / float64(due),
		Rate: float64(due) / float64(length), OutputRate: float64(due*64) / float64(length),
		Outcomes: map[string]int{"ok": due - lost/2},
		TTFT:     dist(due, lost/2, ttft50, ttft99), TPOT: dist(due, lost/2, 0.0082, 0.0121), E2E: dist(due, lost/2, 0.61, 0.61+ttft99),
		ITL: dist(due*63, lost/2, 0.0081, 0.0174), Lag: dist(due, 0, 0.00021, 0.0011)}
	if lost > 1 {
		p.Outcomes["reset"] = lost / 4
		p.Outcomes["overloaded"] = lost/2 - lost/4
	}
	return p
}

// common is what the three fixtures share: a minute of load, a fault from 17 to 29 s.
func common(name string) result.Result {
	f := slo.Fault{ID: "f1", Fault: "gpu.oom on gpu=n2/g1 for 12s reserve=95% ramp=3s", Kind: "gpu.oom", Targets: []string{"n2/g1"},
		Planned: 17 * time.Second, Armed: after(17.004), Effective: after(17.061), Cleared: after(29.018),
		Evidence: "an allocation of 1.1 GiB on n2/g1 was refused: 0.05 GiB free of 79.6", Gone: "an allocation of 1.1 GiB on n2/g1 succeeded"}
	r := result.Result{
		Version: result.Version, Run: "20261121T114801-" + name + "-7f3a", Started: time.Date(2026, 11, 21, 11, 48, 1, 0, time.UTC),
		Seconds: 46.3, Tool: "brownout v0.1.0 (4f2c9d1)",
		Scenario: result.Scenario{Name: name, File: "built-in", Question: "One GPU runs out of memory under load. Do users notice, and how fast is it over?",
			Digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Set: []string{"load.rate=130"}, Seed: 42,
			YAML: "name: " + name + "\nload:\n  process: poisson\n  rate: 130\nphases:\n  - warm-up: 5s\n  - before: 12s\n  - fault: 12s\n  - after: 12s\n"},
		Target: result.Target{Kind: "refserver", URL: "http://127.0.0.1:40871", Resilience: "full", Model: "llama-3.1-8b", Replicas: 6, State: map[string]any{"nodes": []any{"n1", "n2"}},
			Tokens: result.TokenSources{Usage: 5319}},
		Load:  result.LoadInfo{Process: "poisson", Rate: 130, Delivered: 129.6, PromptMean: 512, OutputMean: 64, Saturation: 220, Share: 0.591, ShareNMinus1: 0.709},
		Start: zero,
		Spec: slo.Spec{Limits: slo.Limits{TTFT: 500 * time.Millisecond, TPOT: 50 * time.Millisecond, Gap: time.Second, E2E: 5 * time.Second},
			Objective: 0.9, MinBad: 3, Hold: 3 * time.Second, Horizon: 12 * time.Second,
			Phases: []slo.Phase{{Name: "warm-up", For: 5 * time.Second, Quiet: true}, {Name: "before", At: 5 * time.Second, For: 12 * time.Second},
				{Name: "fault", At: 17 * time.Second, For: 12 * time.Second}, {Name: "after", At: 29 * time.Second, For: 12 * time.Second}},
			Guards: slo.Guards{LagP99: 50 * time.Millisecond, DroppedShare: 0.001, TimerLateP99: 10 * time.Millisecond, StepLateP99: 5 * time.Millisecond, StepLateRel: 0.2, MaxOffset: 5 * time.Millisecond}},
		Judgement: slo.Judgement{
			WindowNS: time.Second,
			Faults:   []slo.Recovery{{Fault: f}},
			Guards: []slo.GuardResult{
				{Word: "client-limited", Name: "scheduling lag p99", Got: 0.0011, Limit: 0.05, Unit: "s"},
				{Word: "client-limited", Name: "requests never sent", Got: 0, Limit: 0.001, Unit: "share"},
				{Word: "client-limited", Name: "timer lateness p99", Got: 0.00042, Limit: 0.01, Unit: "s"},
				{Word: "simulator-limited", Name: "engine step lateness p99", Got: 0.00093, Limit: 0.005, Unit: "s"},
				{Word: "clock", Name: "clock error", Got: 0.00006, Limit: 0.005, Unit: "s"},
			},
		},
		Clocks: []result.ClockInfo{{Who: "server", Offset: event.Offset{Clock: "a1b2c3d4e5f6", Shift: 3120 * time.Microsecond, Error: 61 * time.Microsecond}},
			{Who: "load generator", Offset: event.Offset{Clock: "0f9e8d7c6b5a", Shift: -840 * time.Microsecond, Error: 55 * time.Microsecond}}},
		Client:      result.ClientInfo{MaxInFlight: 212, Cores: 0.74, TimerLateP99: 0.00042, ReadsPerChunk: 1.02},
		Simulator:   slo.StepStats{Steps: 28114, LateP50: 0.00011, LateP99: 0.00093, StepP50: 0.0081, Known: true},
		Environment: map[string]string{"cpus": "2", "gomaxprocs": "2", "os": "linux/amd64", "kernel": "6.1.0", "go": "go1.26.8", "memory": "7.8 GiB"},
	}
	for _, e := range []struct {
		at       float64
		step     faults.Step
		evidence string
	}{{17.004, faults.StepArmed, ""}, {17.061, faults.StepEffective, f.Evidence}, {18.2, faults.StepRenewed, ""}, {29.018, faults.StepCleared, f.Gone}} {
		r.Journal = append(r.Journal, faults.Entry{At: after(e.at).Add(3120 * time.Microsecond), Clock: "a1b2c3d4e5f6", Step: e.step, ID: "f1", Fault: f.Fault, Driver: "refserver",
			Layer: faults.LayerGPU, Targets: f.Targets, Run: r.Run, Actor: "brownout run", Reason: "scenario " + name, Seed: 42, Evidence: e.evidence})
	}
	return r
}

// minute makes a minute of seconds; harm says which share of a second's requests is bad and how much slower the others are.
func minute(r *result.Result, harm func(second int) (bad, slow float64)) {
	rnd := rand.New(rand.NewPCG(1, 2))
	j := &r.Judgement
	for s := range 41 {
		bad, slow := harm(s)
		due := 118 + rnd.IntN(25)
		lost := int(math.Round(bad * float64(due)))
		noise := 0.9 + 0.25*rnd.Float64()
		j.Series = append(j.Series, slo.Second{At: s, Due: due, Good: due - lost, Bad: lost, Tokens: 64 * (due - lost),
			TTFTP50: 0.041 * slow * noise, TTFTP99: 0.088 * slow * slow * noise, E2EP50: 0.61 * slow, E2EP99: 0.79 * slow * noise,
			ITLP50: 0.0081 * (1 + (slow-1)/4), ITLP99: 0.0168 * (1 + (slow-1)/3) * noise})
	}
	last := -1.0
	for i := range 401 {
		at := float64(i) / 10
		a, _ := harm(int(at))
		b, _ := harm(int(at) + 1)
		share := a + (b-a)*(at-math.Floor(at))
		sli := 1 - share
		if sli == last {
			continue
		}
		last = sli
		j.Windows = append(j.Windows, slo.Window{At: time.Duration(i) * 100 * time.Millisecond, Due: 130, Bad: int(130 * share), SLI: sli, Out: sli < 0.9})
	}
}

func storm(r *result.Result, from, to float64, n int, kinds ...event.Kind) {
	for i := range n {
		at := from + (to-from)*float64(i)/float64(n)
		e := event.Event{Seq: uint64(len(r.Events) + 1), At: after(at), Source: "router", Kind: kinds[i%len(kinds)], Target: "n2/g1/llama-3.1-8b",
			Request: fmt.Sprintf("req-%06d", 2200+7*i), Reason: "engine_died", Attrs: map[string]string{"to": "n1/g0/llama-3.1-8b", "tokens": fmt.Sprint(i % 64)}}
		r.Events = append(r.Events, e)
	}
}

func one(r *result.Result, at float64, source string, kind event.Kind, reason string) {
	r.Events = append(r.Events, event.Event{Seq: uint64(len(r.Events) + 1), At: after(at), Source: source, Kind: kind, Target: "n2/g1/llama-3.1-8b", Reason: reason})
}

func sorted(r result.Result) result.Result {
	slices.SortStableFunc(r.Events, func(a, b event.Event) int { return cmp.Compare(a.At, b.At) })
	return r
}

// absorbed: the protections work, the verdict is pass.
func absorbed() result.Result {
	r := common("gpu-oom")
	j := &r.Judgement
	j.Verdict = slo.Pass
	j.Phases = []slo.PhaseResult{phase("warm-up", 0, 5, 640, 0, 0.04, 0.086), phase("before", 5, 12, 1561, 1, 0.041, 0.093), phase("fault", 17, 12, 1548, 6, 0.046, 0.212), phase("after", 29, 12, 1570, 0, 0.041, 0.09)}
	j.Run = phase("run", 5, 36, 4679, 7, 0.042, 0.143)
	minute(&r, func(s int) (float64, float64) {
		if s == 17 || s == 18 {
			return 0.022, 1.7
		}
		if s > 18 && s < 29 {
			return 0, 1.12
		}
		return 0, 1
	})
	j.Faults[0].State, j.Faults[0].Detected, j.Faults[0].DetectedBy = slo.Absorbed, after(17.083), "gpu.oom on n2/g1/llama-3.1-8b"
	j.Faults[0].TTD, j.Faults[0].Touched, j.Faults[0].Lost, j.Faults[0].Late, j.Faults[0].Resumed, j.Faults[0].Retried = new(0.022), 1731, 0, 6, 17, 9
	j.Gates = []slo.GateResult{
		{Gate: slo.Gate{Scope: "before", Metric: "goodput", Op: ">=", Value: 0.99, Text: "goodput >= 99%", File: "gpu-oom.yaml", Line: 31}, Verdict: slo.Pass, Got: 0.9994, N: 1561, Why: "1,560 of 1,561 requests were good."},
		{Gate: slo.Gate{Scope: "fault", Metric: "ttft", P: 99, Op: "<=", Value: 0.5, Text: "p99 ttft <= 500ms", File: "gpu-oom.yaml", Line: 34}, Verdict: slo.Pass, Got: 0.216, N: 1548, Why: "99.7 % of 1,548 requests were within 500 ms, at least 99.2 % with 95 % confidence."},
		{Gate: slo.Gate{Scope: "run", Metric: "count", Of: "truncated", Op: "==", Value: 0, Text: "count truncated == 0", File: "gpu-oom.yaml", Line: 37}, Verdict: slo.Pass, Got: 0, N: 4679, Why: "No answer was truncated."},
		{Gate: slo.Gate{Scope: "recovery", Metric: "ttr", Op: "<=", Value: 5, Text: "ttr <= 5s", File: "gpu-oom.yaml", Line: 39}, Verdict: slo.Pass, Missing: true, N: 1, Why: "The fault was absorbed: there was nothing to recover from."},
	}
	one(&r, 17.05, "gpu", event.HoldingTaken, "foreign")
	one(&r, 17.083, "engine", event.OOM, "activation_peak")
	one(&r, 17.084, "engine", event.BudgetHalved, "oom")
	one(&r, 17.086, "engine", event.Preempted, "oom")
	one(&r, 17.3, "router", event.BreakerOpened, "slow_first_token")
	storm(&r, 17.09, 18.3, 26, event.RequestResumed, event.RequestRetried, event.AttemptFailed)
	one(&r, 19.8, "router", event.BreakerHalfOpen, "")
	one(&r, 20.4, "router", event.BreakerClosed, "")
	one(&r, 29.02, "gpu", event.HoldingReleased, "")
	one(&r, 31.2, "engine", event.BudgetRestored, "")
	r.Summary = []string{"PASS: the fault was absorbed. While GPU n2/g1 was out of memory for 12 s, 99.6 % of requests stayed inside every limit.",
		"The system noticed after 22 ms, halved its token budget, resumed 17 streams elsewhere and retried 9 requests; 6 answers were late, none was lost.",
		"TTFT p99 rose from 93 ms to 212 ms and was back at 90 ms afterwards."}
	return sorted(r)
}

// broken: the control group without protections; the verdict is fail.
func broken() result.Result {
	r := common("gpu-oom-none")
	j := &r.Judgement
	r.ExitCode, r.Target.Resilience = 99, "none"
	j.Verdict = slo.Fail
	j.Reasons = []slo.Reason{{Word: "gate", Text: "2 of 4 gates failed."}}
	j.Phases = []slo.PhaseResult{phase("warm-up", 0, 5, 640, 0, 0.04, 0.086), phase("before", 5, 12, 1561, 1, 0.041, 0.093), phase("fault", 17, 12, 1548, 402, 0.058, 1.93), phase("after", 29, 12, 1570, 61, 0.043, 0.61)}
	j.Run = phase("run", 5, 36, 4679, 464, 0.044, 1.21)
	minute(&r, func(s int) (float64, float64) {
		switch {
		case s >= 17 && s < 25:
			return []float64{0.18, 0.41, 0.36, 0.31, 0.28, 0.3, 0.24, 0.11}[s-17], 3.4
		case s >= 25 && s < 29:
			return 0.02, 1.4
		case s == 31 || s == 32:
			return 0.17, 2.1
		}
		return 0, 1
	})
	f := &j.Faults[0]
	f.State, f.Impact, f.Detected, f.Mitigated, f.Recovered = slo.Recovered, after(17.142), after(17.11), after(25.02), after(33.41)
	f.DetectedBy = "engine.died on n2/g1/llama-3.1-8b"
	f.TTD, f.TTM, f.TTR, f.Residual = new(0.049), new(7.878), new(16.268), new(4.392)
	f.OutOfSLO, f.Relapses, f.Touched, f.Lost, f.Late = 9.8, 1, 2214, 231, 233
	j.Gates = []slo.GateResult{
		{Gate: slo.Gate{Scope: "before", Metric: "goodput", Op: ">=", Value: 0.99, Text: "goodput >= 99%", File: "gpu-oom.yaml", Line: 31}, Verdict: slo.Pass, Got: 0.9994, N: 1561, Why: "1,560 of 1,561 requests were good."},
		{Gate: slo.Gate{Scope: "fault", Metric: "ttft", P: 99, Op: "<=", Value: 0.5, Text: "p99 ttft <= 500ms", File: "gpu-oom.yaml", Line: 34}, Verdict: slo.Fail, Got: slo.Infinite, N: 1548, Why: "74.0 % of 1,548 requests were within 500 ms, at most 76.2 % with 95 % confidence; 99 % are wanted."},
		{Gate: slo.Gate{Scope: "after", Metric: "ttft", P: 99, Op: "<=", Value: 0.5, Text: "p99 ttft <= 500ms", File: "gpu-oom.yaml", Line: 35}, Verdict: slo.Unknown, Got: 0.5004, N: 312, Why: "312 samples cannot show 99 %: 662 with one miss would."},
		{Gate: slo.Gate{Scope: "recovery", Metric: "ttr", Op: "<=", Value: 5, Text: "ttr <= 5s", File: "gpu-oom.yaml", Line: 39}, Verdict: slo.Fail, Got: 16.268, N: 1, Why: "The fault took 16.3 s to recover from."},
	}
	one(&r, 17.05, "gpu", event.HoldingTaken, "foreign")
	one(&r, 17.083, "engine", event.OOM, "activation_peak")
	one(&r, 17.11, "engine", event.EngineDied, "oom")
	storm(&r, 17.12, 25, 231, event.AttemptFailed, event.RequestFailed)
	one(&r, 17.4, "engine", event.EngineLoading, "")
	one(&r, 25, "engine", event.EngineReady, "")
	one(&r, 29.02, "gpu", event.HoldingReleased, "")
	r.EventsCut = 12
	r.Summary = []string{"FAIL: users noticed for 9.8 s. The engine on n2/g1 died of the fault, and 231 answers were lost.",
		"It was good again 16.3 s after the first harm, 4.4 s after the fault was gone, with one relapse in between."}
	return sorted(r)
}

// doubtful: the load generator was starved and the fault not proven; the verdict is unknown.
func doubtful() result.Result {
	r := absorbed()
	r.Run, r.ExitCode = "20261121T114801-gpu-oom-11aa", 3
	j := &r.Judgement
	j.Verdict = slo.Unknown
	j.Reasons = []slo.Reason{{Word: "unproven", Text: "The fault gpu.oom on n2/g1 was never observed to take effect."}, {Word: "client-limited", Text: "The load generator sent late: p99 of the lag was 81 ms, and 50 ms are the limit."}}
	j.Guards[0].Got, j.Guards[0].Tripped, j.Guards[3].Got = 0.081, true, 0.0043
	f := &j.Faults[0]
	f.State, f.Effective, f.Detected, f.Impact, f.TTD, f.Evidence = slo.Unproven, 0, 0, 0, nil, ""
	f.Error = "an allocation of 1.1 GiB on n2/g1 still succeeded after 2 s"
	f.Unresolved = []string{"ttd"}
	r.Summary = []string{"UNKNOWN: the fault was never observed to take effect, and the load generator could not keep up."}
	return r
}
