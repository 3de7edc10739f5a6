package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func TestScenarioNodeLoss(t *testing.T) {
	for _, topology := range []string{"processes", "single"} {
		t.Run(topology, func(t *testing.T) {
			a, r := Settled(t, nil, "node-loss", "--set", "target.refserver.topology="+topology)
			require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
			f := onlyFault(t, r)
			assert.NotZero(t, f.Effective, "the fault is proven")
			assert.Contains(t, f.Evidence, map[string]string{"processes": "is gone", "single": "are dead"}[topology])
			assert.NotEmpty(t, f.Gone)
			assert.Contains(t, []slo.RecoveryState{slo.Absorbed, slo.Recovered}, f.State)
			assert.NotZero(t, f.Touched)
			assert.NotZero(t, f.Resumed)
			assert.NotZero(t, f.Detected)
			assert.GreaterOrEqual(t, phase(t, r, "fault").Goodput, 0.99)
			assert.Zero(t, r.Judgement.Run.Outcomes["truncated"]+r.Judgement.Run.Outcomes["corrupt"])
		})
	}
}

// The control: without its protections the same server fails the same gate.
func TestScenarioNodeLossWithoutResilience(t *testing.T) {
	a, r := Settled(t, nil, "node-loss", "--set", "target.refserver.resilience=none")
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	f := onlyFault(t, r)
	assert.NotZero(t, f.Impact)
	assert.NotZero(t, f.Lost)
	assert.Less(t, phase(t, r, "fault").Goodput, 0.99)
	assert.True(t, seen(r, "node.dead"))
}

func TestScenarioSlowNodeThenDead(t *testing.T) {
	a, r := Settled(t, nil, "slow-node-then-dead")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	require.Len(t, r.Judgement.Faults, 2)
	for _, f := range r.Judgement.Faults {
		assert.NotZero(t, f.Effective, "%s is proven", f.Kind)
		assert.NotEmpty(t, f.Gone, "%s is proven gone", f.Kind)
		assert.NotZero(t, f.Touched)
	}
	assert.Zero(t, r.Judgement.Run.Outcomes["truncated"]+r.Judgement.Run.Outcomes["corrupt"])
}

func TestScenarioSlowNodeThenDeadWithoutResilience(t *testing.T) {
	a, r := Settled(t, nil, "slow-node-then-dead", "--set", "target.refserver.resilience=none")
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Less(t, phase(t, r, "dead").Goodput, 0.99)
}

func TestE2EKilledHarnessLeavesNoNode(t *testing.T) {
	for i := range 3 {
		t.Run(strconv.Itoa(i), func(t *testing.T) { killMidFault(t, "node-loss", time.Duration(i)*3*time.Second) })
	}
}

// stopped is a load under which a node is stopped for three seconds. A stream of it waits for the
// heartbeats' bound, so the limits do not speak of gaps; that nothing is lost or repeated is the promise.
const stopped = `apiVersion: brownout/v1
name: node-stopped
question: When a node falls silent without closing a connection and wakes up later, is any answer lost or garbled?
target: {refserver: {preset: chat-8b, resilience: full, topology: processes}}
load:
  arrivals: {process: poisson, rate: 60/s}
  prompt_tokens: 128
  output_tokens: 128
  stream: true
phases:
  - {name: all, for: 15s}
slo:
  limits: {e2e: 10s}
  gates:
    run: [goodput >= 99%, count truncated == 0, count corrupt == 0]
timeouts: {connect: 2s, ttft: 10s, stall: 8s, total: 30s}
`

// SIGSTOP closes no connection: only heartbeats tell. SIGCONT lets the node say what it held back.
func TestE2ENodeStopped(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "node-stopped.yaml")
	require.NoError(t, os.WriteFile(file, []byte(stopped), 0o600))
	said := regexp.MustCompile(`notice a dead replica within (\S+)`).FindStringSubmatch(Call(t, time.Minute, nil, "explain", file).Stdout)
	require.Len(t, said, 2, "explain prints the bound")
	bound, err := time.ParseDuration(said[1])
	require.NoError(t, err)

	mark := "BROWNOUT_E2E_MARK=stopped-" + strconv.Itoa(os.Getpid())
	cmd := exec.Command(Binary(t), "run", file, "--out", dir)
	cmd.Env = append(os.Environ(), mark)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // an ended process needs no signal
	pid := 0
	require.Eventually(t, func() bool { pid = nodePID(t, mark, "n2"); return pid != 0 && loading(dir) }, time.Minute, 20*time.Millisecond)
	time.Sleep(4 * time.Second) // into the load
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	at := time.Now()
	time.Sleep(3 * time.Second)
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	err = cmd.Wait()
	files, globErr := filepath.Glob(filepath.Join(dir, "*", "result.json"))
	require.NoError(t, globErr)
	require.Len(t, files, 1, "%v\n%s", err, &out)
	r, err := result.Read(files[0])
	require.NoError(t, err)
	if !busy(r) {
		assert.Zero(t, r.ExitCode, "%s", &out)
	}
	assert.Equal(t, map[string]int{"ok": r.Judgement.Run.Due}, r.Judgement.Run.Outcomes, "nothing is lost, cut or repeated")
	var noticed time.Duration
	for _, kind := range []string{"node.suspected", "node.dead", "node.returned"} {
		i := -1
		for k, e := range r.Events {
			if string(e.Kind) == kind && e.Target == "n2" && int64(e.At) > at.UnixNano() {
				i = k
				break
			}
		}
		if assert.NotEqual(t, -1, i, "no %s", kind) {
			after := time.Duration(int64(r.Events[i].At) - at.UnixNano())
			t.Logf("%s %v after SIGSTOP", kind, after.Round(time.Millisecond))
			if noticed == 0 {
				noticed = after
			}
		}
	}
	assert.Less(t, noticed, bound)
	assert.True(t, seen(r, "request.resumed"), "its streams went on elsewhere")
	assert.Empty(t, marked(t, mark))
}

// nodePID is the process of a node of the run that bears the mark; 0 before there is one.
func nodePID(t *testing.T, mark, id string) int {
	t.Helper()
	for _, p := range marked(t, mark) {
		if strings.Contains(p, " node --id "+id+" ") {
			pid, err := strconv.Atoi(strings.Fields(p)[0])
			require.NoError(t, err)
			return pid
		}
	}
	return 0
}

// loading reports whether a run in dir has begun to send load.
func loading(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*", "k6.json"))
	return err == nil && len(files) > 0
}
