package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// runFlags is what `brownout run` takes.
type runFlags struct {
	set           []string
	seed          uint64
	out           string
	api           string
	admin, faults string
	keyEnv        string
	asJSON        bool
	quiet         bool
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use: "run SCENARIO", Short: "Run a scenario: load, faults, verdict, report", Args: cobra.ExactArgs(1),
		Long: `Run a built-in scenario (see brownout list) or a scenario file. Without --target it starts the
reference server itself and stops it afterwards.

Exit codes: 0 pass, 99 fail, 3 unknown (the run cannot tell; the report says why),
1 usage or internal error, 130 interrupted.`,
		Example: `  brownout run gpu-oom
  brownout run gpu-oom --set target.refserver.resilience=none     the control: expect 99
  brownout run steady --seed 7 --out /tmp/runs
  brownout run steady --target http://127.0.0.1:8000 --key-env OPENAI_API_KEY`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := loadScenario(args[0], f.set)
			if err != nil {
				return err
			}
			if c.Flags().Changed("seed") {
				s = s.WithSeed(f.seed)
			}
			return f.run(c, s)
		},
	}
	setFlag(c, &f.set)
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of arrivals, lengths, prompts and fault draws (default: the scenario's)")
	c.Flags().StringVarP(&f.out, "out", "o", "brownout-out", "directory that gets a directory for this run")
	c.Flags().StringVar(&f.api, "target", "", "base URL of a server that is already there (OpenAI-compatible)")
	c.Flags().StringVar(&f.admin, "target-admin", "", "its admin listener, if it is a refserver (token: $"+target.AdminTokenEnv+")")
	c.Flags().StringVar(&f.faults, "target-faults", "", "its fault holder (token: $"+target.FaultTokenEnv+")")
	c.Flags().StringVar(&f.keyEnv, "key-env", "", "environment variable that holds the API key of --target")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print result.json on stdout instead of the summary")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return c
}

func (f runFlags) run(c *cobra.Command, s *spec.Spec) error {
	ctx := c.Context()
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := run.Config{Spec: s, Binary: binary, Out: f.out, KeyEnv: f.keyEnv}
	if cfg.Adopted, err = f.adopt(ctx); err != nil {
		return err
	}
	show := newProgress(os.Stderr, f.quiet)
	cfg.Progress, cfg.Say = show.update, show.say
	done, err := run.Run(ctx, cfg)
	show.clear()
	if err != nil {
		return err
	}
	html := filepath.Join(done.Dir, "report.html")
	if err := writeHTML(html, done.Result); err != nil {
		return err
	}
	if f.asJSON {
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetIndent("", "  ")
		err = enc.Encode(done.Result)
	} else {
		err = render.Terminal(c.OutOrStdout(), done.Result, terminalOptions(os.Stdout, html))
	}
	return errors.Join(err, codeOf(done.Result))
}

func (f runFlags) adopt(ctx context.Context) (*target.Target, error) {
	if f.api == "" {
		if f.admin != "" || f.faults != "" || f.keyEnv != "" {
			return nil, errors.New("--target-admin, --target-faults and --key-env describe a server that is already there; name it with --target URL")
		}
		return nil, nil //nolint:nilnil // nothing to adopt is an answer: the scenario starts its own
	}
	if f.keyEnv != "" && os.Getenv(f.keyEnv) == "" {
		return nil, fmt.Errorf("--key-env %s: that environment variable is empty; export the API key there", f.keyEnv)
	}
	return target.Adopt(ctx, f.api, f.admin, f.faults, os.Getenv(target.AdminTokenEnv), os.Getenv(target.FaultTokenEnv))
}

// codeOf is the exit code of a result as an error; nil for a pass.
func codeOf(r result.Result) error {
	if r.ExitCode == run.ExitPass {
		return nil
	}
	return exitCode(r.ExitCode)
}

func writeHTML(path string, r result.Result) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return errors.Join(render.HTML(file, r), file.Close())
}
