package lies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/result"
)

// Stage is where a lie is told: a directory, a binary, and servers that end with the test.
type Stage struct {
	Binary string // brownout, whole or with a guard taken away
	t      testing.TB
	dir    string
}

// NewStage makes a stage for one telling.
func NewStage(t testing.TB, binary string) *Stage {
	return &Stage{Binary: binary, t: t, dir: t.TempDir()}
}

// Outcome is how a run ended.
type Outcome struct {
	Code           int
	Stdout, Stderr string
	Result         result.Result // zero without a verdict
}

// limit is how long one run may take; the longest plan here has 12 s.
const limit = 90 * time.Second

// run writes the scenario and runs it. during is called, on a goroutine of its own, once the child runs.
func (s *Stage) run(scenario string, during func(pid int), args ...string) (Outcome, error) {
	file, out := filepath.Join(s.dir, "lie.yaml"), filepath.Join(s.dir, "out")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Binary, append([]string{"run", "--quiet", "--out", out, file}, args...)...)
	cmd.Env = append(os.Environ(), "BROWNOUT_FAULT_TOKEN="+token, "BROWNOUT_ADMIN_TOKEN="+token)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return Outcome{}, err
	}
	if during != nil {
		go during(cmd.Process.Pid)
	}
	err := cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return Outcome{}, err
	}
	if ctx.Err() != nil {
		return Outcome{}, fmt.Errorf("the run did not end within %v: %s", limit, &stderr)
	}
	o := Outcome{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
	runs, err := filepath.Glob(filepath.Join(out, "*", "result.json"))
	if err != nil || len(runs) == 0 {
		return o, err
	}
	o.Result, err = result.Read(runs[len(runs)-1])
	return o, err
}

// serve starts a scripted server and returns its base URL.
func (s *Stage) serve(server *fakellm.Server) (string, error) {
	url, stop, err := server.Listen()
	if err == nil {
		s.t.Cleanup(stop)
	}
	return url, err
}

// against runs the scenario on a server that answers by script.
func (s *Stage) against(script, scenario string, during func(pid int)) (Outcome, error) {
	parsed, err := fakellm.ParseScript(script)
	if err != nil {
		return Outcome{}, err
	}
	url, err := s.serve(&fakellm.Server{Default: parsed})
	if err != nil {
		return Outcome{}, err
	}
	return s.run(scenario, during, "--target", url)
}
