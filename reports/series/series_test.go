package series

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/jsonfile"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

var update = flag.Bool("update", false, "write golden files")

// trial is the k-th trial with one fault; ttr < 0 is absorbed.
func trial(k int, verdict slo.Verdict, ttr float64) Trial {
	f := Fault{Fault: "gpu.oom on gpu=n2/g1 for 7s", Kind: "gpu.oom", Targets: []string{"n2/g1"}, State: slo.Absorbed, Burn: new(0.0)}
	if ttr >= 0 {
		f.State, f.Felt, f.TTR, f.TTM, f.TTD, f.Residual = slo.Recovered, true, new(ttr), new(ttr/2), new(0.1), new(0.0)
		f.OutOfSLO, f.Lost, f.Burn = ttr, 3, new(0.01)
	}
	return Trial{
		Number: k, Seed: uint64(k), Order: k, Delay: time.Duration(k) * 10 * time.Millisecond, Dir: fmt.Sprintf("run-%d", k),
		Started: time.Date(2026, 11, 21, 11, k, 0, 0, time.UTC), Seconds: 45, Verdict: verdict, ExitCode: map[slo.Verdict]int{slo.Fail: 99, slo.Unknown: 3}[verdict],
		Trusted: true, Due: 1000, Good: 990, Goodput: 0.99, TTFTP99: new(0.2),
		Gates:  []Gate{{Scope: "recovery", Text: "ttr <= 5s", Verdict: verdict, Why: "ttr <= 5s: it was so."}},
		Faults: []Fault{f},
	}
}

func censored(k int, observed float64) Trial {
	t := trial(k, slo.Fail, 1)
	f := &t.Faults[0]
	f.State, f.TTR, f.Residual, f.TTM, f.Observed = slo.Censored, nil, nil, nil, observed
	return t
}

// sample is a series of two variants with something of everything.
func sample() Series {
	busy := trial(3, slo.Unknown, 2)
	busy.Trusted, busy.Reasons = false, []slo.Reason{{Word: "client-limited", Text: "The send lag p99 was 300 ms."}}
	busy.Repeated = []Try{{Dir: "run-3a", Reasons: busy.Reasons}, {Dir: "run-3b", Reasons: busy.Reasons}}
	relapsed := trial(2, slo.Pass, 1.5)
	relapsed.Faults[0].Relapses = 2
	s := Series{
		Version: Version, Run: "20261121T114801-gpu-oom-7f3a", Started: time.Date(2026, 11, 21, 11, 48, 1, 0, time.UTC), Seconds: 400, Tool: "brownout test",
		Scenario: Scenario{Name: "gpu-oom", File: "built-in", Question: "Who notices?", Digest: "abc", Seed: 1, Set: []string{"load.arrivals.rate=99/s"},
			Gates: []slo.Gate{{Scope: "trials", Metric: Mean, Op: "<=", Value: 3, Text: "mttr <= 3s", File: "x.yaml", Line: 4}}},
		Planned: 4, Period: 100 * time.Millisecond, ExitCode: 3,
		Variants: []Variant{
			{Name: "full", Role: Tested, Digest: "abc", Trials: []Trial{trial(1, slo.Pass, -1), relapsed, busy, trial(4, slo.Pass, 2.5)}},
			{Name: "none", Role: Control, Set: []string{"target.refserver.resilience=none"}, Digest: "def",
				Trials: []Trial{trial(1, slo.Fail, 7), trial(2, slo.Fail, 8), censored(3, 20), trial(4, slo.Fail, 9)}},
		},
	}
	s.Judge()
	return s
}

func TestRecoveries(t *testing.T) {
	r := sample().Variants[0].Faults[0]
	assert.Equal(t, []int{4, 1, 2, 0, 0, 0, 1}, []int{r.Trials, r.Absorbed, r.Recovered, r.Censored, r.Unseen, r.Unproven, r.Distrusted})
	assert.InDelta(t, 2, *r.MTTR, 1e-12, "the absorbed one is no zero, the distrusted one nothing")
	assert.Nil(t, r.AtLeast)
	assert.Equal(t, Bound{Seconds: 2}, *r.Median)
	assert.Nil(t, r.MedianRange)
	assert.Nil(t, r.P90, "not from two")
	assert.Equal(t, Bound{Seconds: 2.5}, *r.Longest)
	assert.Equal(t, 1, r.Relapsed)
	assert.Equal(t, 2, r.Relapses)
	assert.Equal(t, Numbers{N: 2, Mean: 1, Median: 1, Min: 0.75, Max: 1.25}, r.TTM)
	assert.InDelta(t, 1.0/3, r.AbsorbedShare.Got, 1e-12)

	c := sample().Variants[1].Faults[0]
	assert.InDelta(t, 8, *c.MTTR, 1e-12)
	assert.InDelta(t, 11, *c.AtLeast, 1e-12)
	assert.Equal(t, Bound{Seconds: 8.5}, *c.Median, "7 8 9 and one beyond")
	assert.Equal(t, Bound{Seconds: 20, Above: true}, *c.Longest)
	assert.Equal(t, 4, c.OutOfSLO.N)
}

