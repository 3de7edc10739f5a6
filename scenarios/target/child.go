package target

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Child is a process of this very binary. It holds the read end of a pipe whose write end is ours:
// when we are gone, however we went, it reads end of file and ends itself (see Watch).
type Child struct {
	LogFile string

	cmd  *exec.Cmd
	life *os.File // our end of the pipe: never written, closed by Stop or by our death
	done chan struct{}
	stop sync.Once

	err error // written before done is closed
}

// Command says what to start.
type Command struct {
	Binary string
	Args   []string
	Env    []string // added to ours
	Stdin  io.Reader
	Log    string     // file for stdout and stderr
	Extra  []*os.File // inherited from descriptor 4 on; descriptor 3 is the parent pipe
}

// Start starts the child. The files in Extra stay the caller's to close.
func Start(c Command) (*Child, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	log, err := os.Create(c.Log)
	if err != nil {
		write.Close()
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.Binary, c.Args...) //nolint:noctx // its life is bounded by the pipe and by Stop, not by a context
	cmd.Env = append(os.Environ(), ParentFDEnv+"=3")
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.Stdin = c.Stdin
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = append([]*os.File{read}, c.Extra...)
	// A group of its own: the terminal's Ctrl-C reaches us alone, and we end it in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, err
	}
	child := &Child{LogFile: c.Log, cmd: cmd, life: write, done: make(chan struct{})}
	go func() {
		child.err = cmd.Wait()
		close(child.done)
	}()
	return child, nil
}

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// ExitCode is the code of an ended process: −1 when a signal ended it.
func (c *Child) ExitCode() int {
	<-c.done
	return c.cmd.ProcessState.ExitCode()
}

// PID is the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Kill ends it at once with SIGKILL; Done says when it has ended.
func (c *Child) Kill() { _ = c.cmd.Process.Kill() } // an ended process needs no signal

// Interrupt asks it to end in order.
func (c *Child) Interrupt() { _ = c.cmd.Process.Signal(os.Interrupt) } // an ended process needs no signal

// Stop asks with SIGTERM, waits, then kills. Idempotent.
func (c *Child) Stop(grace time.Duration) {
	c.stop.Do(func() {
		_ = c.cmd.Process.Signal(syscall.SIGTERM) // an ended process needs no signal
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.done:
		case <-timer.C:
			_ = c.cmd.Process.Kill() // the same
			<-c.done
		}
		c.life.Close()
	})
	<-c.done
}

// LastWords is the end of its log in one line, for an error message.
func (c *Child) LastWords() string {
	data, err := os.ReadFile(c.LogFile)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return "(none)"
	}
	return last[:min(len(last), 400)]
}

// Watch calls gone once the parent that started this process with Start is no more. Without such a
// parent it does nothing.
func Watch(gone func()) {
	fd := inherited(ParentFDEnv)
	if fd == nil {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, fd) // nothing is ever written: it returns at end of file
		gone()
	}()
}

// inherited is the open descriptor named by an environment variable, or nil. The variable is
// removed so that grandchildren do not take an unrelated descriptor for it.
func inherited(env string) *os.File {
	var fd int
	if _, err := fmt.Sscanf(os.Getenv(env), "%d", &fd); err != nil || fd < 3 {
		return nil
	}
	_ = os.Unsetenv(env) // fails only for an empty name
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), env)
}
