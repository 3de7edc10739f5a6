package e2e

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/baseline"
	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/result"
)

// brief is a scenario of ten seconds that even a busy machine passes.
const brief = `apiVersion: brownout/v1
name: quick
question: Is a light load served?
target: {refserver: {preset: chat-8b}}
load:
  arrivals: {process: constant, rate: 40/s}
  prompt_tokens: 64
  output_tokens: 8
phases:
  - {name: steady, for: 10s}
slo:
  limits: {ttft: 5s, e2e: 10s}
  gates: {steady: [goodput >= 90%]}
  guards: {sched_lag_p99: 5s, timer_late_p99: 5s, step_late_p99: 5s, max_offset_error: 1s}
`

// The journey of a user: three runs into a baseline, a run against it, a slower one, and every refusal.
func TestBasicCompare(t *testing.T) {
	dir := t.TempDir()
	file, base := filepath.Join(dir, "quick.yaml"), filepath.Join(dir, ".brownout", "baselines", "quick.json")
	require.NoError(t, os.WriteFile(file, []byte(brief), 0o600))
	for i := range 3 {
		a, _ := Run(t, nil, file, "--quiet", "--save-baseline", base)
		require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
		assert.Contains(t, a.Stderr, "It holds "+strconv.Itoa(i+1))
	}
	info, err := os.Stat(base)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(60_000))

	// Four times as slow is beyond any noise: found by one run, in the run's own exit code, and by compare.
	md := filepath.Join(dir, "compare.md")
	a, _ := Run(t, nil, file, "--quiet", "--baseline", base, "--markdown", md, "--set", "target.refserver.settings.cluster.slowdown=4")
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Contains(t, a.Stdout, "worse")
	text, err := os.ReadFile(md)
	require.NoError(t, err)
	assert.Contains(t, string(text), "<!-- brownout comparison -->")
	assert.Contains(t, string(text), "❌ worse")
	a = Call(t, time.Minute, nil, "compare", base, a.Dir, "--json", "--metric", "e2e")
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	var c compare.Comparison
	require.NoError(t, json.Unmarshal([]byte(a.Stdout), &c))
	assert.Equal(t, compare.Worse, metric(c, "p50 e2e"))
	assert.Len(t, c.Metrics, 2)

	// The baseline against itself has no difference at all: medians pass even on a busy machine.
	a = Call(t, time.Minute, nil, "compare", base, base, "--min-effect", "100%,1s", "--metric", "p50 e2e", "--metric", "goodput")
	assert.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	// A single run on a side cannot tell.
	one, _ := Run(t, nil, file, "--quiet")
	a = Call(t, time.Minute, nil, "compare", one.Dir, one.Dir)
	assert.Equal(t, 3, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Contains(t, a.Stdout, "noise between runs is not known")

	// A baseline from elsewhere: no numbers; with the flag numbers, but no answer.
	f, err := baseline.Read(base)
	require.NoError(t, err)
	for i := range f.Trials {
		f.Trials[i].Environment["cpu"] = "another"
	}
	elsewhere := filepath.Join(dir, "elsewhere.json")
	require.NoError(t, baseline.Write(elsewhere, f))
	a = Call(t, time.Minute, nil, "compare", elsewhere, base)
	assert.Equal(t, 3, a.Code)
	assert.NotContains(t, a.Stdout, "p50 e2e")
	a = Call(t, time.Minute, nil, "compare", elsewhere, base, "--allow-other-machine")
	assert.Equal(t, 3, a.Code)
	assert.Contains(t, a.Stdout, "p50 e2e")

	for says, args := range map[string][]string{
		"was asked something else":   {"run", file, "--baseline", base, "--set", "load.arrivals.rate=41/s", "--out", dir},
		"cannot be opened":           {"compare", filepath.Join(dir, "none.json"), base},
		"is no metric":               {"compare", base, base, "--metric", "p42 ttft"},
		"neither a percentage nor a": {"compare", base, base, "--min-effect", "much"},
	} {
		a := Call(t, time.Minute, nil, args...)
		assert.Equal(t, 1, a.Code, says)
		assert.Contains(t, a.Stderr, says)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", result.FileName))
	require.NoError(t, err)
	assert.Empty(t, left, "a baseline that does not fit is refused before any load")
}

func metric(c compare.Comparison, name string) compare.Answer {
	for _, m := range c.Metrics {
		if m.Name == name {
			return m.Answer
		}
	}
	return ""
}

// TestE2EComparisonRates runs the real thing on the real clock and prints how often equal builds are flagged
// and a planted tenth is found. The baseline rolls along, as a user's does: the last five runs. The count
// comes from BROWNOUT_COMPARISONS [2], the runs that are compared with it from BROWNOUT_COMPARED_RUNS [1], the
// scenario from BROWNOUT_COMPARED_SCENARIO [steady], the factor on every engine step from BROWNOUT_COMPARED_SLOWDOWN
// [1.1]; BROWNOUT_COMPARED_ONLY=slower leaves the equal builds out. 20 of each take 20 minutes, and a quiet machine.
func TestE2EComparisonRates(t *testing.T) {
	n := 2
	if v, err := strconv.Atoi(os.Getenv("BROWNOUT_COMPARISONS")); err == nil && v > 0 {
		n = v
	}
	candidates := 1
	if v, err := strconv.Atoi(os.Getenv("BROWNOUT_COMPARED_RUNS")); err == nil && v > 0 {
		candidates = v
	}
	scenario := cmp.Or(os.Getenv("BROWNOUT_COMPARED_SCENARIO"), "steady")
	slowdown := cmp.Or(os.Getenv("BROWNOUT_COMPARED_SLOWDOWN"), "1.1")
	slowerAlone := os.Getenv("BROWNOUT_COMPARED_ONLY") == "slower"
	dir := t.TempDir()
	base, before := filepath.Join(dir, "steady.json"), filepath.Join(dir, "before.json")
	run := func(args ...string) string {
		a, _ := Settled(t, nil, append([]string{scenario, "--quiet"}, args...)...)
		require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
		return a.Dir
	}
	for range 5 {
		run("--save-baseline", base)
	}
	answers := map[string]map[string]int{"equal": {}, "slower": {}}
	p99 := 0
	against := func(what string, dirs []string) {
		path := filepath.Join(dir, what+".json")
		var f baseline.File
		for _, d := range dirs {
			r, err := result.Read(d)
			require.NoError(t, err)
			one, ok := compare.TrialOf(r)
			require.True(t, ok)
			f.Trials = append(f.Trials, one)
		}
		require.NoError(t, baseline.Write(path, f))
		a := Call(t, time.Minute, nil, "compare", before, path, "--json")
		var c compare.Comparison
		require.NoError(t, json.Unmarshal([]byte(a.Stdout), &c), a.Stderr)
		answers[what][string(c.Answer)]++
		if what == "slower" && (metric(c, "p99 e2e") == compare.Worse || metric(c, "p99 tpot") == compare.Worse || metric(c, "p99 ttft") == compare.Worse) {
			p99++
		}
		t.Logf("%s: %s", what, c.Reasons)
		for _, m := range c.Metrics {
			t.Logf("    %-9s %8.4f → %8.4f  p %.4f (blocks %.4f, runs %.4f), noise %.2g: %s", m.Name, m.A, m.B, m.P, m.PBlocks, m.PRuns, m.Noise, m.Answer)
		}
	}
	for i := range n {
		text, err := os.ReadFile(base)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(before, text, 0o600))
		var equal, slower []string
		for range candidates { // interleaved: whatever the machine does meets both
			if !slowerAlone {
				equal = append(equal, run("--save-baseline", base))
			}
			slower = append(slower, run("--set", "target.refserver.settings.cluster.slowdown="+slowdown))
		}
		if !slowerAlone {
			against("equal", equal)
		}
		against("slower", slower)
		t.Logf("after %d: equal %v, slower %v, a p99 worse in %d", i+1, answers["equal"], answers["slower"], p99)
	}
	assert.LessOrEqual(t, answers["equal"]["fail"], max(1, n/20))
	assert.GreaterOrEqual(t, answers["slower"]["fail"], n*18/20)
}
