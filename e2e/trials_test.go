package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

const shortKill = `apiVersion: brownout/v1
name: short-kill
question: Does the short death of one node of three reach users?
target:
  refserver: {preset: chat-8b}
load:
  arrivals: {process: poisson, rate: 60/s}
  prompt_tokens: 256
  output_tokens: 32
phases:
  - {name: warmup, for: 1s, quiet: true}
  - {name: fault, for: 8s}
faults:
  - {at: 2s, inject: "node.kill on node=n2 for 2s"}
slo:
  limits: {ttft: 1s, max_gap: 1s, e2e: 8s}
  recovery: {hold: 2s, horizon: 4s}
  gates:
    run: [goodput >= 99%, count truncated == 0]
  trials: [mttr <= 5s]
variants:
  - {name: full}
  - {name: none, set: [target.refserver.resilience=none], expect: fail}
seed: 5
`

// onlySeries reads the one series under dir.
func onlySeries(t *testing.T, dir string) (series.Series, string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", series.FileName))
	require.NoError(t, err)
	require.Len(t, files, 1)
	s, err := series.Read(files[0])
	require.NoError(t, err)
	return s, filepath.Dir(files[0])
}

func TestE2ETrials(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "short-kill.yaml")
	require.NoError(t, os.WriteFile(file, []byte(shortKill), 0o600))
	a := Call(t, 10*time.Minute, nil, "run", file, "--trials", "2", "--out", dir, "--json")
	s, at := onlySeries(t, dir)
	assert.Equal(t, s.ExitCode, a.Code, "%s", a.Stderr)
	var printed series.Series
	require.NoError(t, json.Unmarshal([]byte(a.Stdout), &printed))
	assert.Equal(t, s.Summary, printed.Summary, "--json prints the file")
	assert.Contains(t, a.Stderr, "trial 2 of 2, variant none")

	require.Len(t, s.Variants, 2)
	order := map[int]string{}
	for _, v := range s.Variants {
		require.Len(t, v.Trials, 2)
		for i, trial := range v.Trials {
			order[trial.Order] = v.Name
			assert.Equal(t, uint64(5+i), trial.Seed)
			r, err := result.Read(filepath.Join(at, trial.Dir))
			require.NoError(t, err, "each trial is an ordinary run")
			assert.Equal(t, trial.Verdict, r.Judgement.Verdict)
			assert.Equal(t, trial.Delay, r.Scenario.Delay)
			assert.Equal(t, 2*time.Second+trial.Delay, r.Judgement.Faults[0].Planned)
			assert.FileExists(t, filepath.Join(at, trial.Dir, "report.html"))
			for _, tried := range trial.Repeated {
				assert.FileExists(t, filepath.Join(at, tried.Dir, result.FileName), "what was given up is kept")
			}
		}
		assert.Equal(t, 2, v.Faults[0].Trials)
	}
	assert.Equal(t, map[int]string{1: "full", 2: "none", 3: "none", 4: "full"}, order)
	for _, name := range []string{"report.html", "report.md", "junit.xml"} {
		assert.FileExists(t, filepath.Join(at, name))
	}
	shown := Call(t, time.Minute, nil, "report", at)
	assert.Equal(t, s.ExitCode, shown.Code, "%s", shown.Stderr)
	assert.Contains(t, shown.Stdout, "Variant  none   control: every trial must fail")

	assert.Equal(t, slo.Pass, s.Verdict, "%v", s.Summary)
	assert.Equal(t, 0, a.Code)
	assert.Equal(t, 2, s.Variants[1].Failed, "the control fails")
}

// Ctrl-C in the second trial leaves the first one and says 130.
func TestE2ETrialsInterrupted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "short-kill.yaml")
	require.NoError(t, os.WriteFile(file, []byte(shortKill), 0o600))
	cmd := exec.Command(Binary(t), "run", file, "--trials", "5", "--variant", "full", "--variant", "none", "--out", dir, "--quiet")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // an ended process needs no signal
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "*", series.FileName))
		return len(files) == 1
	}, 3*time.Minute, 50*time.Millisecond, "the first trial was finished")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait() // its exit code is looked at
	assert.Equal(t, 130, cmd.ProcessState.ExitCode())
	s, _ := onlySeries(t, dir)
	assert.Equal(t, 130, s.ExitCode)
	assert.NotEmpty(t, s.Variants[0].Trials)
	assert.Less(t, len(s.Variants[0].Trials)+len(s.Variants[1].Trials), 10)
	assert.Contains(t, s.Stopped, "interrupted")
}
