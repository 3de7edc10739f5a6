package target

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
)

// TestMain lets the test binary play the child, and a parent that is killed.
func TestMain(m *testing.M) {
	switch os.Getenv("TARGET_TEST_ROLE") {
	case "child": // ends only when its parent is gone
		Watch(func() { os.Exit(7) })
		_ = Announce(admin.Listening{API: "http://127.0.0.1:1", PID: os.Getpid()}) // the parent looks at the pipe
		select {}
	case "deaf": // ignores SIGTERM
		Watch(func() { os.Exit(7) })
		syscallIgnoreTerm()
		_ = Announce(admin.Listening{PID: os.Getpid()}) // the parent looks at the pipe
		select {}
	case "failing":
		fmt.Fprintln(os.Stderr, "first line")
		fmt.Fprintln(os.Stderr, "port 8000 is in use; choose another with --listen")
		os.Exit(1)
	case "parent": // starts a child and tells its pid, then waits to be killed
		_, pid := startRole("child", os.Getenv("TARGET_TEST_DIR"))
		fmt.Println(pid)
		select {}
	}
	os.Exit(m.Run())
}

func startRole(role, dir string) (*Child, int) {
	read, write, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	defer read.Close()
	c, err := Start(Command{Binary: os.Args[0], Log: filepath.Join(dir, role+".log"),
		Env: []string{"TARGET_TEST_ROLE=" + role, ReadyFDEnv + "=4"}, Extra: []*os.File{write}})
	write.Close()
	if err != nil {
		panic(err)
	}
	var l admin.Listening
	_ = json.NewDecoder(bufio.NewReader(read)).Decode(&l) // a failing child says nothing
	return c, l.PID
}

func TestChildEndsWhenItsParentIsKilled(t *testing.T) {
	dir := t.TempDir()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	parent, err := os.StartProcess(os.Args[0], []string{os.Args[0]}, &os.ProcAttr{
		Env: append(os.Environ(), "TARGET_TEST_ROLE=parent", "TARGET_TEST_DIR="+dir), Files: []*os.File{nil, write, os.Stderr}})
	require.NoError(t, err)
	write.Close()
	var pid int
	_, err = fmt.Fscan(read, &pid)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, 0), "the grandchild runs")
	require.NoError(t, parent.Kill())
	_, err = parent.Wait()
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return ended(pid) }, 10*time.Second, 10*time.Millisecond)
}

// ended reports whether no process of that id runs; one that waits to be reaped does not run.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	var id int
	var name, state string
	_, err = fmt.Sscan(string(stat), &id, &name, &state)
	return err == nil && state == "Z"
}

func TestStopIsGentleThenFirm(t *testing.T) {
	c, pid := startRole("child", t.TempDir())
	require.NotZero(t, pid)
	c.Stop(10 * time.Second)
	assert.Equal(t, -1, c.ExitCode(), "SIGTERM ended it")

	deaf, pid := startRole("deaf", t.TempDir())
	require.NotZero(t, pid)
	deaf.Stop(50 * time.Millisecond)
	deaf.Stop(time.Hour) // again is nothing
	assert.Equal(t, -1, deaf.ExitCode(), "SIGKILL ended it")
}

func TestLastWordsOfAChildThatFailed(t *testing.T) {
	c, _ := startRole("failing", t.TempDir())
	assert.Equal(t, 1, c.ExitCode())
	assert.Equal(t, "port 8000 is in use; choose another with --listen", c.LastWords())
	c.Stop(0)

	_, err := StartRefserver(t.Context(), Refserver{Binary: "/bin/false", Dir: t.TempDir(), Preset: "chat-8b"})
	assert.ErrorContains(t, err, "did not start")
}
