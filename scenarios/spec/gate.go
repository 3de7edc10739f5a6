package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Scopes of a gate beside the phases.
const (
	scopeRun      = "run"
	scopeRecovery = "recovery"
)

// parseGate reads one line of slo.gates:
//
//	goodput >= 99%          availability >= 99.9%      shares, over requests due
//	p99 ttft <= 1s          also itl, tpot, e2e, sched_lag; failures count as infinitely slow
//	count truncated == 0    any outcome's word
//	ttr <= 5s               recovery only: ttd, ttm, ttr, residual, out_of_slo; relapses == 0
//
// Operators are <=, >= and ==; a percentile takes <= only. An error is a yamlx.Wrong.
func parseGate(scope, line string) (slo.Gate, error) {
	g := slo.Gate{Scope: scope, Text: strings.Join(strings.Fields(line), " ")}
	left, right, err := splitGate(&g)
	if err != nil {
		return g, err
	}
	words := strings.Fields(left)
	if len(words) == 0 || len(words) > 2 {
		return g, yamlx.Wrong{What: fmt.Sprintf("%.80q names no metric", g.Text), Mend: metricsMend(scope)}
	}
	if len(words) == 2 {
		if scope == scopeRecovery {
			return g, yamlx.Wrong{What: fmt.Sprintf("%.80q is not a recovery metric", left), Mend: metricsMend(scope)}
		}
		if words[0] == "count" {
			return g, countGate(&g, words[1], right)
		}
		return g, percentileGate(&g, words[0], words[1], right)
	}
	g.Metric = words[0]
	switch {
	case scope == scopeRecovery && g.Metric == "relapses":
		g.Value, err = countValue(right)
	case scope == scopeRecovery && slices.Contains(recoveryMetrics(), g.Metric):
		g.Value, err = secondsValue(right)
	case scope != scopeRecovery && (g.Metric == "goodput" || g.Metric == "availability"):
		var share yamlx.Share
		err = share.UnmarshalText([]byte(right))
		g.Value = float64(share)
	case slices.Contains(latencyMetrics(), g.Metric):
		err = yamlx.Wrong{What: fmt.Sprintf("%.80q names no percentile", g.Text), Mend: "write for example p99 " + g.Text}
	default:
		err = yamlx.Wrong{What: fmt.Sprintf("%.80q is not a metric of this scope", g.Metric), Mend: metricsMend(scope)}
	}
	return g, err
}

func latencyMetrics() []string  { return []string{"ttft", "itl", "tpot", "e2e", "sched_lag"} }
func recoveryMetrics() []string { return []string{"ttd", "ttm", "ttr", "residual", "out_of_slo"} }

func metricsMend(scope string) string {
	if scope == scopeRecovery {
		return "write ttd, ttm, ttr, residual, out_of_slo or relapses, for example ttr <= 5s"
	}
	return "write goodput, availability, a percentile or a count, for example goodput >= 99%, p99 ttft <= 1s, count corrupt == 0"
}

// splitGate finds the operator and what stands on both sides of it.
func splitGate(g *slo.Gate) (left, right string, err error) {
	i := strings.IndexAny(g.Text, "<>=!")
	if i < 0 {
		return "", "", yamlx.Wrong{What: fmt.Sprintf("%.80q compares nothing", g.Text), Mend: "write for example goodput >= 99% or p99 ttft <= 1s"}
	}
	rest := strings.TrimLeft(g.Text[i:], "<>=!")
	g.Op = g.Text[i : len(g.Text)-len(rest)]
	switch g.Op {
	case "<=", ">=", "==":
		return strings.TrimSpace(g.Text[:i]), strings.TrimSpace(rest), nil
	}
	return "", "", yamlx.Wrong{What: fmt.Sprintf("%.80q is not an operator of gates", g.Op), Mend: "write <=, >= or =="}
}

func countGate(g *slo.Gate, outcome, right string) error {
	if _, ok := record.ParseOutcome(outcome); !ok {
		mend := "write one of " + strings.Join(outcomes(), ", ")
		if near := yamlx.Nearest(outcome, outcomes()); near != "" {
			mend = fmt.Sprintf("did you mean %.80q?", near)
		}
		return yamlx.Wrong{What: fmt.Sprintf("%.80q is not an outcome", outcome), Mend: mend}
	}
	g.Metric, g.Of = "count", outcome
	var err error
	g.Value, err = countValue(right)
	return err
}

func outcomes() []string {
	var words []string
	for o := record.OK; o < record.NumOutcomes; o++ {
		words = append(words, o.String())
	}
	return words
}

func percentileGate(g *slo.Gate, p, metric, right string) error {
	digits, isP := strings.CutPrefix(p, "p")
	f, err := strconv.ParseFloat(digits, 64)
	if !isP || err != nil || !(f >= 1 && f <= 99.99) { // the negation catches NaN too
		return yamlx.Wrong{What: fmt.Sprintf("%.80q is not a percentile", p), Mend: "write p50, p99 or p99.9 (p1 to p99.99)"}
	}
	if !slices.Contains(latencyMetrics(), metric) {
		return yamlx.Wrong{What: fmt.Sprintf("%.80q has no percentiles", metric), Mend: "write " + strings.Join(latencyMetrics(), ", ")}
	}
	if g.Op != "<=" {
		return yamlx.Wrong{What: fmt.Sprintf("a percentile is gated from above, not by %s", g.Op), Mend: "write <="}
	}
	g.P, g.Metric = f, metric
	g.Value, err = secondsValue(right)
	return err
}

func secondsValue(s string) (float64, error) {
	var d yamlx.Duration
	err := d.UnmarshalText([]byte(s))
	return time.Duration(d).Seconds(), err
}

func countValue(s string) (float64, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, yamlx.Wrong{What: fmt.Sprintf("%.80q is not a count", s), Mend: "write a whole number such as 0"}
	}
	return float64(n), nil
}
