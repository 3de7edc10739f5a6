package slo

import (
	"fmt"

	"github.com/brownout-dev/brownout/internal/event"
)

// recoveryGate judges a gate over every fault; the worst verdict counts, and the worst number is shown.
func (j *judge) recoveryGate(g Gate, faults []Recovery) GateResult {
	r := GateResult{Gate: g, Verdict: Unknown, Missing: true, N: len(faults)}
	if len(faults) == 0 {
		r.Why = g.name() + ": no fault was injected, so there is nothing to recover from."
		return r
	}
	for i := range faults {
		f := &faults[i]
		one := j.oneFault(&g, f)
		worse := i == 0 || rank(one.verdict) > rank(r.Verdict)
		level := rank(one.verdict) == rank(r.Verdict)
		if worse {
			r.Verdict = one.verdict
		}
		if worse || (level && one.known && (r.Missing || one.got > r.Got)) {
			r.Got, r.Missing = one.got, !one.known
			r.Why = fmt.Sprintf("%s: %s %s.", g.name(), f.title(), one.why)
		}
	}
	return r
}

// rank orders verdicts by how much they spoil.
func rank(v Verdict) int {
	switch v {
	case Pass:
		return 0
	case Unknown:
		return 1
	case Fail:
		return 2
	}
	return 3
}

// finding is one fault's answer to one gate.
type finding struct {
	verdict Verdict
	got     float64
	known   bool
	why     string // "was detected after 93 ms"
}

func (j *judge) oneFault(g *Gate, f *Recovery) finding {
	if f.State == Unproven {
		return finding{verdict: Unknown, why: "was never proven to take effect"}
	}
	switch g.Metric {
	case "ttd":
		return j.detection(g, f)
	case "ttm", "ttr", "residual":
		return j.duration(g, f)
	case "out_of_slo":
		return soFar(g, f, f.OutOfSLO, "was out of its objective for "+duration(f.OutOfSLO))
	case "relapses":
		return soFar(g, f, float64(f.Relapses), "relapsed "+times(f.Relapses))
	}
	return finding{verdict: Unknown, why: fmt.Sprintf("has no metric %q; write ttd, ttm, ttr, residual, out_of_slo or relapses", g.Metric)}
}

// soFar judges what only grows: a run cut short can break an upper limit, but not prove that it was kept.
func soFar(g *Gate, f *Recovery, got float64, why string) finding {
	one := finding{verdict: decided(g.holds(got)), got: got, known: true, why: why}
	if f.Cut && (one.verdict == Pass) == (g.Op == "<=") {
		one.verdict = Unknown
		one.why += " so far, and the run does not show the rest"
	}
	return one
}

func (j *judge) detection(g *Gate, f *Recovery) finding {
	switch {
	case f.TTD != nil:
		one := finding{verdict: decided(g.holds(*f.TTD)), got: *f.TTD, known: true, why: "was noticed after " + duration(*f.TTD)}
		return j.resolved(g, one)
	case !j.speaks():
		return finding{verdict: Unknown, why: "hit a target that tells no events, so nobody can say when it was noticed"}
	case f.State == Absorbed:
		return finding{verdict: Pass, why: "was absorbed, and there was nothing to notice"}
	case f.Cut && f.Impact == 0:
		return finding{verdict: Unknown, why: "had not hurt anybody when the run ended"}
	}
	return finding{verdict: Fail, why: "was never noticed by the system"}
}

// speaks reports whether the target emits events at all; the fault holder's own do not count.
func (j *judge) speaks() bool {
	for i := range j.in.Events {
		switch j.in.Events[i].Kind {
		case event.FaultArmed, event.FaultEffective, event.FaultUnproven, event.FaultCleared, event.FaultClearFail, event.FaultExpired:
		default:
			return true
		}
	}
	return false
}

// duration judges ttm, ttr and residual. What was absorbed keeps every limit. What recovered without being
// mitigated while the fault was on was out no longer than its ttr, which then stands for ttm.
func (j *judge) duration(g *Gate, f *Recovery) finding {
	var got *float64
	what := "was good again %s after the first harm"
	switch g.Metric {
	case "ttr":
		got = f.TTR
	case "residual":
		got, what = f.Residual, "was good again %s after it was cleared"
	case "ttm":
		if got = f.TTM; got == nil {
			got = f.TTR
		} else {
			what = "was mitigated %s after the first harm"
		}
	}
	switch {
	case f.State == Absorbed:
		return finding{verdict: Pass, why: "was absorbed"}
	case got != nil:
		one := finding{verdict: decided(g.holds(*got)), got: *got, known: true, why: fmt.Sprintf(what, duration(*got))}
		if g.Metric == "residual" {
			return j.resolved(g, one)
		}
		return one
	case f.Cut && (f.Impact == 0 || f.Observed <= g.Value || g.Metric == "residual"):
		return finding{verdict: Unknown, why: "cannot be judged: the run ended, or the load paused, before it had to be good again"}
	}
	return finding{verdict: Fail, got: f.Observed, known: true, why: "was not over " + duration(f.Observed) + " after the first harm, when we stopped looking"}
}

// resolved takes a verdict back that the clocks' error could turn.
func (j *judge) resolved(g *Gate, one finding) finding {
	err := j.clockError().Seconds()
	if g.holds(one.got-err) != g.holds(one.got+err) {
		one.verdict = Unknown
		one.why += fmt.Sprintf(", known to ± %s only, too coarse for the limit", duration(err))
	}
	return one
}
