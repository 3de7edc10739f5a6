package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func (c *checker) slo(f *file, phases []slo.Phase) slo.Spec {
	g := f.SLO.Guards
	s := slo.Spec{
		Limits:    c.limits("slo.limits", &f.SLO.Limits, f.streams("")),
		Objective: float64(f.SLO.Objective), MinBad: f.SLO.MinBad,
		Hold: time.Duration(f.SLO.Recovery.Hold), Horizon: time.Duration(f.SLO.Recovery.Horizon),
		Phases: slices.Clone(phases), DegradedIsGood: f.SLO.DegradedIsGood,
		Guards: slo.Guards{LagP99: time.Duration(g.LagP99), DroppedShare: float64(g.DroppedShare), TimerLateP99: time.Duration(g.TimerLateP99),
			StepLateP99: time.Duration(g.StepLateP99), StepLateRel: float64(g.StepLateRel), MaxOffset: time.Duration(g.MaxOffset)},
	}
	if s.Objective <= 0 || s.Objective > 1 {
		c.wrong("slo.objective", "an objective of zero is always met", "write for example 90%")
	}
	if s.MinBad < 1 {
		c.wrong("slo.min_bad", fmt.Sprintf("%d is out of bounds", s.MinBad), "write 1 or more")
	}
	if s.Hold <= 0 || s.Hold > load.MaxDuration {
		c.wrong("slo.recovery.hold", fmt.Sprintf("%s is out of bounds", f.SLO.Recovery.Hold), "write for example 3s")
	}
	if s.Horizon < s.Hold || s.Horizon > load.MaxDuration {
		c.wrong("slo.recovery.horizon", fmt.Sprintf("%s is out of bounds", f.SLO.Recovery.Horizon), "write at least the hold time, "+f.SLO.Recovery.Hold.String())
	}
	s.Expected = c.expected("slo.expected", f.SLO.Expected)
	c.classes(f, &s)
	c.guards(s.Guards)
	s.Gates = c.gates(f, phases)
	return s
}

// guards refuses zeros: a guard of zero trips on every run.
func (c *checker) guards(g slo.Guards) {
	for key, zero := range map[string]bool{
		"sched_lag_p99": g.LagP99 == 0, "dropped_share": g.DroppedShare == 0, "timer_late_p99": g.TimerLateP99 == 0,
		"step_late_p99": g.StepLateP99 == 0, "step_late_relative": g.StepLateRel == 0, "max_offset_error": g.MaxOffset == 0,
	} {
		if zero {
			c.wrong("slo.guards."+key, "a guard of zero makes every verdict unknown", "write more, or remove it for the usual limit")
		}
	}
}

func (c *checker) timeouts(f *file, limits slo.Limits) Timeouts {
	t := Timeouts{Connect: time.Duration(f.Timeouts.Connect), TTFT: time.Duration(f.Timeouts.TTFT),
		Stall: time.Duration(f.Timeouts.Stall), Total: time.Duration(f.Timeouts.Total)}
	c.patience("connect", &t.Connect, 2*time.Second, 0)
	c.patience("ttft", &t.TTFT, 10*time.Second, limits.TTFT)
	c.patience("stall", &t.Stall, 5*time.Second, limits.Gap)
	c.patience("total", &t.Total, 30*time.Second, limits.E2E)
	return t
}

// patience fills one timeout in: at least twice the limit it belongs to, so that a late answer is seen to
// be late before the client gives up on it.
func (c *checker) patience(key string, t *time.Duration, usual, limit time.Duration) {
	path := "timeouts." + key
	if !c.doc.Has(path) {
		*t = max(usual, 2*limit)
		return
	}
	if *t <= 0 || *t > time.Hour {
		c.wrong(path, fmt.Sprintf("%s is out of bounds", short(*t)), "write for example "+short(usual)+" (at most 1h)")
	} else if *t < limit {
		c.wrong(path, fmt.Sprintf("the client would give up after %s, before the limit of %s", short(*t), short(limit)), "write at least the limit")
	}
}
