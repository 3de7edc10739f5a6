package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/pipeline/pipelinetest"
)

// quick asks little of the machine, and trusts it whatever it does: these tests are about pipelines.
const quick = `apiVersion: brownout/v1
name: quick
question: Does the pipeline run?
target: {refserver: {preset: chat-8b}}
load:
  arrivals: {process: constant, rate: 5/s}
  prompt_tokens: 16
  output_tokens: 4
  stream: true
phases:
  - {name: all, for: 2s}
slo:
  limits: {e2e: 20s}
  gates:
    run: [goodput >= 50%]
  guards: {sched_lag_p99: 20s, dropped_share: 100%, timer_late_p99: 20s, step_late_p99: 20s, max_offset_error: 20s,
    client_ttft_error_p99: 20s, client_gap_error_p99: 20s, client_error_relative: 100%, headroom: 0.001}
timeouts: {connect: 20s, ttft: 20s, stall: 20s, total: 20s}
`

// clone is a fresh clone of this repository with two scenario files of its own.
func clone(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "--quiet", root, dir).CombinedOutput(); err != nil {
		t.Skipf("this is no git checkout that can be cloned: %s", out)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tests"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tests", "quick.yaml"), []byte(quick), 0o600))
	broken := strings.NewReplacer("e2e: 20s", "e2e: 1ms", "name: quick", "name: broken").Replace(quick)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tests", "broken.yaml"), []byte(broken), 0o600))
	return dir
}

// The pipeline that init writes, run step by step in a fresh clone.
func TestE2EInitGitHub(t *testing.T) {
	dir := clone(t)
	a := Call(t, time.Minute, nil, "init", "github", "--dir", dir, "--scenario", "tests/quick.yaml", "--scenario", "tests/broken.yaml")
	require.Equal(t, 0, a.Code, a.Stderr)
	text, err := os.ReadFile(filepath.Join(dir, ".github", "workflows", "brownout.yml"))
	require.NoError(t, err)
	legs, err := pipelinetest.GitHub(text)
	require.NoError(t, err)
	require.Len(t, legs, 2)
	for i, want := range []struct {
		code      int
		says, log string
	}{{0, "PASS", ""}, {99, "FAIL", "::error title=brownout tests/broken.yaml::FAIL"}} {
		out, err := legs[i].Run(t.Context(), dir, t.TempDir())
		require.NoError(t, err)
		require.Equal(t, want.code, out.Code, out.Output)
		assert.Equal(t, []string{"Check out", "Set up Go", "Install brownout", "Run", "Summary", "Keep the reports", "Keep the JUnit file"}, out.Ran)
		assert.Contains(t, out.Summary, want.says)
		assert.Contains(t, out.Summary, "### What to do next")
		assert.Contains(t, out.Output, want.log)
		kept(t, out.Artifacts)
	}
}

func TestE2EInitGitLab(t *testing.T) {
	dir := clone(t)
	a := Call(t, time.Minute, nil, "init", "gitlab", "--dir", dir, "--scenario", "tests/quick.yaml")
	require.Equal(t, 0, a.Code, a.Stderr)
	text, err := os.ReadFile(filepath.Join(dir, ".gitlab-ci.yml"))
	require.NoError(t, err)
	legs, err := pipelinetest.GitLab(text)
	require.NoError(t, err)
	require.Len(t, legs, 1)
	out, err := legs[0].Run(t.Context(), dir, t.TempDir())
	require.NoError(t, err)
	require.Equal(t, 0, out.Code, out.Output)
	kept(t, out.Artifacts)
}

// kept checks that every report of one run, and one JUnit file, were uploaded.
func kept(t *testing.T, artifacts map[string][]string) {
	t.Helper()
	require.Len(t, artifacts, 2)
	for name, files := range artifacts {
		all := strings.Join(files, "\n")
		if strings.Contains(name, "junit") {
			assert.Len(t, files, 1)
		} else {
			for _, report := range []string{"result.json", "report.html", "report.md"} {
				assert.Contains(t, all, report)
			}
		}
		assert.Contains(t, all, "junit.xml")
	}
}

func TestBasicInit(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		code int
		says string
		args []string
	}{
		{0, "wrote", []string{"github"}},
		{1, "--force", []string{"github"}},
		{0, "wrote", []string{"github", "--force"}},
		{0, "wrote", []string{"gitlab", "--scenario", "steady"}},
		{1, "brownout list", []string{"gitlab", "--scenario", "no-such", "--force"}},
		{1, "outside of the repository", []string{"gitlab", "--scenario", "../x.yaml", "--force"}},
	} {
		a := Call(t, time.Minute, nil, append(append([]string{"init"}, tc.args...), "--dir", dir)...)
		assert.Equal(t, tc.code, a.Code, "%v: %s", tc.args, a.Stderr)
		assert.Contains(t, a.Stdout+a.Stderr, tc.says, "%v", tc.args)
	}
}

// A finished run is shown in every format, with the run's own exit code.
func TestBasicReportFormats(t *testing.T) {
	file := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(quick, "e2e: 20s", "e2e: 1ms", 1)), 0o600))
	run, _ := Run(t, nil, file)
	require.Equal(t, 99, run.Code, run.Stderr)
	for format, says := range map[string]string{
		"terminal": "F A I L", "html": "<!doctype html>", "junit": "<testsuites>", "markdown": "## ❌ brownout: quick", "json": `"version": "brownout.result/v1"`,
	} {
		a := Call(t, time.Minute, nil, "report", run.Dir, "--format", format)
		assert.Equal(t, 99, a.Code, a.Stderr)
		assert.Contains(t, a.Stdout, says, format)
	}
	for file, format := range map[string]string{"report.html": "html", "junit.xml": "junit", "report.md": "markdown", "result.json": "json"} {
		written, err := os.ReadFile(filepath.Join(run.Dir, file))
		require.NoError(t, err)
		again := Call(t, time.Minute, nil, "report", filepath.Join(run.Dir, "result.json"), "--format", format)
		same := string(written) == again.Stdout // a difference of two whole reports helps nobody
		assert.True(t, same, "%s is not what --format %s prints", file, format)
	}
	a := Call(t, time.Minute, nil, "report", run.Dir, "--format", "pdf")
	assert.Equal(t, 1, a.Code)
	assert.Contains(t, a.Stderr, "write terminal, html, junit, markdown or json")
}
