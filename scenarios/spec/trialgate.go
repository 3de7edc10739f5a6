package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// scopeTrials is the scope of gates over a series.
const scopeTrials = "trials"

// trialGates reads slo.trials. They say nothing in a single run.
func (c *checker) trialGates(f *file) []slo.Gate {
	if len(f.SLO.Trials) > 0 && len(f.Faults) == 0 {
		c.wrong("slo.trials", "nothing is injected, so nothing recovers", "add a fault, or remove the gates over trials")
		return nil
	}
	if len(f.SLO.Trials) > maxGates {
		c.wrong("slo.trials", fmt.Sprintf("there are %d gates", len(f.SLO.Trials)), fmt.Sprintf("write at most %d", maxGates))
		return nil
	}
	var gates []slo.Gate
	for i, line := range f.SLO.Trials {
		path := fmt.Sprintf("slo.trials[%d]", i)
		g, err := parseTrialGate(line)
		if err != nil {
			c.fault(path, err)
			continue
		}
		pos := c.doc.Pos(path)
		g.File, g.Line = pos.File, pos.Line
		gates = append(gates, g)
	}
	return gates
}

// parseTrialGate reads one line:
//
//	mttr <= 3s          mean TTR over the trials whose users felt the fault
//	median ttr <= 2s    by its order-statistic interval
//	absorbed >= 90%     share of trials, by its Clopper-Pearson bounds
func parseTrialGate(line string) (slo.Gate, error) {
	const mend = "write for example mttr <= 3s, median ttr <= 2s or absorbed >= 90%"
	g := slo.Gate{Scope: scopeTrials, Text: strings.Join(strings.Fields(line), " ")}
	left, right, err := splitGate(&g)
	if err != nil {
		return g, err
	}
	g.Metric = strings.Join(strings.Fields(left), " ")
	want := "<="
	if g.Metric == series.Absorption {
		want = ">="
	}
	switch {
	case !slices.Contains([]string{series.Mean, series.Median, series.Absorption}, g.Metric):
		return g, yamlx.Wrong{What: fmt.Sprintf("%.80q is not a metric of trials", g.Metric), Mend: mend}
	case g.Op != want:
		return g, yamlx.Wrong{What: fmt.Sprintf("%s is not gated by %s", g.Metric, g.Op), Mend: "write " + want}
	case g.Metric == series.Absorption:
		var share yamlx.Share
		err = share.UnmarshalText([]byte(right))
		g.Value = float64(share)
		if err == nil && share >= 1 {
			err = yamlx.Wrong{What: "no number of trials shows that all are absorbed", Mend: "write for example absorbed >= 90%, which takes 36 trials"}
		}
		return g, err
	}
	g.Value, err = secondsValue(right)
	return g, err
}

func (e *explainer) trialGates() {
	if len(e.Trials) == 0 {
		return
	}
	e.line("Trials    gates over all trials of a variant under test, with --trials")
	for _, g := range e.Trials {
		needs := "the mean as it is, over trials whose users felt the fault"
		switch g.Metric {
		case series.Median:
			needs = "at least 6 trials whose users felt the fault"
		case series.Absorption:
			needs = fmt.Sprintf("at least %d trials", slo.SamplesNeeded(g.Value, 0))
		}
		e.line("  %-20s %s", g.Text, needs)
	}
	e.line("")
}
