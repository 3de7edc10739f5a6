package slo

import (
	"fmt"
	"math"
)

// gate judges one gate over a phase, the run, or the faults.
func (j *judge) gate(g Gate, c *cohorts, faults []Recovery) GateResult {
	if g.Scope == "recovery" {
		return j.recoveryGate(g, faults)
	}
	r := GateResult{Gate: g, Verdict: Unknown, Missing: true}
	co := j.scope(g.Scope, c)
	switch {
	case co == nil:
		r.Why = fmt.Sprintf("%s: there is no phase %q, so nothing was measured; name one of the plan's phases or \"run\".", g.name(), g.Scope)
		return r
	case co.due == 0:
		r.Why = fmt.Sprintf("%s: no request was due in %s, so nothing was measured.", g.name(), g.where())
		return r
	}
	switch g.Metric {
	case "goodput":
		plain(&r, co.good+co.expected, co.judged(), "were good")
	case "availability":
		plain(&r, co.available, co.judged(), "were answered")
	case "count":
		r.Got, r.N, r.Missing = float64(co.outcomes[g.Of]), co.due, false
		r.Verdict = decided(g.holds(r.Got))
		r.Why = fmt.Sprintf("%s: %s of %s requests in %s ended %s.", g.name(), count(int(r.Got)), count(co.due), g.where(), g.Of)
	default:
		r.percentile(co)
	}
	return r
}

// scope is the requests a gate speaks of; nil for an unknown phase.
func (j *judge) scope(name string, c *cohorts) *cohort {
	for i, p := range j.phases {
		if p.Name == name {
			return &c.byPhase[i]
		}
	}
	if name == "run" {
		return &c.run
	}
	return nil
}

// plain judges a share as it is: every request was counted, nothing is estimated.
func plain(r *GateResult, part, whole int, what string) {
	r.N = whole
	if whole == 0 {
		r.Why = fmt.Sprintf("%s: no request in %s can be judged.", r.name(), r.where())
		return
	}
	r.Got, r.Missing = share(part, whole), false
	r.Verdict = decided(r.holds(r.Got))
	r.Why = fmt.Sprintf("%s: %s of %s requests in %s %s (%s).", r.name(), count(part), count(whole), r.where(), what, percent(r.Got))
}

// percentile judges "p99 ttft <= x" on the share of samples within x, failures being outside: its
// Clopper-Pearson bounds must both be on one side of 99 %.
func (r *GateResult) percentile(co *cohort) {
	q := r.P / 100
	unit := "requests"
	var k int
	var ok bool
	if r.Metric == "itl" {
		k, r.N, unit = gapsWithin(co.gaps, r.Value), int(co.gaps.TotalCount()), "token gaps"
		r.Got, ok = float64(co.gaps.ValueAtQuantile(r.P))*micros, r.N > 0
	} else {
		s := co.metric(r.Metric)
		if s == nil {
			r.Why = fmt.Sprintf("%s: there is no metric %q; write goodput, availability, count, ttft, itl, tpot, e2e or sched_lag.", r.name(), r.Metric)
			return
		}
		k, r.N = s.within(r.Value), s.total()
		r.Got, ok = s.quantile(q)
	}
	if !ok {
		r.Why = fmt.Sprintf("%s: %s has no samples of %s.", r.name(), r.where(), r.Metric)
		return
	}
	r.Missing = false
	r.Share = share(k, r.N)
	r.Lower, r.Upper = ClopperPearson(k, r.N, Confidence)
	switch r.Op {
	case "<=":
		r.Verdict = bounded(r.Lower >= q, r.Upper < q)
	case ">=":
		r.Verdict = bounded(r.Upper <= q, r.Lower > q)
	}
	r.Why = fmt.Sprintf("%s: %s of %s %s in %s (%s) were within %s, which is %s to %s at %.0f %% confidence where %s is the mark; the observed p%g is %s.",
		r.name(), count(k), count(r.N), unit, r.where(), percent(r.Share), duration(r.Value),
		percent(r.Lower), percent(r.Upper), Confidence*100, percent(q), r.P, duration(r.Got))
	if r.Verdict == Unknown && r.Op == "<=" && k == r.N {
		r.Why += fmt.Sprintf(" That takes %s samples.", count(SamplesNeeded(q, 0)))
	}
}

// metric is the samples behind a percentile; nil for an unknown word.
func (c *cohort) metric(name string) *samples {
	switch name {
	case "ttft":
		return &c.ttft
	case "tpot":
		return &c.tpot
	case "e2e":
		return &c.e2e
	case "sched_lag":
		return &c.lag
	}
	return nil
}

// holds compares a number that is known exactly.
func (g *Gate) holds(got float64) bool {
	switch g.Op {
	case "<=":
		return got <= g.Value
	case ">=":
		return got >= g.Value
	case "==":
		return math.Abs(got-g.Value) < 1e-12
	}
	return false
}

func decided(ok bool) Verdict { return bounded(ok, !ok) }

func bounded(pass, fail bool) Verdict {
	switch {
	case pass:
		return Pass
	case fail:
		return Fail
	}
	return Unknown
}

// name is the gate as written, or as it would be.
func (g *Gate) name() string {
	if g.Text != "" {
		return g.Text
	}
	metric, value := g.Metric, duration(g.Value)
	switch g.Metric {
	case "count":
		metric, value = "count "+g.Of, fmt.Sprintf("%g", g.Value)
	case "relapses":
		value = fmt.Sprintf("%g", g.Value)
	case "goodput", "availability":
		value = percent(g.Value)
	}
	if g.P > 0 {
		metric = fmt.Sprintf("p%g %s", g.P, metric)
	}
	return metric + " " + g.Op + " " + value
}

func place(scope string) string {
	if scope == "run" {
		return "the run"
	}
	return "phase " + scope
}
