package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/scenarios/load"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/saturate"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// saturateFlags is what `brownout saturate` takes.
type saturateFlags struct {
	foreignFlags
	set    []string
	from   string
	probe  time.Duration
	settle time.Duration
	within time.Duration
	probes int
	out    string
	save   string
	asJSON bool
	quiet  bool
}

func saturateCommand() *cobra.Command {
	f := saturateFlags{foreignFlags: foreignFlags{capsAny: true}}
	c := &cobra.Command{
		Use: "saturate [SCENARIO]", Short: "Search the highest rate at which a target keeps its SLO", Args: cobra.MaximumNArgs(1),
		Long: `Search the highest rate at which a target keeps its SLO: the load of a scenario [steady] at rates that
double until one does not hold, and from there where an answer tells most. Each probe is a run of its own,
with a warm-up, the scenario's limits and gates, and no faults. See docs/saturate.md.

The search overloads the target on purpose: beyond this machine it wants --max-rate.

Exit codes: 0 found, 3 the search ended without both ends of the interval or with a wide one, 1 usage or
internal error, 130 interrupted.`,
		Example: `  brownout saturate
  brownout saturate --target http://127.0.0.1:8000 --model mistral-7b --save saturation.json
  brownout run my.yaml --target http://127.0.0.1:8000 --saturation-file saturation.json     (rate: 60% in my.yaml)`,
		RunE: func(c *cobra.Command, args []string) error {
			name := "steady"
			if len(args) > 0 {
				name = args[0]
			}
			return f.run(c, name)
		},
	}
	setFlag(c, &f.set)
	f.add(c)
	flags := c.Flags()
	flags.Lookup("max-rate").Usage = "never send more, e.g. 500/s (needed for a --target beyond this machine)"
	flags.StringVar(&f.from, "from", "", "rate of the first probe (default: half of what the server's timing model says, 10/s where there is none)")
	flags.DurationVar(&f.probe, "probe", 15*time.Second, "judged time of each probe; a warm-up of half as long comes first")
	flags.DurationVar(&f.settle, "settle", 2*time.Second, "pause between probes for a target that cannot say it is idle")
	flags.DurationVar(&f.within, "within", 15*time.Minute, "begin no probe later than this")
	flags.IntVar(&f.probes, "probes", 24, "make at most so many probes")
	flags.StringVarP(&f.out, "out", "o", "brownout-out", "directory that gets a directory for this search")
	flags.StringVar(&f.save, "save", "", "write saturation.json here too, for run --saturation-file")
	flags.BoolVar(&f.asJSON, "json", false, "print saturation.json on stdout instead of the table")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return c
}

func (f saturateFlags) run(c *cobra.Command, name string) error {
	s, err := loadScenario(name, append(f.set, f.overrides()...))
	if err != nil {
		return err
	}
	job, err := f.job(s)
	if err != nil {
		return err
	}
	started := time.Now()
	id := result.NewRunID(started, "saturate-"+s.Name, rand.Uint64()) //nolint:gosec // tells searches of one second apart
	dir := filepath.Join(f.out, id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the search's directory: %w; choose another with --out", err)
	}
	if job.Target, err = f.aim(c, s, job.Run.Binary, dir); err != nil {
		return err
	}
	defer job.Target.Stop()
	show := newProgress(os.Stderr, f.quiet)
	job.Run.Out, job.Run.Progress, job.Run.Say = dir, show.update, func(string) {}
	out := c.OutOrStdout()
	if !f.asJSON {
		fmt.Fprintln(out, saturation.Heading())
	}
	job.Show = func(p saturation.Probe) {
		show.clear()
		if !f.asJSON {
			fmt.Fprintln(out, saturation.Row(p))
		}
	}
	found, broken := saturate.Conduct(c.Context(), job)
	show.clear()
	if len(found.Probes) == 0 {
		return broken
	}
	if broken != nil && c.Context().Err() == nil {
		fmt.Fprintf(os.Stderr, "brownout: %v\n", broken)
	}
	found.Run = id
	return errors.Join(f.report(c, dir, found), broken, saturationCode(c.Context(), found))
}

