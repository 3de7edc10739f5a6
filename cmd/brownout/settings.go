package main

import (
	"os"

	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// targetConfig is the config of the server that a scenario starts, all its keys applied.
func targetConfig(t spec.Target) (refserver.Config, error) {
	name, data, err := target.ServerConfig(t.Preset, t.ConfigFile, t.Settings)
	if err != nil {
		return refserver.Config{}, err
	}
	cfg, err := refserver.Parse(name, data)
	if err != nil {
		return cfg, err
	}
	if t.Resilience != "" {
		cfg.Resilience = t.Resilience
	}
	if t.Topology != "" {
		cfg.Cluster.Topology = t.Topology
	}
	return cfg.WithEnvironment(os.Getenv), nil
}

// checkServer is the spec.ServerCheck of the reference server.
func checkServer(t spec.Target) error {
	_, err := targetConfig(t)
	return err
}