// Below ten felt trials there is no percentile, however many were absorbed.
func TestNoPercentileBelowTen(t *testing.T) {
	var all []Trial
	for k := 1; k <= 20; k++ {
		all = append(all, trial(k, slo.Pass, -1))
	}
	for k := 21; k <= 29; k++ {
		all = append(all, trial(k, slo.Pass, float64(k)))
	}
	assert.Nil(t, new(recoveries(all, 0)).P90)
	ten := recoveries(append(all, trial(30, slo.Pass, 30)), 0)
	require.NotNil(t, ten.P90)
	assert.InDelta(t, 29.5, ten.P90.Seconds, 1e-9)
}

func TestUnseenAndUnproven(t *testing.T) {
	unseen := censored(1, 4)
	unseen.Faults[0].Felt = false
	unproven := trial(2, slo.Unknown, -1)
	unproven.Faults[0].State = slo.Unproven
	r := recoveries([]Trial{unseen, unproven, {Trusted: true}}, 0)
	assert.Equal(t, []int{3, 0, 0, 1, 2}, []int{r.Trials, r.Absorbed, r.Felt(), r.Unseen, r.Unproven})
	assert.Nil(t, r.AbsorbedShare)
	assert.Nil(t, r.Median)
	assert.Equal(t, []string{"gpu.oom, variant v: no trial can say anything about it.",
		"Not in these numbers: 2 where the fault was never proven, 1 where the data end too early."}, r.Sentences("v"))
}

func TestVerdict(t *testing.T) {
	pass, fail, unknown := trial(1, slo.Pass, -1), trial(2, slo.Fail, 9), trial(2, slo.Unknown, 1)
	unknown.Reasons = []slo.Reason{{Word: "samples", Text: "Too few."}}
	tested := func(trials ...Trial) Variant { return Variant{Name: "full", Role: Tested, Trials: trials} }
	control := func(trials ...Trial) Variant { return Variant{Name: "none", Role: Control, Trials: trials} }
	for name, c := range map[string]struct {
		variants []Variant
		planned  int
		stopped  string
		want     slo.Verdict
		word     string
	}{
		"every trial passes":           {[]Variant{tested(pass, pass)}, 2, "", slo.Pass, ""},
		"one fails":                    {[]Variant{tested(pass, fail)}, 2, "", slo.Fail, "gate"},
		"one cannot tell":              {[]Variant{tested(pass, unknown)}, 2, "", slo.Unknown, "samples"},
		"a fail outweighs an unknown":  {[]Variant{tested(unknown, fail)}, 2, "", slo.Fail, "gate"},
		"a control that fails":         {[]Variant{tested(pass), control(fail)}, 1, "", slo.Pass, ""},
		"a control that passes":        {[]Variant{tested(pass), control(pass)}, 1, "", slo.Fail, "control"},
		"a control that cannot tell":   {[]Variant{tested(pass), control(unknown)}, 1, "", slo.Unknown, "samples"},
		"one shown beside may fail":    {[]Variant{tested(pass), {Name: "slow", Role: Beside, Trials: []Trial{fail}}}, 1, "", slo.Pass, ""},
		"stopped":                      {[]Variant{tested(pass)}, 3, "Interrupted.", slo.Unknown, "interrupted"},
		"stopped, but failed already":  {[]Variant{tested(fail)}, 3, "Interrupted.", slo.Fail, "gate"},
		"fewer trials than planned":    {[]Variant{tested(pass)}, 3, "", slo.Unknown, "interrupted"},
		"nothing was run":              {[]Variant{tested()}, 0, "", slo.Unknown, "samples"},
		"only a control":               {[]Variant{control(fail)}, 1, "", slo.Unknown, "samples"},
		"the second under test counts": {[]Variant{tested(pass), {Name: "b", Role: Tested, Trials: []Trial{fail}}}, 1, "", slo.Fail, "gate"},
	} {
		s := Series{Planned: c.planned, Stopped: c.stopped, Variants: c.variants}
		s.Judge()
		assert.Equal(t, c.want, s.Verdict, name)
		if c.word == "" {
			assert.Empty(t, s.Reasons, name)
			continue
		}
		require.NotEmpty(t, s.Reasons, name)
		assert.Equal(t, c.word, s.Reasons[0].Word, "%s: %v", name, s.Reasons)
	}
}

