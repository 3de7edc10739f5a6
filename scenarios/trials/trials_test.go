package trials

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

const text = `apiVersion: brownout/v1
name: oom
question: Who notices?
load: {arrivals: {rate: 100/s}, prompt_tokens: 64, output_tokens: 8}
phases: [{name: fault, for: 10s}]
faults: [{at: 1s, inject: "gpu.oom on gpu=n2/g1 for 2s reserve=99.5%"}]
slo:
  gates: {run: [goodput >= 99%]}
  recovery: {hold: 3s, horizon: 5s}
  trials: [mttr <= 3s]
seed: 40
`

const variantsText = text + `variants:
  - {name: full}
  - {name: none, set: [target.refserver.resilience=none], expect: fail}
  - {name: half, set: [load.max_in_flight=100]}
`

// fake answers runs from a script: one verdict a run, the last one for ever.
type fake struct {
	script []string // "pass", "fail", "busy", "error", "stop" (interrupted during the run)
	stop   context.CancelFunc
	calls  []string // "full seed 40 fault at 1.05s"
	faults []time.Duration
}

func (f *fake) Run(ctx context.Context, s *spec.Spec, out string) (run.Done, error) {
	word := "pass"
	if len(f.script) > 0 {
		word = f.script[min(len(f.calls), len(f.script)-1)]
	}
	name := "full"
	switch {
	case s.Target.Resilience == "none":
		name = "none"
	case s.Load.MaxInFlight == 100:
		name = "half"
	}
	f.calls = append(f.calls, fmt.Sprintf("%s %d", name, s.Seed))
	f.faults = append(f.faults, s.Faults[0].At)
	r := result.Result{Run: fmt.Sprintf("run-%d", len(f.calls)), Scenario: result.Scenario{Seed: s.Seed}}
	j := &r.Judgement
	j.Verdict, j.Faults = slo.Pass, []slo.Recovery{{Fault: slo.Fault{Kind: "gpu.oom"}, State: slo.Absorbed}}
	switch word {
	case "fail":
		j.Verdict, r.ExitCode, j.Reasons = slo.Fail, run.ExitFail, []slo.Reason{{Word: "gate", Text: "No."}}
	case "busy":
		j.Verdict, r.ExitCode, j.Reasons = slo.Unknown, run.ExitUnknown, []slo.Reason{{Word: "client-limited", Text: "Busy."}}
	case "unknown":
		j.Verdict, r.ExitCode, j.Reasons = slo.Unknown, run.ExitUnknown, []slo.Reason{{Word: "unproven", Text: "Who knows."}}
	case "stop":
		f.stop()
		j.Verdict, r.ExitCode, j.Reasons = slo.Unknown, run.ExitInterrupted, []slo.Reason{{Word: "interrupted", Text: "Stopped."}}
	case "gone":
		f.stop()
		return run.Done{}, ctx.Err()
	case "error":
		return run.Done{}, errors.New("no port is free")
	}
	return run.Done{Result: r, Dir: filepath.Join(out, r.Run)}, nil
}

func conduct(t *testing.T, yaml string, trials int, f *fake, change func(*Config)) (Done, []string, error) {
	t.Helper()
	s, err := spec.Parse("oom.yaml", []byte(yaml), nil)
	require.NoError(t, err)
	var said []string
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	f.stop = stop
	c := Config{Spec: s, Trials: trials, Period: 100 * time.Millisecond, Out: t.TempDir(), ID: "series", Tool: "test", Runner: f,
		Next: func(n, of int, v string) { said = append(said, fmt.Sprintf("trial %d of %d, variant %s", n, of, v)) },
		Say:  func(s string) { said = append(said, s) }}
	if change != nil {
		change(&c)
	}
	d, err := Run(ctx, c)
	if d.Dir != "" {
		kept, readErr := series.Read(d.Dir)
		require.NoError(t, readErr, "the file is there whatever happened")
		assert.Equal(t, d.Series.Verdict, kept.Verdict)
		assert.Equal(t, d.Series.ExitCode, kept.ExitCode)
		assert.Equal(t, d.Series.Stopped, kept.Stopped)
	}
	return d, said, err
}

func TestVariantsAreInterleavedInPairs(t *testing.T) {
	f := &fake{}
	d, said, err := conduct(t, variantsText, 3, f, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"full 40", "none 40", "half 40", "half 41", "none 41", "full 41", "full 42", "none 42", "half 42"}, f.calls)
	assert.Equal(t, "trial 1 of 3, variant full", said[0])
	assert.Equal(t, "trial 2 of 3, variant half", said[3])
	roles := map[string]series.Role{}
	for _, v := range d.Series.Variants {
		roles[v.Name] = v.Role
		require.Len(t, v.Trials, 3)
		for i, trial := range v.Trials {
			assert.Equal(t, i+1, trial.Number)
			assert.Equal(t, uint64(40+i), trial.Seed, "trial i has seed + i")
			assert.Equal(t, d.Series.Variants[0].Trials[i].Delay, trial.Delay, "a pair shares its delay")
		}
	}
	assert.Equal(t, map[string]series.Role{"full": series.Tested, "none": series.Control, "half": series.Beside}, roles)
	assert.Equal(t, slo.Fail, d.Series.Verdict, "the control passed")
	assert.Equal(t, run.ExitFail, d.Series.ExitCode)
	assert.Equal(t, "control", d.Series.Reasons[0].Word)
}

