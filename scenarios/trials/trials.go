// Package trials carries out a series: the same scenario several times, its variants side by side under
// the same seeds, each trial with a fresh target.
//
// What may not live here: carrying out one run (scenarios/run), what trials say together (reports/series).
package trials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

// Bounds of a series.
const (
	MaxTrials  = 1000
	maxRepeats = 2 // of a trial, while the machine is too busy to tell
)

// Runner carries out one run with a target of its own and leaves a directory for it in out. An
// interrupted run has a result, too.
type Runner interface {
	Run(ctx context.Context, s *spec.Spec, out string) (run.Done, error)
}

// Config is one series.
type Config struct {
	Spec     *spec.Spec // with its variants; the first trial has its seed
	Variants []string   // to run, in this order; empty: all there are, or the scenario alone
	Trials   int        // of each variant, 1 to MaxTrials
	// Period is how often the target looks for failures. Each trial's faults come later by a drawn share of
	// it, so that not every trial meets the same instant between two looks. Shorter where the plan has no room.
	Period time.Duration
	Out    string // directory that gets a directory for this series
	ID     string // and its name
	Tool   string
	Runner Runner
	// Next announces each trial, and Say whatever else takes time.
	Next func(number, of int, variant string)
	Say  func(string)
}

// Done is a finished series.
type Done struct {
	Series series.Series
	Dir    string
}

// Run carries it out. After every trial series.json has all that were finished. An error means that a
// trial could not be run at all; the Series then holds those before it. An interrupted series is no error.
func Run(ctx context.Context, c Config) (Done, error) {
	variants, err := c.variants()
	if err != nil {
		return Done{}, err
	}
	if c.Trials < 1 || c.Trials > MaxTrials {
		return Done{}, fmt.Errorf("%d trials are out of bounds; ask for 1 to %d", c.Trials, MaxTrials)
	}
	o := &orchestra{Config: c, variants: variants, dir: filepath.Join(c.Out, c.ID), started: time.Now()}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return Done{}, fmt.Errorf("cannot make the directory of the series: %w; choose another with --out", err)
	}
	o.begin()
	failed := o.all(ctx)
	if err := o.keep(ctx, failed); err != nil {
		return Done{}, err
	}
	return Done{Series: o.series, Dir: o.dir}, failed
}

// variant is one column of the series.
type variant struct {
	spec.Variant
	spec *spec.Spec
}

func (c *Config) variants() ([]variant, error) {
	if len(c.Spec.Variants) == 0 && len(c.Variants) == 0 {
		return []variant{{Variant: spec.Variant{Name: c.Spec.Name, Expect: spec.ExpectPass}, spec: c.Spec}}, nil
	}
	known := map[string]spec.Variant{}
	names := c.Variants
	for _, v := range c.Spec.Variants {
		known[v.Name] = v
		if len(c.Variants) == 0 {
			names = append(names, v.Name)
		}
	}
	var out []variant
	var wrong []error
	picked := map[string]bool{}
	for _, name := range names {
		s, err := c.Spec.Variant(name)
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case picked[name]:
			wrong = append(wrong, fmt.Errorf("variant %s is picked twice; name it once", name))
		default:
			out = append(out, variant{Variant: known[name], spec: s})
		}
		picked[name] = true
	}
	return out, errors.Join(wrong...)
}

// orchestra is a series on its way. Only the goroutine of Run writes it.
type orchestra struct {
	Config
	variants []variant
	dir      string
	started  time.Time
	series   series.Series
}

func (o *orchestra) begin() {
	s := o.Spec
	file := s.File
	if file == "" {
		file = s.Name
	}
	specs := make([]*spec.Spec, 0, len(o.variants))
	for _, v := range o.variants {
		specs = append(specs, v.spec)
	}
	o.series = series.Series{
		Version: series.Version, Run: o.ID, Started: o.started, Tool: o.Tool, Planned: o.Trials, Period: spread(o.Period, specs),
		Scenario: series.Scenario{Name: s.Name, File: file, Question: s.Question, Published: s.Published, Digest: s.Digest, Seed: s.Seed, Set: s.Set, Gates: s.Trials},
	}
	for _, v := range o.variants {
		o.series.Variants = append(o.series.Variants, series.Variant{Name: v.Name, Role: role(v.Expect), Set: v.Set, Digest: v.spec.Digest})
	}
}

func role(expect string) series.Role {
	switch expect {
	case spec.ExpectPass:
		return series.Tested
	case spec.ExpectFail:
		return series.Control
	}
	return series.Beside
}

// all runs every trial, until one cannot be run or the context ends.
func (o *orchestra) all(ctx context.Context) error {
	for i, step := range plan(o.Trials, len(o.variants), o.Spec.Seed, o.series.Period) {
		if interrupted(ctx) {
			return nil
		}
		v := &o.series.Variants[step.variant]
		o.Next(step.number, o.Trials, v.Name)
		t, finished, err := o.trial(ctx, step)
		if err != nil && !interrupted(ctx) {
			return fmt.Errorf("trial %d of variant %s could not be run: %w", step.number, v.Name, err)
		}
		if !finished {
			return nil
		}
		t.Order = i + 1
		v.Trials = append(v.Trials, t)
		o.series.Stopped = "The series is not finished."
		if err := o.write(); err != nil {
			return err
		}
	}
	return nil
}

// interrupted reports whether the user wants the series to end, whatever a run then says of itself.
func interrupted(ctx context.Context) bool { return ctx.Err() != nil }

// trial runs one, again while the machine is too busy to tell. finished is false when it was interrupted
// before any run of it was over.
func (o *orchestra) trial(ctx context.Context, at step) (t series.Trial, finished bool, err error) {
	s, err := o.variants[at.variant].spec.WithSeed(at.seed).Delayed(at.delay)
	if err != nil {
		return t, false, err
	}
	var tries []series.Try
	for {
		done, err := o.Runner.Run(ctx, s, o.dir)
		if err != nil || done.Result.ExitCode == run.ExitInterrupted {
			return t, finished, err
		}
		dir, err := filepath.Rel(o.dir, done.Dir)
		if err != nil {
			return t, false, err
		}
		t, finished = series.NewTrial(at.number, at.delay, filepath.ToSlash(dir), done.Result), true
		t.Repeated = tries
		if len(tries) == maxRepeats || !series.Busy(t.Verdict, t.Reasons) {
			return t, true, nil
		}
		tries = append(tries, series.Try{Dir: t.Dir, Reasons: t.Reasons})
		o.Say(fmt.Sprintf("the machine was too busy to tell; trial %d is repeated (%d of at most %d)", at.number, len(tries), maxRepeats))
	}
}

// keep settles how the series ended and writes it.
func (o *orchestra) keep(ctx context.Context, failed error) error {
	o.series.Stopped = ""
	switch {
	case failed != nil:
		o.series.Stopped = "The series was stopped: " + failed.Error() + "."
	case ctx.Err() != nil:
		o.series.Stopped = "The series was interrupted; the trials finished before are kept."
	}
	if err := o.write(); err != nil || ctx.Err() == nil {
		return err
	}
	o.series.ExitCode = run.ExitInterrupted
	return series.Write(o.dir, o.series)
}

func (o *orchestra) write() error {
	o.series.Seconds = time.Since(o.started).Seconds()
	o.series.Judge()
	o.series.ExitCode = exitCode(o.series.Verdict)
	return series.Write(o.dir, o.series)
}

func exitCode(v slo.Verdict) int {
	switch v {
	case slo.Pass:
		return run.ExitPass
	case slo.Fail:
		return run.ExitFail
	case slo.Unknown:
	}
	return run.ExitUnknown
}
