package spec

import (
	"encoding/json"
	"flag"
	"iter"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update and read the difference")
}

func parse(t *testing.T, text string, set ...string) *Spec {
	t.Helper()
	s, err := Parse("gpu-oom.yaml", []byte(text), set)
	require.NoError(t, err)
	return s
}

func TestParse(t *testing.T) {
	s := parse(t, base)
	fault, err := faults.Parse("gpu.oom on gpu=n2/g1 for 10s reserve=99.5%")
	require.NoError(t, err)
	phases := []slo.Phase{
		{Name: "warmup", For: 5 * time.Second, Quiet: true},
		{Name: "before", At: 5 * time.Second, For: 12 * time.Second},
		{Name: "fault", At: 17 * time.Second, For: 12 * time.Second},
		{Name: "after", At: 29 * time.Second, For: 12 * time.Second},
	}
	gate := func(scope, text string, line int, g slo.Gate) slo.Gate {
		g.Scope, g.Text, g.Line, g.File = scope, text, line, "gpu-oom.yaml"
		return g
	}
	assert.Equal(t, &Spec{
		File: "gpu-oom.yaml", Name: "gpu-oom", Question: "Who notices?", Seed: 1,
		Target: Target{Preset: "chat-8b", Resilience: "full", Topology: "single"},
		Load: load.Plan{Seed: 1, Arrivals: load.Arrivals{Process: load.Poisson, Rate: 130}, Prompt: load.Length{Dist: load.Fixed, Mean: 512},
			Output: load.Length{Dist: load.Fixed, Mean: 64}, Duration: 41 * time.Second, Model: "llama-3.1-8b", Stream: true, MaxInFlight: 2600},
		Phases: phases,
		Faults: []PlannedFault{{At: 18 * time.Second, Fault: fault, Line: 17}},
		SLO: slo.Spec{
			Limits:    slo.Limits{TTFT: time.Second, TPOT: 100 * time.Millisecond, Gap: time.Second, E2E: 10 * time.Second},
			Objective: 0.9, MinBad: 3, Hold: 3 * time.Second, Horizon: 20 * time.Second, Phases: phases, Guards: slo.DefaultSpec().Guards, Budget: slo.DefaultSpec().Budget,
			Gates: []slo.Gate{
				gate("before", "goodput >= 99%", 23, slo.Gate{Metric: "goodput", Op: ">=", Value: 0.99}),
				gate("before", "p99 ttft <= 1s", 23, slo.Gate{Metric: "ttft", P: 99, Op: "<=", Value: 1}),
				gate("run", "count truncated == 0", 24, slo.Gate{Metric: "count", Of: "truncated", Op: "=="}),
				gate("recovery", "ttr <= 5s", 25, slo.Gate{Metric: "ttr", Op: "<=", Value: 5}),
			},
		},
		Client:    Timeouts{Connect: 2 * time.Second, TTFT: 10 * time.Second, Stall: 5 * time.Second, Total: 30 * time.Second},
		Effective: []byte(base), Digest: s.Digest,
	}, s)
	assert.Len(t, s.Digest, 64)
	assert.Equal(t, 41*time.Second, s.Length())
	assert.NoError(t, s.Load.Validate(), "the load's own rules agree")
}

func TestDefaults(t *testing.T) {
	s := parse(t, `
apiVersion: brownout/v1
name: small
question: What is left out?
load: {arrivals: {rate: 10/s}, prompt_tokens: {dist: lognormal, mean: 100, spread: 0.5}, output_tokens: {dist: uniform, mean: 10, spread: 4}}
phases: [{name: all, for: 10s}]
slo: {limits: {e2e: 40s}, gates: {run: [goodput>=50%]}}
`)
	assert.Equal(t, Target{Preset: "chat-8b", Resilience: "full", Topology: "single"}, s.Target)
	assert.Equal(t, load.Poisson, s.Load.Arrivals.Process)
	assert.Equal(t, load.Length{Dist: load.Lognormal, Mean: 100, Spread: 0.5, Min: 1, Max: 2000}, s.Load.Prompt)
	assert.Equal(t, load.Length{Dist: load.Uniform, Mean: 10, Spread: 4, Min: 6, Max: 14}, s.Load.Output)
	assert.True(t, s.Load.Stream)
	assert.Equal(t, 1000, s.Load.MaxInFlight)
	assert.Equal(t, uint64(1), s.Seed)
	assert.Equal(t, Timeouts{2 * time.Second, 10 * time.Second, 5 * time.Second, 80 * time.Second}, s.Client, "patience is at least twice the limit")
	std := slo.DefaultSpec()
	assert.Equal(t, []any{std.Objective, std.MinBad, std.Hold, std.Horizon, std.Guards}, []any{s.SLO.Objective, s.SLO.MinBad, s.SLO.Hold, s.SLO.Horizon, s.SLO.Guards})
	assert.NoError(t, s.Load.Validate())
}

