package series

import (
	"slices"
	"time"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// NewTrial keeps of a result what a series needs. dir is the run's directory as seen from series.json.
func NewTrial(number int, delay time.Duration, dir string, r result.Result) Trial {
	run := &r.Judgement.Run
	t := Trial{
		Number: number, Seed: r.Scenario.Seed, Delay: delay, Dir: dir, Started: r.Started, Seconds: r.Seconds,
		Verdict: r.Judgement.Verdict, ExitCode: r.ExitCode, Reasons: r.Judgement.Reasons, Trusted: trusted(r.Judgement.Reasons),
		Due: run.Due, Good: run.Good, Goodput: run.Goodput,
	}
	t.Figures = new(newFigures(r))
	if p99, ok := run.TTFT.WithFailures["p99"]; ok {
		t.TTFTP99 = new(p99)
	}
	for i := range r.Judgement.Gates {
		g := &r.Judgement.Gates[i]
		t.Gates = append(t.Gates, Gate{Scope: g.Scope, Text: g.Text, Verdict: g.Verdict, Why: g.Why})
	}
	for i := range r.Judgement.Faults {
		t.Faults = append(t.Faults, newFault(&r.Judgement.Faults[i]))
	}
	return t
}

func newFault(r *slo.Recovery) Fault {
	f := Fault{
		Fault: r.Fault.Fault, Kind: r.Kind, Targets: r.Targets, State: r.State, Felt: r.Impact != 0,
		TTD: r.TTD, TTM: r.TTM, TTR: r.TTR, Residual: r.Residual, Observed: r.Observed,
		OutOfSLO: r.OutOfSLO, Relapses: r.Relapses, Lost: r.Lost, Late: r.Late,
	}
	if r.Burn != nil {
		f.Burn = new(r.Burn.Share)
	}
	return f
}

// trusted reports whether the numbers behind a verdict stand, whatever it is.
func trusted(reasons []slo.Reason) bool {
	return !slices.ContainsFunc(reasons, func(r slo.Reason) bool {
		return !slices.Contains([]string{"gate", "samples", "unproven"}, r.Word)
	})
}

// Busy reports whether a run could not tell because of the machine it ran on: worth a repeat.
func Busy(v slo.Verdict, reasons []slo.Reason) bool {
	return v == slo.Unknown && slices.ContainsFunc(reasons, func(r slo.Reason) bool {
		return r.Word == "client-limited" || r.Word == "simulator-limited"
	})
}