func TestDelays(t *testing.T) {
	f := &fake{}
	d, _, err := conduct(t, text, 50, f, nil)
	require.NoError(t, err)
	assert.Equal(t, slo.Pass, d.Series.Verdict)
	assert.Equal(t, run.ExitPass, d.Series.ExitCode)
	different := map[time.Duration]bool{}
	for i, trial := range d.Series.Variants[0].Trials {
		assert.Equal(t, time.Second+trial.Delay, f.faults[i], "the fault comes later by just so much")
		assert.GreaterOrEqual(t, trial.Delay, time.Duration(0))
		assert.Less(t, trial.Delay, 100*time.Millisecond)
		different[trial.Delay] = true
	}
	assert.Len(t, different, 50)

	again := &fake{}
	_, _, err = conduct(t, text, 50, again, nil)
	require.NoError(t, err)
	assert.Equal(t, f.faults, again.faults, "drawn from the seed and nothing else")
}

// The plan ends at 10 s: the fault is over at 3 s, must hold until 6 s, and so may come 4 s later.
func TestDelaysFitThePlan(t *testing.T) {
	f := &fake{}
	d, _, err := conduct(t, variantsText, 20, f, func(c *Config) { c.Period = time.Minute })
	require.NoError(t, err)
	assert.Equal(t, 4*time.Second, d.Series.Period)
	assert.LessOrEqual(t, slices.Max(f.faults), 5*time.Second)
}

func TestBusyTrialsAreRepeated(t *testing.T) {
	f := &fake{script: []string{"pass", "busy", "busy", "pass", "unknown", "busy", "busy", "busy", "pass"}}
	d, said, err := conduct(t, text, 5, f, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"full 40", "full 41", "full 41", "full 41", "full 42", "full 43", "full 43", "full 43", "full 44"}, f.calls)
	trials := d.Series.Variants[0].Trials
	require.Len(t, trials, 5)
	var dirs, verdicts []string
	for _, trial := range trials {
		dirs, verdicts = append(dirs, trial.Dir), append(verdicts, string(trial.Verdict))
	}
	assert.Equal(t, []string{"run-1", "run-4", "run-5", "run-8", "run-9"}, dirs)
	assert.Equal(t, []string{"pass", "pass", "unknown", "unknown", "pass"}, verdicts, "twice at most, and an unproven fault not at all")
	assert.Equal(t, []series.Try{{Dir: "run-2", Reasons: []slo.Reason{{Word: "client-limited", Text: "Busy."}}}, {Dir: "run-3", Reasons: []slo.Reason{{Word: "client-limited", Text: "Busy."}}}}, trials[1].Repeated)
	assert.Equal(t, 4, d.Series.Repeats)
	assert.Contains(t, strings.Join(said, "\n"), "trial 2 is repeated (1 of at most 2)")
	assert.Contains(t, strings.Join(d.Series.Summary, " "), "4 runs were given up")
	assert.Equal(t, run.ExitUnknown, d.Series.ExitCode)
}

func TestInterruptKeepsFinishedTrials(t *testing.T) {
	for name, script := range map[string][]string{"with a result": {"pass", "pass", "stop"}, "without one": {"pass", "pass", "gone"}, "in a repeat": {"pass", "busy", "stop"}} {
		f := &fake{script: script}
		d, _, err := conduct(t, text, 5, f, nil)
		require.NoError(t, err, name)
		assert.Len(t, f.calls, 3, name)
		assert.Len(t, d.Series.Variants[0].Trials, 2, name)
		assert.Equal(t, slo.Unknown, d.Series.Verdict, name)
		assert.Equal(t, run.ExitInterrupted, d.Series.ExitCode, name)
		assert.Contains(t, d.Series.Stopped, "interrupted", name)
	}
	f := &fake{script: []string{"fail", "stop"}}
	d, _, err := conduct(t, text, 5, f, nil)
	require.NoError(t, err)
	assert.Equal(t, slo.Fail, d.Series.Verdict, "a failure seen is a failure")
	assert.Equal(t, run.ExitInterrupted, d.Series.ExitCode)
}

func TestTrialThatCannotBeRun(t *testing.T) {
	f := &fake{script: []string{"pass", "error"}}
	d, _, err := conduct(t, text, 5, f, nil)
	require.ErrorContains(t, err, "trial 2 of variant oom could not be run: no port is free")
	assert.Len(t, d.Series.Variants[0].Trials, 1, "what was finished is kept")
	assert.Equal(t, slo.Unknown, d.Series.Verdict)
	assert.Contains(t, d.Series.Stopped, "no port is free")
}

func TestPickedVariants(t *testing.T) {
	f := &fake{}
	_, _, err := conduct(t, variantsText, 2, f, func(c *Config) { c.Variants = []string{"none", "full"} })
	require.NoError(t, err)
	assert.Equal(t, []string{"none 40", "full 40", "full 41", "none 41"}, f.calls)
	for _, picked := range [][]string{{"nine"}, {"full", "full"}} {
		_, _, err = conduct(t, variantsText, 2, &fake{}, func(c *Config) { c.Variants = picked })
		require.Error(t, err)
	}
	for _, n := range []int{0, -1, MaxTrials + 1} {
		_, _, err = conduct(t, text, n, &fake{}, nil)
		require.ErrorContains(t, err, "out of bounds")
	}
}

// An even drift (each run a little slower than the one before) gives both variants the same sum of
// places over an even number of rounds.
func TestDriftHitsVariantsAlike(t *testing.T) {
	for _, variants := range []int{2, 3, 5} {
		sums := make([]int, variants)
		for i, s := range plan(6, variants, 1, 0) {
			sums[s.variant] += i
		}
		assert.Equal(t, slices.Min(sums), slices.Max(sums), "%v", sums)
	}
}