func TestOverrides(t *testing.T) {
	s := parse(t, base, "load.arrivals.rate=200000/s", "target.refserver.resilience=none", "seed=18446744073709551615",
		"slo.gates.after=[p99.9 itl <= 250ms]", "faults[0].at=18s", "slo.guards.sched_lag_p99=1s")
	assert.InDelta(t, 200_000, s.Load.Arrivals.Rate, 0)
	assert.Equal(t, 20_000, s.Load.MaxInFlight)
	assert.Equal(t, "none", s.Target.Resilience)
	assert.Equal(t, uint64(math.MaxUint64), s.Seed)
	assert.Equal(t, time.Second, s.SLO.Guards.LagP99)
	assert.Equal(t, 17, s.Faults[0].Line, "inject is still on its line")
	assert.InDelta(t, 99.9, s.SLO.Gates[2].P, 0)
	assert.Zero(t, s.SLO.Gates[2].Line)
	assert.Contains(t, s.SLO.Gates[2].File, "--set slo.gates.after")
	assert.Len(t, s.Set, 6)

	again, err := Parse("gpu-oom.yaml", s.Effective, nil)
	require.NoError(t, err, "what was run can be run again")
	assert.Equal(t, s.Digest, again.Digest)
	assert.Equal(t, s.Load, again.Load)
	assert.NotEqual(t, parse(t, base).Digest, s.Digest)
}

func TestConfigFileIsFoundBesideTheScenario(t *testing.T) {
	text := strings.Replace(base, "preset: chat-8b, resilience: full", "config: srv/six.yaml", 1)
	s, err := Parse("dir/gpu-oom.yaml", []byte(text), nil)
	require.NoError(t, err)
	assert.Equal(t, Target{ConfigFile: filepath.Join("dir", "srv", "six.yaml")}, s.Target)
	s, err = Parse("dir/gpu-oom.yaml", []byte(text), []string{"target.refserver.config=/abs.yaml"})
	require.NoError(t, err)
	assert.Equal(t, "/abs.yaml", s.Target.ConfigFile)
}

func TestDigestIgnoresLayout(t *testing.T) {
	lines := strings.SplitAfter(base, "\n")
	moved := "# words\n" + strings.Join(lines[1:3], "") + lines[0] + strings.Join(lines[3:], "")
	moved = strings.Replace(moved, "{process: poisson, rate: 130/s}", "{rate: 130/s,   process: 'poisson'}", 1)
	assert.Equal(t, parse(t, base).Digest, parse(t, moved).Digest)
}

func TestWithSeedIsDeep(t *testing.T) {
	s := parse(t, base)
	before, err := json.Marshal(s)
	require.NoError(t, err)
	c := s.WithSeed(9)
	assert.Equal(t, uint64(9), c.Seed)
	assert.Equal(t, uint64(9), c.Load.Seed)
	c.Faults[0].Fault.Params["reserve"] = "1%"
	c.Faults[0].Fault.On[0].Value = "x"
	c.Phases[0].Name, c.SLO.Phases[0].Name, c.SLO.Gates[0].Text, c.Effective[0] = "x", "x", "x", 'x'
	after, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, string(before), string(after))
	assert.NotEqual(t, s.Timeline("", "", "", 0).Steps, c.Timeline("", "", "", 0).Steps, "faults draw anew")
}

func TestTimeline(t *testing.T) {
	s := parse(t, base, `faults[1]={at: 6s, inject: "gpu.oom on gpu=n1/g0 for 1s seed=7"}`)
	p := s.Timeline("http://127.0.0.1:1", "TOKEN", "run-1", 3*time.Second)
	assert.Equal(t, faults.Plan{Endpoint: "http://127.0.0.1:1", TokenEnv: "TOKEN", Run: "run-1", Lease: 3 * time.Second, Total: 41 * time.Second, Steps: p.Steps}, p)
	require.Len(t, p.Steps, 2, "in the order of time")
	assert.Equal(t, 6*time.Second, p.Steps[0].At)
	assert.Equal(t, "gpu.oom on gpu=n1/g0 for 1s seed=7", p.Steps[0].Fault)
	f, err := faults.Parse(p.Steps[1].Fault)
	require.NoError(t, err)
	// The number is a contract: the same file draws the same in every process and version.
	assert.Equal(t, uint64(0xe9fd6049d65af21e), f.Seed)
	assert.Zero(t, s.Faults[0].Fault.Seed, "the plan is a copy")
}

