package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	containers "github.com/brownout-dev/brownout/faults/drivers/docker"
	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// runFlags is what `brownout run` takes.
type runFlags struct {
	foreignFlags
	trialFlags
	set    []string
	seed   uint64
	out    string
	docker bool
	asJSON bool
	quiet  bool
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use: "run SCENARIO", Short: "Run a scenario: load, faults, verdict, report", Args: cobra.ExactArgs(1),
		Long: `Run a built-in scenario (see brownout list) or a scenario file. Without --target it starts the
reference server itself and stops it afterwards.

Beside result.json the run's directory gets report.html, report.md (for a pull request) and junit.xml.

Exit codes:
    0  pass         every gate holds
   99  fail         a gate does not hold
    3  unknown      the run cannot tell; the report says why. Run it again once, then mend the cause
    1  error        usage, a bad file or flag, a target that is not there: nothing was judged
  130  interrupted

With --trials N it becomes a series: N trials under N seeds, each with a fresh target, the scenario's
variants side by side, and statistics of recovery over all of them. The series' directory gets
series.json, the same reports, and a directory for every trial. A trial that is unknown because this
machine was too busy is repeated, twice at most, and the repeats are counted.

Faults on a target beyond this machine want --yes-break HOST. Secrets come from the environment alone:
--key-env NAME, --header NAME=env:VARIABLE. They are never written to a file.`,
		Example: `  brownout run gpu-oom
  brownout run gpu-oom --set target.refserver.resilience=none     the control: expect 99
  brownout run gpu-oom --trials 10                                MTTR with what it rests on
  brownout run my.yaml --trials 10 --variant full --variant none
  brownout run steady --seed 7 --out /tmp/runs
  brownout run steady --target http://127.0.0.1:8000 --key-env OPENAI_API_KEY
  brownout run steady --target https://llm.example --ca-file ca.pem --model mistral-7b \
      --header X-Team=blue --header X-Api-Key=env:TEAM_KEY --body '{"temperature":0}' --max-rate 50/s`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := loadScenario(args[0], append(slices.Clone(f.set), f.overrides()...))
			if err != nil {
				return err
			}
			if c.Flags().Changed("seed") {
				s = s.WithSeed(f.seed)
			}
			one, single, err := f.single(c, s)
			if err != nil {
				return err
			}
			if !single {
				return f.runSeries(c, s)
			}
			return f.run(c, one)
		},
	}
	setFlag(c, &f.set)
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of arrivals, lengths, prompts and fault draws (default: the scenario's)")
	c.Flags().StringVarP(&f.out, "out", "o", "brownout-out", "directory that gets a directory for this run")
	f.foreignFlags.add(c)
	f.trialFlags.add(c)
	c.Flags().BoolVar(&f.docker, "docker", false, "kill nodes of --target as containers (those with the label "+containers.Label+")")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print result.json on stdout instead of the summary")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return c
}

func (f runFlags) run(c *cobra.Command, s *spec.Spec) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	r := runner{c: c, flags: f, binary: binary, show: newProgress(os.Stderr, f.quiet)}
	done, err := r.Run(c.Context(), s, f.out)
	if err != nil {
		return err
	}
	if f.asJSON {
		err = writeJSON(c.OutOrStdout(), done.Result)
	} else {
		err = render.Terminal(c.OutOrStdout(), done.Result, terminalOptions(os.Stdout, filepath.Join(done.Dir, htmlName)))
	}
	return errors.Join(err, codeOf(done.Result))
}

// runner carries out ordinary runs with their reports; it is a trials.Runner.
type runner struct {
	c      *cobra.Command
	flags  runFlags
	binary string
	show   *progress
}

// Run carries out one, with a target of its own or the one that --target names.
func (r runner) Run(ctx context.Context, s *spec.Spec, out string) (run.Done, error) {
	cfg := run.Config{Spec: s, Binary: r.binary, Out: out, Docker: r.flags.docker, Progress: r.show.update, Say: r.show.say}
	foreign, err := r.flags.foreign(r.c, s)
	if err != nil {
		return run.Done{}, err
	}
	if foreign != nil {
		if cfg.Adopted, err = target.Adopt(ctx, *foreign); err != nil {
			return run.Done{}, err
		}
	}
	done, err := run.Run(ctx, cfg)
	r.show.clear()
	if err != nil {
		return done, err
	}
	return done, writeReports(done.Dir, done.Result)
}

// codeOf is the exit code of a result as an error; nil for a pass.
func codeOf(r result.Result) error {
	if r.ExitCode == run.ExitPass {
		return nil
	}
	return exitCode(r.ExitCode)
}
