package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

func explainCommand() *cobra.Command {
	var set []string
	var share shareFlags
	c := &cobra.Command{
		Use: "explain SCENARIO", Short: "Show what a scenario will do: timeline, load, gates, guards", Args: cobra.ExactArgs(1),
		Example: "  brownout explain gpu-oom\n  brownout explain gpu-oom --set load.arrivals.rate=180/s",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := loadScenario(args[0], set)
			if err != nil {
				return err
			}
			if s, err = share.resolve(s, false); err != nil {
				return err
			}
			_, err = fmt.Fprint(c.OutOrStdout(), spec.Explain(s, explainInfo(s)))
			return err
		},
	}
	setFlag(c, &set)
	share.add(c)
	return c
}

// explainInfo asks the scenario's own server; zero = unknown.
func explainInfo(s *spec.Spec) (info spec.ExplainInfo) {
	cfg, err := targetConfig(s.Target)
	if err != nil {
		return info
	}
	prompt, output := s.Load.Means()
	info.Saturation, info.Minus1 = refserver.Saturation(cfg, int(prompt), int(output))
	info.Detection = refserver.Notice(cfg)
	return info
}
