package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/build"
	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/trials"
)

// trialFlags make a series of a run.
type trialFlags struct {
	trials   int
	variants []string
	spread   time.Duration
	delay    time.Duration
}

func (f *trialFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.trials, "trials", 0, "run it so often, each with the next seed and a fresh target; with variants, each of them")
	c.Flags().StringArrayVar(&f.variants, "variant", nil, "variant of the scenario to run (repeatable; default with --trials: all)")
	c.Flags().DurationVar(&f.spread, "spread", 0, "with --trials, faults come later by a drawn share of this (default: how often the target looks for failures)")
	c.Flags().DurationVar(&f.delay, "delay", 0, "faults come later by this: to run one trial of a series again, with its --seed")
}

// foreignPeriod is the default spread where nobody knows how often the target looks.
const foreignPeriod = time.Second

// period is how often the scenario's own server looks for failures.
func (f *trialFlags) period(s *spec.Spec, foreign bool) time.Duration {
	if f.spread > 0 {
		return f.spread
	}
	cfg, err := targetConfig(s.Target)
	if foreign || err != nil {
		return foreignPeriod
	}
	return refserver.Period(cfg)
}

// single reports whether the flags ask for one ordinary run, and of which spec.
func (f *trialFlags) single(c *cobra.Command, s *spec.Spec) (*spec.Spec, bool, error) {
	switch {
	case f.trials < 1 && c.Flags().Changed("trials"):
		return nil, false, fmt.Errorf("--trials %d is out of bounds; ask for 1 to %d", f.trials, trials.MaxTrials)
	case f.delay != 0 && (f.trials != 0 || len(f.variants) > 1):
		return nil, false, errors.New("--delay is for a single run; trials draw their own, see --spread")
	case f.trials != 0 || len(f.variants) > 1:
		return nil, false, nil
	case f.spread != 0:
		return nil, false, errors.New("--spread moves faults from trial to trial; add --trials")
	case len(f.variants) == 1:
		one, err := s.Variant(f.variants[0])
		if err != nil {
			return nil, false, err
		}
		s = one
	}
	if f.delay == 0 {
		return s, true, nil
	}
	one, err := s.Delayed(f.delay)
	return one, true, err
}

// runSeries is `run --trials`.
func (f runFlags) runSeries(c *cobra.Command, s *spec.Spec) error {
	if err := f.baselines.prepare(s); err != nil {
		return err
	}
	show := newProgress(os.Stderr, f.quiet)
	if f.api != "" {
		left, out, err := ofForeign(s, f.variants)
		if err != nil {
			return err
		}
		if len(out) > 0 {
			show.say("without the variants " + strings.Join(out, ", ") + ", which change a server that --target replaces")
		}
		s = left
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	done, err := trials.Run(c.Context(), trials.Config{
		Spec: s, Variants: f.variants, Trials: max(1, f.trials), Period: f.period(s, f.api != ""), Out: f.out,
		ID: result.NewRunID(time.Now(), s.Name, rand.Uint64()), Tool: build.String(), Next: show.trial, Say: show.say,
		Runner: runner{c: c, flags: f, binary: binary, show: show},
	})
	show.clear()
	if done.Dir == "" {
		return err
	}
	if err := errors.Join(err, writeSeriesReports(done.Dir, done.Series)); err != nil {
		return err
	}
	return f.showSeries(c.OutOrStdout(), done)
}

func (f runFlags) showSeries(w io.Writer, done trials.Done) error {
	var err error
	if f.asJSON {
		var text []byte
		if text, err = series.Encode(done.Series); err == nil {
			_, err = w.Write(text)
		}
	} else {
		err = render.SeriesTerminal(w, done.Series, terminalOptions(os.Stdout, filepath.Join(done.Dir, htmlName)))
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		w = os.Stderr // stdout is series.json alone
	}
	return f.baselines.finishSeries(w, os.Stderr, done)
}

// codeOfSeries is the exit code of a series as an error; nil for a pass.
func codeOfSeries(s series.Series) error {
	return asError(s.ExitCode)
}

// ofForeign is the scenario without the variants that change a server which --target replaces, and the
// names of these. One that was picked by name is an error instead.
func ofForeign(s *spec.Spec, picked []string) (left *spec.Spec, out []string, err error) {
	left = s.WithSeed(s.Seed)
	left.Variants = slices.DeleteFunc(left.Variants, func(v spec.Variant) bool {
		i := slices.IndexFunc(v.Set, func(a string) bool { return strings.HasPrefix(strings.TrimSpace(a), "target.") })
		if i < 0 {
			return false
		}
		if slices.Contains(picked, v.Name) {
			err = fmt.Errorf("variant %s changes %s, which says nothing about the server of --target; pick another one", v.Name, v.Set[i])
		}
		out = append(out, v.Name)
		return true
	})
	return left, out, err
}