// job puts the flags together; the error lists what is wrong with them.
func (f saturateFlags) job(s *spec.Spec) (saturate.Job, error) {
	binary, err := os.Executable()
	if err != nil {
		return saturate.Job{}, err
	}
	var wrong []error
	var from yamlx.Rate
	if f.from == "" {
		from = firstRate(explainInfo(s).Saturation, f.api != "")
	} else if err := from.UnmarshalText([]byte(f.from)); err != nil || from <= 0 {
		wrong = append(wrong, fmt.Errorf("--from %q is not a rate; write for example 10/s", f.from))
	}
	most, err := target.ParseMaxRate(f.maxRate)
	if err != nil {
		wrong = append(wrong, err)
	}
	if most == 0 {
		most = load.MaxRate
		if f.api != "" && !near(f.api) {
			wrong = append(wrong, fmt.Errorf("--target %s is beyond this machine and will be overloaded; say how much it may get with --max-rate, for example --max-rate 100/s", f.api))
		}
	}
	if float64(from) > most {
		wrong = append(wrong, fmt.Errorf("--from %s is more than --max-rate %g/s allows", from, most))
	}
	if f.probe < 3*time.Second || f.probe > 10*time.Minute {
		wrong = append(wrong, fmt.Errorf("--probe %v is out of bounds; write 3s to 10m: a shorter one ends before a queue can grow", f.probe))
	}
	if f.probes < 2 || f.probes > 200 {
		wrong = append(wrong, fmt.Errorf("--probes %d is out of bounds; write 2 to 200", f.probes))
	}
	if f.settle < 0 || f.settle > 20*time.Second {
		wrong = append(wrong, fmt.Errorf("--settle %v is out of bounds; write 0s to 20s", f.settle))
	}
	return saturate.Job{Spec: s, Shape: saturate.ShapeOf(f.probe), Settle: f.settle, Run: run.Config{Binary: binary},
		Search: saturate.Config{From: float64(from), Max: most, Probes: f.probes, Time: f.within}}, errors.Join(wrong...)
}

// firstRate is the default rate of the first probe.
func firstRate(model float64, foreign bool) yamlx.Rate {
	if foreign || model < 1 {
		return 10
	}
	return yamlx.Rate(math.Round(model / 2))
}

// near reports whether a base URL is this machine's for certain.
func near(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return true // Adopt tells what is wrong with it
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

// aim adopts the target of the flags, or starts the scenario's own server.
func (f saturateFlags) aim(c *cobra.Command, s *spec.Spec, binary, dir string) (*target.Target, error) {
	if f.api == "" {
		if _, err := f.foreign(c, s); err != nil {
			return nil, err
		}
		return target.StartRefserver(c.Context(), target.Refserver{Binary: binary, Dir: dir, Preset: s.Target.Preset,
			ConfigFile: s.Target.ConfigFile, Resilience: s.Target.Resilience, Topology: s.Target.Topology, Settings: s.Target.Settings})
	}
	foreign, err := f.foreign(c, s)
	if err != nil {
		return nil, err
	}
	foreign.Rate, foreign.Harms = 0, false // the search keeps to --max-rate by itself, and injects nothing
	return target.Adopt(c.Context(), *foreign)
}

func (f saturateFlags) report(c *cobra.Command, dir string, found saturation.File) error {
	out := c.OutOrStdout()
	errs := []error{saturation.Write(filepath.Join(dir, saturation.FileName), found)}
	if f.save != "" {
		errs = append(errs, saturation.Write(f.save, found))
	}
	md, err := os.Create(filepath.Join(dir, markdownName))
	if err == nil {
		err = errors.Join(saturation.Markdown(md, found), md.Close())
	}
	errs = append(errs, err)
	if f.asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return errors.Join(append(errs, enc.Encode(found))...)
	}
	fmt.Fprintln(out)
	for _, sentence := range found.Summary {
		fmt.Fprintln(out, sentence)
	}
	fmt.Fprintf(out, "%s\n", filepath.Join(dir, saturation.FileName))
	return errors.Join(errs...)
}

// saturationCode is the exit code of a search as an error; nil when it found what it looked for.
func saturationCode(ctx context.Context, f saturation.File) error {
	switch {
	case ctx.Err() != nil:
		return exitCode(run.ExitInterrupted)
	case f.Status != string(saturate.Found):
		return exitCode(run.ExitUnknown)
	}
	return nil
}
