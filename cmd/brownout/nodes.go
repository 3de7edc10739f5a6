package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/refserver/node/remote"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// nodeStop is how long a node gets to end in order.
const nodeStop = 2 * time.Second

// nodeStarter starts `brownout node` as children of a server: they end with it, however it ends.
type nodeStarter struct {
	binary string
	args   []string
	token  string // that only this server knows
	dir    string // of their logs
	scrap  bool   // dir is temporary
	log    *slog.Logger
	starts atomic.Int64
}

func newNodeStarter(f serveFlags, cfg refserver.Config, log *slog.Logger) (*nodeStarter, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program to start nodes with: %w", err)
	}
	dir := f.nodeLogs
	if dir == "" {
		dir, err = os.MkdirTemp("", "brownout-nodes-")
	} else {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a directory for the logs of nodes: %w; choose another with --node-logs", err)
	}
	args := []string{"--resilience", cfg.Resilience}
	if f.config != "" {
		args = append(args, "--config", f.config)
	} else {
		args = append(args, "--preset", f.preset)
	}
	return &nodeStarter{binary: binary, args: args, token: rand.Text(), dir: dir, scrap: f.nodeLogs == "", log: log}, nil
}

// launch is a remote.Launch.
func (s *nodeStarter) launch(ctx context.Context, id string, load time.Duration) (remote.Process, error) {
	child, said, err := target.StartListening(ctx, "node "+id, target.Command{
		Binary: s.binary, Args: append([]string{"node", "--id", id, "--listen", "127.0.0.1:0", "--load", load.String()}, s.args...),
		Log: filepath.Join(s.dir, fmt.Sprintf("%s-%d.log", id, s.starts.Add(1))),
		Env: []string{refserver.NodeTokenVariable + "=" + s.token},
	})
	if err != nil {
		return nil, err
	}
	s.log.Info("node started", "node", id, "pid", child.PID(), "address", said.Node, "log", child.LogFile)
	return nodeProcess{Child: child, address: said.Node}, nil
}

// close removes the logs where nobody asked for them.
func (s *nodeStarter) close() {
	if s.scrap {
		_ = os.RemoveAll(s.dir) // temporary files, in the directory for such
	}
}

// nodeProcess is a remote.Process.
type nodeProcess struct {
	*target.Child
	address string
}

func (p nodeProcess) Address() string { return p.address }
func (p nodeProcess) Stop()           { p.Child.Stop(nodeStop) }
