package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/agent"
	driver "github.com/brownout-dev/brownout/faults/drivers/refserver"
	"github.com/brownout-dev/brownout/internal/build"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// serveFlags is what `brownout serve` takes.
type serveFlags struct {
	config, preset, resilience string
	topology, nodeLogs         string
	listen, adminListen        string
	faults                     bool
	faultListen, faultDir      string
	faultRemote                bool
}

func serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use: "serve", Short: "Run the reference server", Args: cobra.NoArgs,
		Long: `Run the reference inference server: OpenAI-compatible chat completions in front of simulated GPUs.

With --faults the same process holds faults for it (API on --fault-listen). That needs two tokens in the
environment: ` + target.AdminTokenEnv + ` for the admin listener and ` + target.FaultTokenEnv + ` for the fault API.
SIGTERM drains; a second signal ends at once.`,
		Example: `  brownout serve --preset chat-8b
  curl -N http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' \
    -d '{"model":"llama-3.1-8b","stream":true,"max_tokens":16,"messages":[{"role":"user","content":"hi"}]}'
  ` + target.AdminTokenEnv + `=a ` + target.FaultTokenEnv + `=b brownout serve --faults`,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c, f) },
	}
	c.Flags().StringVar(&f.config, "config", "", "YAML config file")
	c.Flags().StringVar(&f.preset, "preset", refserver.DefaultPreset, "preset, when there is no --config")
	c.Flags().StringVar(&f.resilience, "resilience", "", "full, or none for the control group (default: the config's)")
	c.Flags().StringVar(&f.topology, "topology", "", "single, or processes: every node a process of its own (default: the config's)")
	c.Flags().StringVar(&f.nodeLogs, "node-logs", "", "directory for the logs of node processes (default: a temporary one)")
	c.Flags().StringVar(&f.listen, "listen", "", "host:port of the API (default: the config's)")
	c.Flags().StringVar(&f.adminListen, "admin-listen", "", "host:port of the admin listener (default: the config's)")
	c.Flags().BoolVar(&f.faults, "faults", false, "hold faults for this server")
	c.Flags().StringVar(&f.faultListen, "fault-listen", "127.0.0.1:9100", "host:port of the fault API")
	c.Flags().StringVar(&f.faultDir, "fault-dir", "brownout-faults", "directory of the fault journal and of what is needed to undo")
	c.Flags().BoolVar(&f.faultRemote, "fault-allow-remote", false, "allow --fault-listen on an address others can reach")
	return c
}

// serverConfig is the effective configuration of a server.
func serverConfig(file, preset, resilience string) (refserver.Config, error) {
	var cfg refserver.Config
	if file != "" {
		var err error
		if cfg, err = refserver.Load(file); err != nil {
			return cfg, err
		}
	} else {
		var ok bool
		if cfg, ok = refserver.Preset(preset); !ok {
			return cfg, fmt.Errorf("there is no preset %q; there is %v", preset, refserver.Presets())
		}
	}
	if resilience != "" {
		cfg.Resilience = resilience
	}
	return cfg.WithEnvironment(os.Getenv), nil
}

func (f serveFlags) server() (refserver.Config, error) {
	cfg, err := serverConfig(f.config, f.preset, f.resilience)
	if err != nil {
		return cfg, err
	}
	if f.topology != "" {
		cfg.Cluster.Topology = f.topology
	}
	if f.listen != "" {
		cfg.Listen = f.listen
	}
	if f.adminListen != "" {
		cfg.Admin.Listen = f.adminListen
	}
	if !f.faults {
		return cfg, nil
	}
	cfg.Admin.Control = true
	if os.Getenv(target.FaultTokenEnv) == "" {
		return cfg, fmt.Errorf("%s is empty: faults are never held without a token, set one", target.FaultTokenEnv)
	}
	if !f.faultRemote && !loopback(f.faultListen) {
		return cfg, fmt.Errorf("--fault-listen %s can be reached from other machines: use 127.0.0.1, or add --fault-allow-remote if you mean it", f.faultListen)
	}
	return cfg, nil
}

func serve(c *cobra.Command, f serveFlags) error {
	target.Watch(func() { os.Exit(1) }) // our faults and our GPUs are in this process: they go with it
	cfg, err := f.server()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	clock := event.NewClock()
	deps := refserver.Deps{Log: log, Version: build.String(), Clock: clock}
	if cfg.Cluster.Topology == refserver.Processes && len(cfg.Cluster.Addresses) == 0 {
		nodes, err := newNodeStarter(f, cfg, log)
		if err != nil {
			return err
		}
		defer nodes.close()
		cfg.Cluster.NodeToken, deps.Launch = nodes.token, nodes.launch
	}
	srv, err := refserver.New(cfg, deps)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // a second signal ends at once
		<-ctx.Done()
		stop()
	}()
	serving, halt := context.WithCancel(context.WithoutCancel(ctx))
	defer halt()
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(serving) }()
	select {
	case err := <-ended:
		return err
	case <-srv.Ready():
	}
	where := srv.Listening()
	where.PID = os.Getpid()
	var holder *faultHolder
	if f.faults {
		if holder, err = holdFaults(ctx, f, where.Admin, cfg.Admin.Token, clock, srv.Events(), log); err != nil {
			return err
		}
		where.Faults = holder.url
	}
	log.Info("serving", "api", where.API, "admin", where.Admin, "faults", where.Faults, "resilience", cfg.Resilience)
	if err := target.Announce(where); err != nil {
		return err
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	// Faults are undone while the server can still prove that they are gone; then it drains.
	if holder != nil {
		err = errors.Join(err, holder.stop())
	}
	halt()
	if err == nil {
		err = <-ended
	}
	return err
}

// faultHolder is the agent that lives in the server's process, with its HTTP API.
type faultHolder struct {
	url    string
	cancel context.CancelFunc
	http   *http.Server
	work   sync.WaitGroup
	err    error // of the agent; read after work
}

func holdFaults(ctx context.Context, f serveFlags, adminURL, adminToken string, clock *event.Clock, sink event.Sink, log *slog.Logger) (*faultHolder, error) {
	d, err := driver.New(driver.Config{AdminURL: adminURL, Token: adminToken, NoOp: os.Getenv(faultNoOpEnv) == "1"})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.faultDir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make --fault-dir: %w; choose another", err)
	}
	a, err := agent.New(agent.Config{Drivers: []faults.Driver{d}, Clock: clock, Sink: sink, Log: log,
		JournalFile: filepath.Join(f.faultDir, "journal.jsonl"), StateDir: filepath.Join(f.faultDir, "state"),
		Token: os.Getenv(target.FaultTokenEnv)})
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.faultListen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on --fault-listen %s, choose another address: %w", f.faultListen, err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h := &faultHolder{url: "http://" + l.Addr().String(), cancel: cancel,
		http: &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
			WriteTimeout: 3 * time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}}
	h.work.Go(func() { h.err = a.Run(running) })
	h.work.Go(func() { _ = h.http.Serve(l) }) // ends with ErrServerClosed on stop
	return h, nil
}

// stop undoes every fault and proves it.
func (h *faultHolder) stop() error {
	h.cancel()
	h.http.Close()
	h.work.Wait()
	return h.err
}
