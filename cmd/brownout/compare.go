package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/reports/baseline"
	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/render"
)

// compareFlags is how to compare; compare and run --baseline share it.
type compareFlags struct {
	minEffect    []string
	metrics      []string
	markdown     string
	otherMachine bool
}

func (f *compareFlags) add(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.minEffect, "min-effect", nil, "what a difference must reach to count, e.g. 10% or 5%,2ms: a share and a time, both (default 5%,1ms)")
	c.Flags().StringSliceVar(&f.metrics, "metric", nil, `compare these alone: ttft, "p99 e2e", goodput, recovery … (repeatable; default all)`)
	c.Flags().StringVar(&f.markdown, "markdown", "", "also write the comparison for a pull request to this file; - is stdout, instead of the text")
	c.Flags().BoolVar(&f.otherMachine, "allow-other-machine", false, "show the numbers of different machines too; the answer is unknown all the same")
}

func (f *compareFlags) config() (compare.Config, error) {
	c := compare.Config{Metrics: f.metrics, OtherMachine: f.otherMachine}
	for _, text := range f.minEffect {
		if percent, ok := strings.CutSuffix(strings.TrimSpace(text), "%"); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(percent), 64)
			if err != nil || !(v > 0 && v <= 1000) {
				return c, fmt.Errorf("--min-effect %q is no percentage; write for example 5%%", text)
			}
			c.Min.Relative = v / 100
			continue
		}
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || d <= 0 {
			return c, fmt.Errorf("--min-effect %q is neither a percentage nor a time; write for example 5%% or 5%%,2ms", text)
		}
		c.Min.Request = d.Seconds()
		c.Min.Token = d.Seconds() / 5
	}
	return c, nil
}

func compareCommand() *cobra.Command {
	var f compareFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "compare BASELINE RESULT", Short: "Is RESULT slower than BASELINE? With an interval, and an honest unknown", Args: cobra.ExactArgs(2),
		Long: `Compare two sets of runs of one scenario. Each side is a baseline file, a run's directory or result.json, or
the directory of a series of runs (series.json; pick one of several variants with DIR#variant).

A metric is worse when three things hold: the runs differ (permutation test over blocks of seconds), they
differ more than runs of one build do (needs several runs), and the difference is at least --min-effect.

Exit codes:
    0  pass         nothing is worse by the minimum effect, and the intervals show it
   99  fail         something is
    3  unknown      the runs cannot tell, or they come from different machines
    1  error        nothing to compare, or the two were not asked the same`,
		Example: `  brownout compare .brownout/baselines/steady.json brownout-out/20261121T114801-steady-7f3a
  brownout compare old/series.json new/series.json --metric "p99 ttft" --min-effect 10%
  brownout compare base.json result.json --markdown - | gh pr comment --body-file -`,
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := f.config()
			if err != nil {
				return err
			}
			a, errA := baseline.Side(args[0])
			b, errB := baseline.Side(args[1])
			if err := errors.Join(errA, errB); err != nil {
				return err
			}
			done, err := compare.Compare(a, b, cfg)
			if err != nil {
				return err
			}
			return errors.Join(f.show(c.OutOrStdout(), done, asJSON), codeOfComparison(done))
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the comparison as JSON")
	return c
}

// show prints a comparison, and writes its Markdown where that was asked for.
func (f *compareFlags) show(w io.Writer, c compare.Comparison, asJSON bool) error {
	switch {
	case f.markdown == "-":
		return render.ComparisonMarkdown(w, c)
	case f.markdown != "":
		file, err := os.Create(f.markdown)
		if err != nil {
			return fmt.Errorf("cannot write the comparison: %w", err)
		}
		if err := errors.Join(render.ComparisonMarkdown(file, c), file.Close()); err != nil {
			return fmt.Errorf("cannot write the comparison: %w", err)
		}
	}
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(c)
	}
	return render.Comparison(w, c, terminalOptions(os.Stdout, ""))
}

// codeOfComparison is the exit code as an error; nil for a pass.
func codeOfComparison(c compare.Comparison) error {
	return asError(c.ExitCode)
}
