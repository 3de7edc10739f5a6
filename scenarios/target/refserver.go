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
	// Settings are written over the preset or ConfigFile: "router.resumes=0". The file that results is
	// server.yaml in Dir.
	Settings []string
}

// StartRefserver starts `brownout serve` on free loopback ports, with faults and control enabled
// under tokens that only this run knows, and waits for its addresses.
func StartRefserver(ctx context.Context, c Refserver) (*Target, error) {
	t := &Target{Kind: "refserver", AdminToken: newToken(), FaultToken: newToken()}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--faults",
		"--fault-listen", "127.0.0.1:0", "--fault-dir", filepath.Join(c.Dir, "faults"), "--node-logs", filepath.Join(c.Dir, "nodes")}
	if len(c.Settings) > 0 {
		_, data, err := ServerConfig(c.Preset, c.ConfigFile, c.Settings)
		if err != nil {
			return nil, err
		}
		c.ConfigFile = filepath.Join(c.Dir, "server.yaml")
		if err := os.WriteFile(c.ConfigFile, data, 0o600); err != nil { // it may hold what a config file of the user's did
			return nil, fmt.Errorf("cannot write the server's config: %w", err)
		}
	}
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
	child, listening, err := StartListening(ctx, "reference server", Command{
		Binary: c.Binary, Args: args, Log: filepath.Join(c.Dir, "server.log"),
		Env: []string{AdminTokenEnv + "=" + t.AdminToken, FaultTokenEnv + "=" + t.FaultToken},
	})
	if err != nil {
		return nil, err
	}
	t.child = child
	t.fill(listening)
	return t, nil
}

// StartListening starts a child that announces its addresses, and waits for them. who is its name in errors.
// The command's Extra is taken up by that.
func StartListening(ctx context.Context, who string, c Command) (*Child, admin.Listening, error) {
	ready, childEnd, err := os.Pipe()
	if err != nil {
		return nil, admin.Listening{}, err
	}
	defer ready.Close()
	c.Env = append(c.Env, ReadyFDEnv+"=4")
	c.Extra = []*os.File{childEnd}
	child, err := Start(c)
	childEnd.Close()
	if err != nil {
		return nil, admin.Listening{}, fmt.Errorf("cannot start the %s: %w", who, err)
	}
	l, err := child.firstWords(ctx, who, ready)
	if err != nil {
		child.Stop(stopGrace)
	}
	return child, l, err
}

// firstWords waits for the child's one line on the ready pipe.
func (c *Child) firstWords(ctx context.Context, who string, ready *os.File) (admin.Listening, error) {
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
			c.Stop(stopGrace) // the pipe closed without a line: the child is ending, and its log is whole once it has
			return a.l, fmt.Errorf("the %s did not start: %s", who, c.LastWords())
		}
		return a.l, nil
	case <-timer.C:
		return admin.Listening{}, fmt.Errorf("the %s did not listen within 30 s; see %s", who, c.LogFile)
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
