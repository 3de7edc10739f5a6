package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBasicKilledHarnessLeavesNothing(t *testing.T) { killMidFault(t, "gpu-oom", 0) }

func TestE2EKilledHarnessLeavesNothingTenTimes(t *testing.T) {
	for i := range 10 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			killMidFault(t, "gpu-oom", time.Duration(rand.Int64N(int64(9*time.Second)))) //nolint:gosec // a random moment, no secret
		})
	}
}

// killMidFault kills `brownout run` of a scenario (the harness alone) with SIGKILL some time after its
// fault became effective, and expects every process of the run, and with them the fault, to be gone.
func killMidFault(t *testing.T, scenario string, after time.Duration) {
	dir := t.TempDir()
	mark := fmt.Sprintf("BROWNOUT_E2E_MARK=%d-%d", os.Getpid(), rand.Uint64()) //nolint:gosec // a mark, no secret
	cmd := exec.Command(Binary(t), "run", scenario, "--out", dir,
		"--set", "load.arrivals.rate=20/s") // light: ten of these run in a row
	cmd.Env = append(os.Environ(), mark)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // an ended process needs no signal

	require.Eventually(t, func() bool { return effective(dir) }, time.Minute, 50*time.Millisecond, "the fault never became effective: %s", &out)
	require.Greater(t, len(marked(t, mark)), 2, "harness, server and load generator run")
	time.Sleep(after) // a random moment of the fault phase is the point of this test
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed, as asked
	assert.Eventually(t, func() bool { return len(marked(t, mark)) == 0 }, 10*time.Second, 50*time.Millisecond,
		"left behind: %v", marked(t, mark))
}

// effective reports whether a journal of the run says that a fault is in effect.
func effective(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*", "faults", "journal.jsonl"))
	if err != nil || len(files) == 0 {
		return false
	}
	data, err := os.ReadFile(files[0])
	return err == nil && strings.Contains(string(data), `"step":"effective"`)
}

// marked lists the processes that carry the mark in their environment, as "pid command".
func marked(t *testing.T, mark string) []string {
	t.Helper()
	envs, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	var found []string
	for _, file := range envs {
		data, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(data, []byte(mark)) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline")) // it may just have ended
		found = append(found, filepath.Base(filepath.Dir(file))+" "+strings.ReplaceAll(string(cmdline), "\x00", " "))
	}
	return found
}
