// Command refserver is the reference inference server alone, without the harness.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/brownout-dev/brownout/refserver"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// After the first signal the drain runs; giving the signals back lets a second one end it at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "refserver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "node" {
		return runNode(ctx, args[1:], getenv, stderr)
	}
	flags := flag.NewFlagSet("refserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // a mistake is one sentence from main, not the whole usage
	file := flags.String("config", "", "YAML config file")
	preset := flags.String("preset", refserver.DefaultPreset, "config to start from without --config")
	listen := flags.String("listen", "", "host:port of the API, instead of the config's; port 0 takes a free one")
	admin := flags.String("admin-listen", "", "host:port of the admin listener, instead of the config's; off turns it off")
	resilience := flags.String("resilience", "", "full or none, instead of the config's")
	control := flags.Bool("control", false, "allow control calls on the admin listener; needs "+refserver.TokenVariable)
	printReady := flags.Bool("print-ready", false, "print one JSON line with the addresses to stdout once they accept connections")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "refserver serves an OpenAI-compatible API on simulated GPUs.\nrefserver node serves one node of a cluster over gRPC; see refserver node --help.")
			flags.SetOutput(stderr)
			flags.PrintDefaults()
			return nil
		}
		return fmt.Errorf("%w; see --help", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not understood; refserver takes flags only, see --help", flags.Arg(0))
	}
	cfg, err := load(*file, *preset)
	if err != nil {
		return err
	}
	set(&cfg.Listen, *listen)
	set(&cfg.Admin.Listen, *admin)
	if *admin == "off" {
		cfg.Admin.Listen = ""
	}
	set(&cfg.Resilience, *resilience)
	cfg.Admin.Control = cfg.Admin.Control || *control
	server, err := refserver.New(cfg.WithEnvironment(getenv), refserver.Deps{
		Log: slog.New(slog.NewTextHandler(stderr, nil)), Version: version,
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-server.Ready():
	}
	if *printReady {
		if err := json.NewEncoder(stdout).Encode(server.Listening()); err != nil {
			return fmt.Errorf("the ready line cannot be written: %w", err)
		}
	}
	return <-done
}

func load(file, preset string) (refserver.Config, error) {
	if file != "" {
		return refserver.Load(file)
	}
	cfg, ok := refserver.Preset(preset)
	if !ok {
		return cfg, fmt.Errorf("there is no preset %q; known are %v", preset, refserver.Presets())
	}
	return cfg, nil
}

func set(field *string, value string) {
	if value != "" {
		*field = value
	}
}
