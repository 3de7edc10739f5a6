package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/build"
	"github.com/brownout-dev/brownout/scenarios/library"
	"github.com/brownout-dev/brownout/scenarios/pipeline"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

func initCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "init", Short: "Write a CI pipeline that runs scenarios: for GitHub or GitLab",
		Long: `Write a pipeline file into a repository. It installs brownout, runs scenarios, keeps the reports and
junit.xml, shows report.md, fails on exit code 99, and repeats a run that cannot tell (3) once.`,
		Example: "  brownout init github\n  brownout init gitlab --scenario gpu-oom --scenario tests/slow-node.yaml",
	}
	root.AddCommand(forgeCommand("github", "Write .github/workflows/brownout.yml"), forgeCommand("gitlab", "Write .gitlab-ci.yml"))
	return root
}

// runnable checks a scenario as the pipeline will find it: built in, or in the repository.
func runnable(dir, name string) error {
	if _, ok := library.Read(name); ok || !filepath.IsLocal(name) {
		return nil // what lies outside is refused with the pipeline
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no built-in scenario %q and no such file in the repository; `brownout list` shows what there is", name)
	}
	if err != nil {
		return fmt.Errorf("cannot read the scenario: %w", err)
	}
	_, err = spec.Parse(name, data, nil)
	return err
}

func forgeCommand(forge, short string) *cobra.Command {
	var scenarios []string
	var force bool
	var dir, version string
	c := &cobra.Command{
		Use: forge, Short: short, Args: cobra.NoArgs,
		Example: "  brownout init " + forge + "\n  brownout init " + forge + " --scenario steady --scenario tests/slow-node.yaml --force",
		RunE: func(c *cobra.Command, _ []string) error {
			wrong := make([]error, 0, len(scenarios))
			for _, name := range scenarios {
				wrong = append(wrong, runnable(dir, name))
			}
			if err := errors.Join(wrong...); err != nil {
				return err
			}
			path, err := pipeline.Write(dir, pipeline.Config{Forge: forge, Scenarios: scenarios, Version: version, Go: "1.26"}, force)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "wrote %s\n", path)
			return nil
		},
	}
	c.Flags().StringArrayVar(&scenarios, "scenario", []string{"gpu-oom"}, "scenario to run: a built-in one, or a file of this repository (repeatable)")
	c.Flags().BoolVar(&force, "force", false, "replace a pipeline file that is there")
	c.Flags().StringVar(&dir, "dir", ".", "root of the repository")
	c.Flags().StringVar(&version, "version", "v"+build.Version, "version of brownout that the pipeline installs")
	return c
}
