package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/build"
	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// nodeFlags is what `brownout node` takes.
type nodeFlags struct {
	config, preset, resilience string
	id, listen                 string
	load                       time.Duration
}

func nodeCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use: "node", Short: "Run one node of a reference server's cluster", Args: cobra.NoArgs,
		Long: `Run one node of a reference server's cluster: its GPUs and engines, served over gRPC to gateways.

A server with topology processes starts its nodes by itself. This command is for nodes elsewhere: give the
server their addresses (cluster.addresses) and the same config. Beyond loopback a node wants a token, the same
in the environment of node and server: ` + refserver.NodeTokenVariable + `.`,
		Example: `  brownout node --id n1 --listen 127.0.0.1:7001
  brownout node --id n2 --listen 127.0.0.1:7002 --config six.yaml`,
		RunE: func(c *cobra.Command, _ []string) error { return runNode(c, f) },
	}
	c.Flags().StringVar(&f.config, "config", "", "YAML config file, the server's")
	c.Flags().StringVar(&f.preset, "preset", refserver.DefaultPreset, "preset, when there is no --config")
	c.Flags().StringVar(&f.resilience, "resilience", "", "full, or none for the control group (default: the config's)")
	c.Flags().StringVar(&f.id, "id", "", "which node of the cluster this is, for example n1")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:7001", "host:port; port 0 takes a free one")
	c.Flags().DurationVar(&f.load, "load", 0, "time until its engines are ready (default: the config's cluster.first_load)")
	return c
}

func runNode(c *cobra.Command, f nodeFlags) error {
	target.Watch(func() { os.Exit(1) }) // our GPUs are in this process: they go with it
	cfg, err := serverConfig(f.config, f.preset, f.resilience)
	if err != nil {
		return err
	}
	n, err := refserver.NewNode(refserver.NodeConfig{Server: cfg, ID: f.id, Listen: f.listen, Load: f.load},
		refserver.Deps{Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Version: build.String()})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-n.Ready():
	}
	if err := target.Announce(admin.Listening{Node: n.Address(), PID: os.Getpid()}); err != nil {
		return err
	}
	return <-ended
}
