package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

func explainCommand() *cobra.Command {
	var set []string
	c := &cobra.Command{
		Use: "explain SCENARIO", Short: "Show what a scenario will do: timeline, load, gates, guards", Args: cobra.ExactArgs(1),
		Example: "  brownout explain gpu-oom\n  brownout explain gpu-oom --set load.arrivals.rate=180/s",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := loadScenario(args[0], set)
			if err != nil {
				return err
			}
			all, minus1 := refserverSaturation(s)
			_, err = fmt.Fprint(c.OutOrStdout(), spec.Explain(s, spec.ExplainInfo{Saturation: all, Minus1: minus1}))
			return err
		},
	}
	setFlag(c, &set)
	return c
}

// refserverSaturation asks the timing model of the scenario's own server; zero = unknown.
func refserverSaturation(s *spec.Spec) (all, minus1 float64) {
	cfg, err := serverConfig(s.Target.ConfigFile, s.Target.Preset, s.Target.Resilience)
	if err != nil {
		return 0, 0
	}
	return refserver.Saturation(cfg, int(s.Load.Prompt.Mean), int(s.Load.Output.Mean))
}