func TestArrivals(t *testing.T) {
	s := parse(t, base)
	o := s.Arrivals(load.Client{BaseURL: "http://127.0.0.1:8000", Exact: true, MaxBody: 5}, "run-1", "x.shard", "http://127.0.0.1:2")
	assert.Equal(t, load.ArrivalsOptions{
		Plan: s.Load, Run: "run-1", Calibrate: true, Shard: "x.shard", Harness: "http://127.0.0.1:2", Drain: 10 * time.Second,
		Client: load.Client{BaseURL: "http://127.0.0.1:8000", Exact: true, MaxBody: 5, ConnectTimeout: 2 * time.Second, TTFTTimeout: 10 * time.Second, StallTimeout: 5 * time.Second, TotalTimeout: 30 * time.Second},
		Limits: load.Limits{TTFT: time.Second, TPOT: 100 * time.Millisecond, Gap: time.Second, E2E: 10 * time.Second},
		Phases: []load.PhaseMark{{Name: "warmup"}, {Name: "before", At: 5 * time.Second}, {Name: "fault", At: 17 * time.Second}, {Name: "after", At: 29 * time.Second}},
	}, o)
	assert.Equal(t, 30*time.Second, parse(t, base, "slo.limits={ttft: 1s}").Drain(), "without a limit the client's patience")
}

func TestParseGate(t *testing.T) {
	for _, row := range []struct {
		scope, text string
		want        slo.Gate
	}{
		{"a", "availability>=99.95%", slo.Gate{Metric: "availability", Op: ">=", Value: 0.9995}},
		{"a", "goodput <= 0.5", slo.Gate{Metric: "goodput", Op: "<=", Value: 0.5}},
		{"a", "p99.9   itl<=250ms", slo.Gate{Metric: "itl", P: 99.9, Op: "<=", Value: 0.25}},
		{"a", "p50 sched_lag <= 1ms", slo.Gate{Metric: "sched_lag", P: 50, Op: "<=", Value: 0.001}},
		{"run", "count rate_limited >= 3", slo.Gate{Metric: "count", Of: "rate_limited", Op: ">=", Value: 3}},
		{"recovery", "out_of_slo <= 2s", slo.Gate{Metric: "out_of_slo", Op: "<=", Value: 2}},
		{"recovery", "relapses == 0", slo.Gate{Metric: "relapses", Op: "=="}},
	} {
		g, err := parseGate(row.scope, row.text)
		require.NoError(t, err, row.text)
		row.want.Scope, row.want.Text = row.scope, strings.Join(strings.Fields(row.text), " ")
		row.want.Value = g.Value + (row.want.Value - g.Value) // compared below
		assert.InDelta(t, row.want.Value, g.Value, 1e-9)
		row.want.Value = g.Value
		assert.Equal(t, row.want, g)
	}
	for o := record.OK; o < record.NumOutcomes; o++ {
		_, err := parseGate("run", "count "+o.String()+" == 0")
		assert.NoError(t, err)
	}
}

// allowed is the dumb oracle of misses: it sums the binomial distribution.
func allowed(n int, p float64) int {
	k, sum := -1, 0.0
	for k < n {
		lgN, _ := math.Lgamma(float64(n + 1))
		lgK, _ := math.Lgamma(float64(k + 2))
		lgR, _ := math.Lgamma(float64(n - k))
		sum += math.Exp(lgN - lgK - lgR + float64(k+1)*math.Log(1-p) + float64(n-k-1)*math.Log(p))
		if sum > (1-slo.Confidence)/2 {
			break
		}
		k++
	}
	return k
}

func TestMisses(t *testing.T) {
	for _, p := range []float64{0.5, 0.9, 0.95, 0.99, 0.999} {
		for _, n := range []int{0, 1, 5, 36, 367, 368, 554, 555, 662, 1320, 1560, 1950, 12_345} {
			assert.Equal(t, allowed(n, p), misses(n, p), "p%g of %d", p*100, n)
		}
	}
	assert.Equal(t, -1, misses(367, 0.99))
	assert.Equal(t, 0, misses(368, 0.99))
	assert.Equal(t, 7, misses(1560, 0.99))
}

