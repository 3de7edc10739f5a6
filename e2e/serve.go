package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
)

// startServe runs `brownout serve` as a process of this test, with the admin listener open to adminToken.
func startServe(t *testing.T, args ...string) admin.Listening {
	t.Helper()
	ready, theirs, err := os.Pipe()
	require.NoError(t, err)
	defer ready.Close()
	cmd := exec.Command(Binary(t), append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, args...)...) //nolint:noctx // background ends it
	cmd.Env = append(os.Environ(), "BROWNOUT_READY_FD=3", "BROWNOUT_ADMIN_TOKEN="+adminToken)
	cmd.ExtraFiles = []*os.File{theirs}
	background(t, cmd)
	theirs.Close()
	line, err := bufio.NewReader(ready).ReadBytes('\n')
	require.NoError(t, err)
	var l admin.Listening
	require.NoError(t, json.Unmarshal(line, &l))
	return l
}

// background runs a command until the test is over; its output is shown if the test failed.
func background(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // an ended process needs no signal
		_ = cmd.Wait()                       // its exit code is of no interest
		if t.Failed() {
			data, _ := os.ReadFile(log.Name())
			t.Logf("%s:\n%s", cmd.Path, data)
		}
		log.Close()
	})
}
