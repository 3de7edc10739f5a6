package saturate

import (
	"fmt"

	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/reports/slo"
)

// judge makes a probe of a finished run. A run whose guards tripped cannot be judged, whatever its gates
// say. Otherwise it passes when every gate holds and the load can last. A gate on a percentile that lacks
// samples for certainty is taken by its observed number: the search weighs single answers by itself.
func judge(rate float64, j slo.Judgement, t saturation.Trend, limits slo.Limits, streams bool) saturation.Probe {
	p := saturation.Probe{Asked: rate, Rate: rate, Trend: t, Verdict: slo.Pass}
	if n := len(j.Phases); n > 0 {
		ph := j.Phases[n-1]
		if s := ph.For.Seconds(); s > 0 && ph.Due > 0 {
			p.Rate = float64(ph.Due) / s
			p.Delivered = float64(ph.Due-ph.Outcomes["dropped"]) / s
		}
		p.Due, p.Good, p.Goodput = ph.Due, ph.Good, ph.Goodput
		p.TTFTP99, p.E2EP99 = ph.TTFT.WithFailures["p99"], ph.E2E.WithFailures["p99"]
	}
	for _, r := range j.Reasons {
		if r.Word != "gate" && r.Word != "samples" {
			p.Verdict, p.Word, p.Why = slo.Unknown, r.Word, r.Text
			return p
		}
	}
	for i := range j.Gates {
		if g := &j.Gates[i]; !holds(g) {
			p.Verdict, p.Why = slo.Fail, fmt.Sprintf("%s does not hold: %s", g.Text, got(g))
			return p
		}
	}
	if why := grows(t, limits, streams); why != "" {
		p.Verdict, p.Why = slo.Fail, why
	}
	return p
}

func holds(g *slo.GateResult) bool {
	if g.Verdict != slo.Unknown || g.Missing {
		return g.Verdict == slo.Pass
	}
	if g.Got == slo.Infinite {
		return false
	}
	switch g.Op {
	case "<=":
		return g.Got <= g.Value
	case ">=":
		return g.Got >= g.Value
	}
	return g.Got == g.Value
}

func got(g *slo.GateResult) string {
	switch {
	case g.Missing:
		return "there is no number"
	case g.Got == slo.Infinite:
		return "too many failed"
	case g.P > 0:
		return fmt.Sprintf("%.3g s", g.Got)
	case g.Metric == "count":
		return fmt.Sprintf("%.0f", g.Got)
	}
	return fmt.Sprintf("%.1f %%", 100*g.Got)
}