func TestExplain(t *testing.T) {
	golden(t, "explain.golden", Explain(parse(t, base), ExplainInfo{Saturation: 220, Minus1: 183, Detection: 2 * time.Second}))
	s := parse(t, base, "load.arrivals={process: constant, rate: 20/s}", "load.prompt_tokens={dist: lognormal, mean: 512, spread: 0.5}",
		"load.output_tokens={dist: uniform, mean: 64, spread: 16}", "slo.expected=[rate_limited]", "slo.degraded_is_good=true", "target.refserver={config: six.yaml}",
		`faults[1]={at: before, inject: "gpu.oom on gpu=n1/g0 for 2s"}`, "slo.gates.recovery=[ttr <= 30s]", "slo.gates.after=[p99 itl <= 1s, p99 e2e <= 5s]", "phases[3].for=20s")
	golden(t, "explain-thin.golden", Explain(s, ExplainInfo{}))
	assert.Contains(t, Explain(parse(t, base), ExplainInfo{Saturation: 100, Minus1: 80}), "! The load is more than the target bears:")
	assert.Contains(t, Explain(parse(t, base), ExplainInfo{Saturation: 150, Minus1: 125}), "! The load is more than the target bears without one replica")
	assert.NotContains(t, Explain(parse(t, base), ExplainInfo{Saturation: 220, Minus1: 183}), "!")
}

// Many phases and tiny faults must neither overlap into nonsense nor run off the drawing.
func TestTimelineOfManyPhases(t *testing.T) {
	set := []string{"phases=[]", "slo.gates={run: [goodput >= 1%]}", "faults=[]"}
	for range 40 {
		set = append(set, "phases["+itoa(len(set)-3)+"]={name: p"+itoa(len(set))+", for: 2s}")
	}
	set = append(set, `faults[0]={at: 0s, inject: "gpu.oom on gpu=n1/g0 for 1ms"}`)
	text := Explain(parse(t, base, set...), ExplainInfo{})
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, len(line), width+16, line)
	}
}

func itoa(n int) string { return thousands(n) }

// Whatever the bytes, Parse ends; what it accepts holds together.
func FuzzParse(f *testing.F) {
	f.Add([]byte(base), "load.arrivals.rate=1/s")
	f.Add([]byte(withLoad("  like: azure-2023-code\n")), "load.arrivals={process: closed, concurrency: 3}")
	f.Add([]byte(base), "load.arrivals={rate: 5/s, stages: [{for: 1s, to: 9/s}], spikes: [{at: fault, for: 1s, rate: 1/s}]}")
	f.Add([]byte(base), "load.arrivals={process: onoff, rate: 5/s, on: 1s, off: 1s, floor: 1/s}")
	f.Add([]byte(base), "load.arrivals={process: trace, trace: {file: x.csv}}")
	for _, m := range mistakes() {
		f.Add([]byte(strings.Replace(base, m[1], m[2], 1)), "seed=2")
	}
	f.Add([]byte(rich), "load.mix[1].weight=3")
	for _, m := range contentMistakes() {
		f.Add([]byte(strings.Replace(rich, m[1], m[2], 1)), "load.cancel.after=1s")
	}
	f.Fuzz(func(t *testing.T, data []byte, set string) {
		s, err := Parse("f.yaml", data, []string{set})
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without a word")
			}
			return
		}
		if err := s.Load.Validate(); err != nil {
			t.Fatalf("the load's own rules refuse what was accepted: %v", err)
		}
		if sent, answered := s.Load.Means(); !(sent >= 1 && answered >= 1) || math.IsInf(sent, 0) || s.Load.Arrivals.Rate > 0 && !(s.Load.Starts() > 0) {
			t.Fatalf("requests of %v and %v tokens, %v starts/s", sent, answered, s.Load.Starts())
		}
		next, stop := iter.Pull(s.Load.All())
		for range 3 { // whatever is accepted can be sent
			if a, ok := next(); ok && (a.Prompt < 1 || a.Output < 1 || (a.Prompt < 1<<16 && len(s.Load.AppendMessages(nil, a)) <= a.Prompt)) {
				t.Fatalf("%+v", a)
			}
		}
		stop()
		if s.Length() <= 0 || len(s.SLO.Gates) == 0 || end(s.Phases) != s.Length() {
			t.Fatalf("%+v", s)
		}
		for _, p := range s.Faults {
			if p.At < 0 || p.At+p.Fault.For+s.SLO.Hold > s.Length() {
				t.Fatalf("fault at %v for %v of %v", p.At, p.Fault.For, s.Length())
			}
			if _, err := faults.Parse(p.Fault.String()); err != nil {
				t.Fatal(err)
			}
		}
		if Explain(s, ExplainInfo{}) == "" {
			t.Fatal("nothing to explain")
		}
		again, err := Parse("f.yaml", s.Effective, nil)
		if err != nil || again.Digest != s.Digest {
			t.Fatalf("%q reads differently the second time: %v", s.Effective, err)
		}
	})
}