func TestTrialGates(t *testing.T) {
	felt := func(seconds ...float64) (out []Trial) {
		for i, s := range seconds {
			out = append(out, trial(i+1, slo.Pass, s))
		}
		return out
	}
	lost := append(felt(1, 1), censored(3, 20))
	for _, c := range []struct {
		metric, op string
		value      float64
		trials     []Trial
		want       slo.Verdict
		why        string
	}{
		{Mean, "<=", 3, felt(2, 4), slo.Pass, "the mean over 2 felt trials of gpu.oom is 3 s"},
		{Mean, "<=", 2.9, felt(2, 4), slo.Fail, "is 3 s"},
		{Mean, "<=", 3, felt(-1, -1), slo.Pass, "absorbed in every trial"},
		{Mean, "<=", 3, lost, slo.Fail, "the mean is above 7.33 s"},
		{Mean, "<=", 8, lost, slo.Unknown, "1 of 3 felt trials did not recover"},
		{Median, "<=", 9, felt(1, 2, 3, 4, 5), slo.Unknown, "6 are needed"},
		{Median, "<=", 6, felt(1, 2, 3, 4, 5, 6), slo.Pass, "between 1 s and 6 s"},
		{Median, "<=", 5, felt(1, 2, 3, 4, 5, 6), slo.Unknown, ""},
		{Median, "<=", 0.5, felt(1, 2, 3, 4, 5, 6), slo.Fail, ""},
		{Median, "<=", 30, append(felt(1, 2, 3, 4, 5), censored(6, 20)), slo.Unknown, "more than 20 s"},
		{Absorption, ">=", 0.9, felt(-1, -1, -1), slo.Unknown, "That takes 36 trials"},
		{Absorption, ">=", 0.2, felt(-1, -1, -1), slo.Pass, "absorbed in 3 of 3 trials"},
		{Absorption, ">=", 0.9, felt(1, 1, 1, -1), slo.Fail, "absorbed in 1 of 4"},
		{"p99 ttr", "<=", 1, felt(1), slo.Unknown, "there is no metric"},
		{Mean, "<=", 1, []Trial{{Faults: []Fault{{Kind: "gpu.oom"}}}}, slo.Unknown, "no trial says anything"},
		{Mean, "<=", 1, []Trial{{}}, slo.Unknown, "no fault was injected"},
	} {
		v := Variant{Trials: c.trials, Role: Tested}
		v.count()
		v.gates([]slo.Gate{{Metric: c.metric, Op: c.op, Value: c.value, Text: c.metric}})
		assert.Equal(t, c.want, v.Gates[0].Verdict, "%s %g: %s", c.metric, c.value, v.Gates[0].Why)
		assert.Contains(t, v.Gates[0].Why, c.why)
	}
}

