package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/reports/baseline"
	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/trials"
)

// baselineFlags is what `brownout run` does with baselines.
type baselineFlags struct {
	compareFlags
	with string // compare with it
	save string // put the run into it
	keep int

	side compare.Side // of with, read before the run
}

func (f *baselineFlags) add(c *cobra.Command) {
	f.compareFlags.add(c)
	c.Flags().StringVar(&f.with, "baseline", "", "compare the run with this baseline (or result, or series) afterwards; the exit code is the worse of both")
	c.Flags().StringVar(&f.save, "save-baseline", "", "put a run that passes into this baseline file, usually "+baseline.DefaultDir+"/SCENARIO.json")
	c.Flags().IntVar(&f.keep, "baseline-runs", baseline.DefaultKeep, "how many runs of one build the baseline keeps")
}

// prepare finds out before the run what would stop the comparison after it.
func (f *baselineFlags) prepare(s *spec.Spec) error {
	if f.keep < 1 {
		return errors.New("--baseline-runs must be at least 1")
	}
	if f.with == "" {
		return nil
	}
	if _, err := f.config(); err != nil {
		return err
	}
	var err error
	if f.side, err = baseline.Side(f.with); err != nil {
		return err
	}
	if f.side.Trials[0].LoadDigest != s.LoadDigest() {
		return fmt.Errorf("--baseline %s was asked something else than %s: load, phases, faults, limits or timeouts differ; make a new one with --save-baseline", f.with, s.Name)
	}
	return nil
}

// finish compares a run and saves it, as far as either was asked for, and gives the exit code of all.
func (f *baselineFlags) finish(w, log io.Writer, r result.Result) error {
	if f.with == "" && f.save == "" || r.ExitCode == run.ExitInterrupted {
		return codeOf(r)
	}
	side := compare.Side{Name: "this run"}
	if t, ok := compare.TrialOf(r); ok {
		side.Trials = append(side.Trials, t)
	}
	return f.end(w, log, side, []result.Result{r}, r.ExitCode)
}

// finishSeries does the same with the trials of the variant under test.
func (f *baselineFlags) finishSeries(w, log io.Writer, done trials.Done) error {
	if f.with == "" && f.save == "" || done.Series.ExitCode == run.ExitInterrupted {
		return codeOfSeries(done.Series)
	}
	tested := done.Series.Variants[0] // the first one is under test
	side := compare.Side{Name: "these trials of " + tested.Name}
	var all []result.Result
	for _, t := range tested.Trials {
		r, err := result.Read(filepath.Join(done.Dir, filepath.FromSlash(t.Dir)))
		if err != nil {
			return err
		}
		all = append(all, r)
		if t, ok := compare.TrialOf(r); ok {
			side.Trials = append(side.Trials, t)
		}
	}
	return f.end(w, log, side, all, done.Series.ExitCode)
}

func (f *baselineFlags) end(w, log io.Writer, side compare.Side, all []result.Result, code int) error {
	if f.with != "" {
		if len(side.Trials) == 0 {
			return compare.ErrNoSamples
		}
		cfg, err := f.config()
		if err != nil {
			return err
		}
		done, err := compare.Compare(f.side, side, cfg)
		if err != nil {
			return err
		}
		if err := f.show(w, done, false); err != nil {
			return err
		}
		code = worseCode(code, done.ExitCode)
	}
	if f.save == "" {
		return asError(code)
	}
	for _, r := range all {
		said, err := baseline.Save(f.save, r, f.keep)
		if err == nil {
			fmt.Fprintf(log, "brownout: %s\n", said)
			continue
		}
		fmt.Fprintf(log, "brownout: %v\n", err)
		if code == run.ExitPass {
			code = run.ExitError
		}
	}
	return asError(code)
}

// asError is an exit code as an error; nil for a pass.
func asError(code int) error {
	if code == run.ExitPass {
		return nil
	}
	return exitCode(code)
}

// worseCode is the worse of two exit codes: interrupted, fail, unknown, pass.
func worseCode(a, b int) int {
	for _, c := range []int{run.ExitInterrupted, run.ExitError, run.ExitFail, run.ExitUnknown} {
		if a == c || b == c {
			return c
		}
	}
	return run.ExitPass
}
