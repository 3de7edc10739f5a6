package spec

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func (e *explainer) gates() {
	scope, text := len("scope"), 0
	for _, g := range e.SLO.Gates {
		scope, text = max(scope, utf8.RuneCountInString(g.Place())), max(text, len(g.Text))
	}
	e.line("Gates")
	for _, g := range e.SLO.Gates {
		e.line("  %-*s  %-*s  %s", scope, g.Place(), text, g.Text, e.evidence(g))
	}
	e.line("")
}

// evidence is what a gate rests on, and warns where that is too little.
func (e *explainer) evidence(g slo.Gate) string {
	if g.Scope == scopeRecovery {
		return e.recovery(g)
	}
	if e.Load.Arrivals.Process == load.Closed {
		return "as many requests as are answered"
	}
	n, unit := e.samples(g)
	base := fmt.Sprintf("%s %s", thousands(n), unit)
	if g.P == 0 {
		return base
	}
	p := g.P / 100
	if n > maxCounted {
		return base + fmt.Sprintf(": up to about %s may be slower or failed", yamlx.Share(1-p))
	}
	k, least := misses(n, p), slo.SamplesNeeded(p, 0)
	if k < 0 {
		mend := "lower the percentile"
		if e.Load.MeanRate() > 0 {
			mend = fmt.Sprintf("lengthen the phase %.2g times, or %s", math.Ceil(10*float64(least)/float64(max(n, 1)))/10, mend)
		}
		e.warn("%s: %s can never pass: about %s %s are expected, and %s are needed even if not one is too slow; %s.",
			g.Place(), g.Text, thousands(n), unit, thousands(least), mend)
		return base + fmt.Sprintf(": too few, %s needed", thousands(least))
	}
	if one := slo.SamplesNeeded(p, 1); k == 0 {
		e.warn("%s: %s does not survive one slow request: about %s %s are expected, and %s are needed for that.", g.Place(), g.Text, thousands(n), unit, thousands(one))
	}
	if k == 0 {
		return base + ": not one may be slower or failed"
	}
	return base + fmt.Sprintf(": up to %s may be slower or failed", thousands(k))
}

// recovery is what a recovery gate rests on, and warns where the plan ends before it could fail.
func (e *explainer) recovery(g slo.Gate) string {
	for _, f := range e.Faults {
		room := e.Length() - f.At
		if (g.Metric == "ttr" || g.Metric == "ttm") && g.Op == "<=" && g.Value >= room.Seconds() {
			e.warn("%s: %s can never fail: the plan ends %s after %s begins; lengthen the last phase.", g.Scope, g.Text, short(room), f.Fault.Kind)
		}
	}
	return "every fault by itself; one that is absorbed passes"
}

// samples is how many numbers a gate's percentile is taken over, as planned.
func (e *explainer) samples(g slo.Gate) (n int, unit string) {
	expected := 0.0
	for _, p := range e.Phases {
		if p.Name == g.Scope || (g.Scope == scopeRun && !p.Quiet) {
			expected += e.Load.Expected(p.At, p.At+p.For)
		}
	}
	n = int(math.Round(expected))
	if g.Metric == "itl" {
		if e.Load.Arrivals.Process == load.Replay { // whose mean is no whole number
			_, output := e.Load.Means()
			return int(float64(n) * (output - 1)), "gaps"
		}
		gaps, classes := 0.0, e.Load.Classes()
		for i, share := range e.Load.Shares() {
			if classes[i].Streams() {
				gaps += share * max(0, classes[i].Output.Drawn()-1)
			}
		}
		return int(float64(n) * gaps), "gaps"
	}
	for i, share := range e.Load.Shares() {
		if g.Class != "" && e.Load.Mix[i].Name == g.Class {
			n = int(math.Round(float64(n) * share))
		}
	}
	return n, "requests"
}