func TestNewTrial(t *testing.T) {
	r := result.Result{Scenario: result.Scenario{Seed: 7}, ExitCode: 99, Judgement: slo.Judgement{Verdict: slo.Fail,
		Reasons: []slo.Reason{{Word: "gate", Text: "No."}},
		Gates:   []slo.GateResult{{Gate: slo.Gate{Scope: "run", Text: "goodput >= 99%"}, Verdict: slo.Fail, Why: "No."}},
		Run:     slo.PhaseResult{Due: 10, Good: 9, Goodput: 0.9, TTFT: slo.Dist{WithFailures: map[string]float64{"p99": slo.Infinite}}},
		Faults: []slo.Recovery{{Fault: slo.Fault{Fault: "f", Kind: "gpu.oom", Targets: []string{"n1"}}, State: slo.Recovered, Impact: event.Time(3),
			TTR: new(1.5), OutOfSLO: 1, Lost: 2, Burn: &slo.Burn{Share: 0.25}}}}}
	got := NewTrial(3, time.Second, "d", r)
	assert.Equal(t, Trial{Number: 3, Seed: 7, Delay: time.Second, Dir: "d", Verdict: slo.Fail, ExitCode: 99, Reasons: r.Judgement.Reasons, Trusted: true,
		Due: 10, Good: 9, Goodput: 0.9, TTFTP99: new(-1.0), Figures: &Figures{Lost: 10, TTFTP99: new(-1.0), TTR: new(1.5)}, Gates: []Gate{{Scope: "run", Text: "goodput >= 99%", Verdict: slo.Fail, Why: "No."}},
		Faults: []Fault{{Fault: "f", Kind: "gpu.oom", Targets: []string{"n1"}, State: slo.Recovered, Felt: true, TTR: new(1.5), OutOfSLO: 1, Lost: 2, Burn: new(0.25)}}}, got)
	for word, want := range map[string]bool{"gate": true, "samples": true, "unproven": true, "client-limited": false, "clock": false, "unreachable": false} {
		r.Judgement.Reasons = []slo.Reason{{Word: word}}
		assert.Equal(t, want, NewTrial(1, 0, "d", r).Trusted, word)
	}
}

func TestBusy(t *testing.T) {
	busy := []slo.Reason{{Word: "gate"}, {Word: "client-limited"}}
	assert.True(t, Busy(slo.Unknown, busy))
	assert.True(t, Busy(slo.Unknown, []slo.Reason{{Word: "simulator-limited"}}))
	assert.False(t, Busy(slo.Fail, busy), "a verdict is a verdict")
	assert.False(t, Busy(slo.Unknown, []slo.Reason{{Word: "samples"}, {Word: "unproven"}}), "a repeat mends neither")
}

func TestSummary(t *testing.T) {
	text := strings.Join(sample().Summary, "\n") + "\n"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/summary.txt", []byte(text), 0o644))
	}
	want, err := os.ReadFile("testdata/summary.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), text)
}

func TestWriteThenRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "series")
	require.False(t, Is(dir))
	require.NoError(t, Write(dir, sample()))
	require.True(t, Is(dir))
	require.True(t, Is(filepath.Join(dir, FileName)))
	want, err := Encode(sample())
	require.NoError(t, err)
	read, err := Read(dir)
	require.NoError(t, err)
	got, err := Encode(read)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	_, err = Read(t.TempDir())
	assert.ErrorContains(t, err, "brownout run --trials")
}

func TestReadRefuses(t *testing.T) {
	good, err := Encode(sample())
	require.NoError(t, err)
	for from, to := range map[string]string{
		Version: "brownout.series/v2", `"dir": "run-1"`: `"dir": "../../etc"`, `"dir": "run-2"`: `"dir": "/etc"`, `"dir": "run-3a"`: `"dir": "javascript:alert(1)"`,
		`"role": "test"`: `"role": "tests"`, `"goodput": 0.99`: `"goodput": 2`, `"state": "absorbed"`: `"state": "gone"`,
	} {
		require.Contains(t, string(good), from)
		_, err := decode([]byte(strings.Replace(string(good), from, to, 1)))
		require.Error(t, err, to)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// Every field of a file is in the schema: the closed schema takes the sample.
func TestSchemaDescribesEveryField(t *testing.T) {
	var schema any
	require.NoError(t, json.Unmarshal(Schema(), &schema))
	objects := 0
	var closeAll func(node any)
	closeAll = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if _, ok := node["properties"].(map[string]any); ok {
				node["additionalProperties"] = false
				objects++
			}
			for _, k := range slices.Sorted(maps.Keys(node)) {
				closeAll(node[k])
			}
		case []any:
			for _, n := range node {
				closeAll(n)
			}
		}
	}
	closeAll(schema)
	assert.Greater(t, objects, 12)
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	closed, err := jsonfile.Compile(text)
	require.NoError(t, err)
	good, err := Encode(sample())
	require.NoError(t, err)
	assert.NoError(t, jsonfile.Check(good, MaxBytes, Version, closed))
	assert.Error(t, jsonfile.Check([]byte(strings.Replace(string(good), `"felt"`, `"feltt"`, 1)), MaxBytes, Version, closed))
}

func FuzzRead(f *testing.F) {
	good, err := Encode(sample())
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"version":"brownout.series/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := decode(text)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		again, err := Encode(s)
		require.NoError(t, err)
		s.Judge() // whatever a file says, its trials can be judged
		_, err = decode(again)
		require.NoError(t, err)
	})
}
