package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

func TestBasicSelectorThatMatchesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "nothing.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`apiVersion: brownout/v1
name: nothing
question: Does a fault on a GPU that is not there start?
target: {refserver: {preset: chat-8b}}
load:
  arrivals: {process: poisson, rate: 5/s}
  prompt_tokens: 16
  output_tokens: 4
phases:
  - {name: before, for: 1s}
  - {name: fault, for: 10s}
faults:
  - {at: fault, inject: "gpu.oom on gpu=n9/g0 for 1s"}
slo:
  limits: {ttft: 1s, e2e: 5s}
  recovery: {hold: 1s, horizon: 5s}
  gates:
    before: [goodput >= 99%]
`), 0o600))
	a := Call(t, time.Minute, nil, "run", "--out", dir, file)
	assert.Equal(t, 1, a.Code, a.Stderr)
	assert.Contains(t, a.Stderr, "nothing.yaml:13")
	assert.Contains(t, a.Stderr, "n9/g0")
	assert.Contains(t, a.Stderr, "n1/g0", "the error lists what there is")
	shards, err := filepath.Glob(filepath.Join(dir, "*", "records.shard"))
	require.NoError(t, err)
	assert.Empty(t, shards, "no load was sent")
}

func TestBasicFaultThatDoesNothing(t *testing.T) {
	a, r := Run(t, []string{"BROWNOUT_TEST_FAULT_NOOP=1"}, "gpu-oom")
	require.Equal(t, 3, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, slo.Unknown, r.Judgement.Verdict)
	assert.True(t, because(r.Judgement, "unproven"), "%v", r.Judgement.Reasons)
}

func TestBasicClientLimited(t *testing.T) {
	a, r := Run(t, nil, "steady", "--set", "load.arrivals.rate=200000/s")
	require.Equal(t, 3, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.True(t, because(r.Judgement, "client-limited"), "%v", r.Judgement.Reasons)
}

func TestBasicDeadTarget(t *testing.T) {
	a := Call(t, time.Minute, nil, "run", "--out", t.TempDir(), "steady", "--target", "http://127.0.0.1:1")
	assert.Equal(t, 1, a.Code)
	assert.Regexp(t, `^brownout: nobody answers at --target http://127\.0\.0\.1:1 .*\n$`, a.Stderr, "one sentence")
}

func TestBasicUsage(t *testing.T) {
	for _, tc := range []struct {
		name, says string
		args       []string
	}{
		{"no such scenario", "brownout list", []string{"run", "no-such-thing"}},
		{"no such flag", "unknown flag", []string{"run", "steady", "--frobnicate"}},
		{"bad override", "load.arrivals.rate", []string{"run", "steady", "--set", "load.arrivals.rate=fast"}},
		{"unknown override", "frobnicate", []string{"validate", "steady", "--set", "frobnicate=1"}},
		{"not a URL", "--target", []string{"run", "steady", "--target", "localhost"}},
		{"a share of nobody knows what", "--saturation", []string{"run", "steady", "--set", "load.arrivals.rate=60%", "--target", "http://127.0.0.1:1"}},
		{"saturation of a plain rate", "rate written as a share", []string{"run", "steady", "--saturation", "250/s"}},
		{"overloading somebody", "--max-rate", []string{"saturate", "--target", "http://192.0.2.1:8000"}},
		{"a probe too short", "before a queue can grow", []string{"saturate", "--probe", "1s"}},
		{"no such result", "result", []string{"report", "/nonexistent"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := Call(t, time.Minute, nil, tc.args...)
			assert.Equal(t, 1, a.Code)
			assert.Contains(t, a.Stderr, tc.says)
			assert.NotContains(t, a.Stderr, "goroutine")
		})
	}
}

func TestBasicCommands(t *testing.T) {
	for _, tc := range []struct {
		says string
		args []string
	}{
		{"gpu-oom", []string{"list"}},
		{`"name"`, []string{"list", "--json"}},
		{"valid", []string{"validate", "gpu-oom", "steady"}},
		{"saturation", []string{"explain", "gpu-oom"}},
		{"cores", []string{"doctor"}},
		{`"version": "brownout.doctor/v1"`, []string{"doctor", "--json", "--scenario", "gpu-oom"}},
		{"written as 60% of saturation", []string{"explain", "steady", "--set", "load.arrivals.rate=60%"}},
		{"--max-rate", []string{"saturate", "--help"}},
		{"brownout 0.", []string{"version"}},
		{"gpu.oom", []string{"fault", "list"}},
		{"k6/x/brownout", []string{"k6", "version"}},
		{"Exit codes", []string{"run", "--help"}},
	} {
		a := Call(t, time.Minute, nil, tc.args...)
		assert.Equal(t, 0, a.Code, "%v: %s", tc.args, a.Stderr)
		assert.Contains(t, a.Stdout, tc.says, "%v", tc.args)
	}
}

// because reports whether a reason is among the judgement's.
func because(j slo.Judgement, word string) bool {
	for _, r := range j.Reasons {
		if r.Word == word {
			return true
		}
	}
	return false
}
