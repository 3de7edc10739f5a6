// Package e2e drives brownout as its users do: the built binary, its files, its exit codes. Black
// box: nothing here reaches into the program.
//
// What may not live here: unit tests, timed assertions.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
)

// Answer is what one call of the binary left behind.
type Answer struct {
	Code           int
	Stdout, Stderr string
	Dir            string // of the run, if there was one
}

// Binary is the built brownout.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../bin/brownout")
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "build it first: make build")
	return path
}

// Call runs the binary to its end, at most limit long.
func Call(t testing.TB, limit time.Duration, env []string, args ...string) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		require.NoError(t, err)
	}
	require.NoError(t, ctx.Err(), "brownout %s did not end within %v\n%s\n%s", strings.Join(args, " "), limit, &out, &errs)
	return Answer{Code: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}
}

// Run runs a scenario into a directory of the test's own and reads its result, if there is one.
func Run(t testing.TB, env []string, args ...string) (Answer, result.Result) {
	t.Helper()
	dir := t.TempDir()
	a := Call(t, 5*time.Minute, env, append([]string{"run", "--out", dir}, args...)...)
	runs, err := filepath.Glob(filepath.Join(dir, "*", "result.json"))
	require.NoError(t, err)
	if len(runs) == 0 {
		return a, result.Result{}
	}
	a.Dir = filepath.Dir(runs[0])
	r, err := result.Read(runs[0])
	require.NoError(t, err)
	return a, r
}

// Settled runs a scenario, again (at most twice) while the machine was too busy to tell. A machine
// that is always too busy fails the test: nothing was shown.
func Settled(t testing.TB, env []string, args ...string) (Answer, result.Result) {
	t.Helper()
	for try := 1; ; try++ {
		a, r := Run(t, env, args...)
		if !busy(r) || try == 3 {
			return a, r
		}
		t.Logf("try %d: %s", try, strings.Join(r.Summary, " "))
	}
}

// busy reports whether the verdict is unknown because of this machine alone.
func busy(r result.Result) bool {
	if r.ExitCode != 3 {
		return false
	}
	for _, reason := range r.Judgement.Reasons {
		switch reason.Word {
		case "client-limited", "simulator-limited":
			return true
		}
	}
	return false
}
