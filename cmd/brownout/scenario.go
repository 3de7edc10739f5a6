package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/scenarios/library"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

// loadScenario reads a built-in scenario by name, or a file by path. A name wins over a file of the
// same name; write ./name for the file.
func loadScenario(name string, set []string) (*spec.Spec, error) {
	if data, ok := library.Read(name); ok {
		return spec.ParseWith(name+".yaml (built-in)", data, set, checkServer)
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./") {
		return nil, fmt.Errorf("there is no built-in scenario %q and no such file; `brownout list` shows what there is", name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	return spec.ParseWith(name, data, set, checkServer)
}

func listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the built-in scenarios, each with the question it asks", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			entries := library.List()
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(entries)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 3, ' ', 0)
			for _, e := range entries {
				fmt.Fprintf(w, "%s\t%s\n", e.Name, e.Question)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func validateCommand() *cobra.Command {
	var set []string
	c := &cobra.Command{
		Use: "validate SCENARIO…", Short: "Check scenario files: every problem at once, with its line", Args: cobra.MinimumNArgs(1),
		Example: "  brownout validate my-scenario.yaml\n  brownout validate gpu-oom --set load.arrivals.rate=50/s",
		RunE: func(c *cobra.Command, names []string) error {
			var all []error
			for _, name := range names {
				s, err := loadScenario(name, set)
				if err != nil {
					all = append(all, err)
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: valid (%s long, digest %.12s)\n", s.Name, s.Length(), s.Digest)
			}
			return errors.Join(all...)
		},
	}
	setFlag(c, &set)
	return c
}

// setFlag is the --set flag that run, validate and explain share.
func setFlag(c *cobra.Command, set *[]string) {
	c.Flags().StringArrayVar(set, "set", nil, "change one value of the scenario, e.g. load.arrivals.rate=50/s (repeatable)")
}
