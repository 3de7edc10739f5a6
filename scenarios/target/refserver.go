package target

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
)

// Refserver says which reference server to start.
type Refserver struct {
	Binary     string // of brownout itself
	Dir        string // of the run: logs, fault journal, undo state
	Preset     string
	ConfigFile string
	Resilience string
	Topology   string // "single", "processes"; empty: as the ConfigFile says
}

// StartRefserver starts `brownout serve` on free loopback ports, with faults and control enabled
// under tokens that only this run knows, and waits for its addresses.
func StartRefserver(ctx context.Context, c Refserver) (*Target, error) {
	t := &Target{Kind: "refserver", AdminToken: newToken(), FaultToken: newToken()}
	ready, childEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ready.Close()
	args := []string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--faults",
		"--fault-listen", "127.0.0.1:0", "--fault-dir", filepath.Join(c.Dir, "faults"), "--node-logs", filepath.Join(c.Dir, "nodes")}
	if c.ConfigFile != "" {
		args = append(args, "--config", c.ConfigFile)
	} else {
		args = append(args, "--preset", c.Preset)
	}
	if c.Resilience != "" {
		args = append(args, "--resilience", c.Resilience)
	}
	if c.Topology != "" {
		args = append(args, "--topology", c.Topology)
	}
	t.child, err = Start(Command{
		Binary: c.Binary, Args: args, Log: filepath.Join(c.Dir, "server.log"),
		Env:   []string{AdminTokenEnv + "=" + t.AdminToken, FaultTokenEnv + "=" + t.FaultToken, ReadyFDEnv + "=4"},
		Extra: []*os.File{childEnd},
	})
	childEnd.Close()
	if err != nil {
		return nil, fmt.Errorf("cannot start the reference server: %w", err)
	}
	listening, err := t.firstWords(ctx, ready)
	if err != nil {
		t.Stop()
		return nil, err
	}
	t.fill(listening)
	return t, nil
}

// firstWords is the child's one line on the ready pipe.
func (t *Target) firstWords(ctx context.Context, ready *os.File) (admin.Listening, error) {
	return t.child.FirstWords(ctx, ready, "the reference server")
}

// FirstWords waits for the child's one line on the ready pipe; who names the child in an error. The
// caller stops a child that said nothing.
func (c *Child) FirstWords(ctx context.Context, ready *os.File, who string) (admin.Listening, error) {
	type answer struct {
		l   admin.Listening
		err error
	}
	got := make(chan answer, 1)
	go func() {
		var a answer
		line, err := bufio.NewReader(ready).ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &a.l)
		}
		a.err = err
		got <- a
	}()
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	select {
	case a := <-got:
		if a.err != nil {
			c.Stop(5 * time.Second) // the pipe closed without a line: the child is ending, and its log is whole once it has
			return a.l, fmt.Errorf("%s did not start: %s", who, c.LastWords())
		}
		return a.l, nil
	case <-timer.C:
		return admin.Listening{}, fmt.Errorf("%s did not listen within 30 s; see %s", who, c.LogFile)
	case <-ctx.Done():
		return admin.Listening{}, context.Cause(ctx)
	}
}

// Announce writes the child's one line to the pipe its parent waits on. Without a parent it does nothing.
func Announce(l admin.Listening) error {
	fd := inherited(ReadyFDEnv)
	if fd == nil {
		return nil
	}
	defer fd.Close()
	return json.NewEncoder(fd).Encode(l)
}

func newToken() string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
