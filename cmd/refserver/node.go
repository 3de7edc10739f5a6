package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/brownout-dev/brownout/refserver"
)

// runNode is `refserver node`: one node of a cluster, for a gateway with topology processes.
func runNode(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	flags := flag.NewFlagSet("refserver node", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // a mistake is one sentence from main, not the whole usage
	file := flags.String("config", "", "YAML config file, the gateway's")
	preset := flags.String("preset", refserver.DefaultPreset, "config to start from without --config")
	resilience := flags.String("resilience", "", "full or none, instead of the config's")
	id := flags.String("id", "", "which node of the cluster this is, for example n1")
	listen := flags.String("listen", "127.0.0.1:7001", "host:port; beyond loopback it needs "+refserver.NodeTokenVariable)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stderr)
			flags.PrintDefaults()
			return nil
		}
		return fmt.Errorf("%w; see node --help", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not understood; node takes flags only, see node --help", flags.Arg(0))
	}
	cfg, err := load(*file, *preset)
	if err != nil {
		return err
	}
	set(&cfg.Resilience, *resilience)
	n, err := refserver.NewNode(refserver.NodeConfig{Server: cfg.WithEnvironment(getenv), ID: *id, Listen: *listen},
		refserver.Deps{Log: slog.New(slog.NewTextHandler(stderr, nil)), Version: version})
	if err != nil {
		return err
	}
	return n.Run(ctx)
}
