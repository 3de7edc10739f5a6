package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/slo"
)

// foreign is a load of 40 requests a second for 3 s on a server that is not ours.
const foreign = `apiVersion: brownout/v1
name: foreign
question: What does a server that is not ours answer?
load:
  arrivals: {process: constant, rate: 40/s}
  prompt_tokens: 16
  output_tokens: 8
  stream: true
phases:
  - {name: all, for: 3s}
slo:
  limits: {ttft: 700ms, e2e: 3s}
  gates:
    run: [goodput >= 1%]
timeouts: {connect: 1s, ttft: 700ms, stall: 400ms, total: 3s}
`

// against runs the foreign scenario on a server that answers the n-th request by scripts[n mod len].
func against(t *testing.T, scripts ...string) (Answer, slo.Judgement) {
	t.Helper()
	parsed := make([]fakellm.Script, len(scripts))
	for i, text := range scripts {
		s, err := fakellm.ParseScript(text)
		require.NoError(t, err)
		parsed[i] = s
	}
	server := &fakellm.Server{Pick: func(n uint64) fakellm.Script { return parsed[n%uint64(len(parsed))] }}
	url, stop, err := server.Listen()
	require.NoError(t, err)
	t.Cleanup(stop)
	file := filepath.Join(t.TempDir(), "foreign.yaml")
	require.NoError(t, os.WriteFile(file, []byte(foreign), 0o600))
	a, r := Settled(t, nil, file, "--target", url)
	return a, r.Judgement
}

// Whatever way a proper answer is cut into chunks, it is counted and timed the same.
func TestBasicForeignTargetWithQuirks(t *testing.T) {
	quirks := []string{"", "role", "comments", "crlf", "perchunk=3", "escaped", "nousage", "nodone", "role,comments,crlf,perchunk=2,nodone"}
	for i := range quirks {
		quirks[i] = strings.Trim("ttft=30ms,gap=5ms,"+quirks[i], ",")
	}
	a, j := against(t, quirks...)
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, 120, j.Run.Due)
	assert.Equal(t, map[string]int{"ok": 120}, j.Run.Outcomes)
	assert.InDelta(t, 1, j.Run.Goodput, 0)
	assert.GreaterOrEqual(t, j.Run.TTFT.Completed["p50"], 0.030, "role-only chunks and comments are no first token")
	assert.InDelta(t, 120*8/3.0, j.Run.OutputRate, 1, "tokens, not chunks")
}

// Every way to fail is told from every other.
func TestBasicForeignTargetThatFailsInEveryWay(t *testing.T) {
	planted := []struct{ script, outcome string }{
		{"ttft=5ms,gap=1ms", "ok"},
		{"fallback", "degraded"},
		{"status=404", "http_4xx"},
		{"status=429", "rate_limited"},
		{"status=503", "overloaded"},
		{"status=500", "http_5xx"},
		{"fail=reset,after=2", "reset"},
		{"fail=close,after=2", "reset"},
		{"ttft=1h", "timeout_ttft"},
		{"fail=stall,after=3", "timeout_stall"},
		{"gap=250ms,tokens=16", "timeout_total"},
		{"fail=error,after=2", "error_event"},
		{"fail=truncate,after=4", "truncated"},
		{"fail=empty", "empty"},
		{"fail=json,after=2", "corrupt"},
	}
	scripts, want := make([]string, len(planted)), map[string]int{}
	for i, p := range planted {
		scripts[i] = p.script
		want[p.outcome] += 120 / len(planted)
	}
	a, j := against(t, scripts...)
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, want, j.Run.Outcomes, "%s", fmt.Sprint(a.Stdout))
}
