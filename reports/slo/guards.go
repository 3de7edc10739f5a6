package slo

import (
	"fmt"
	"time"

	"github.com/brownout-dev/brownout/reports/record"
)

// guards measures whether this run can be believed. Load numbers are over the judged phases.
func (j *judge) guards(run *cohort) []GuardResult {
	g := &j.spec.Guards
	lagP99 := 0.0
	sent := samples{values: run.lag.values} // what was never sent is the next guard's
	if v, ok := sent.quantile(0.99); ok {
		lagP99 = v
	}
	dropped := share(run.outcomes[record.Dropped.String()], run.due)
	out := []GuardResult{
		over99("client-limited", "send lag p99", lagP99, g.LagP99),
		{Word: "client-limited", Name: "requests never sent", Got: dropped, Limit: g.DroppedShare, Unit: "share", Tripped: dropped > g.DroppedShare},
		over99("client-limited", "timer lateness p99", j.in.Client.TimerLateP99, g.TimerLateP99),
	}
	out = append(out, j.spec.calibrated(j.in.Client.Calibration)...)
	if s := &j.in.Steps; s.Known {
		// Both limits at once: the one that is harder to pass is shown.
		limit := max(g.StepLateP99.Seconds(), g.StepLateRel*s.StepP50)
		out = append(out, GuardResult{
			Word: "simulator-limited", Name: "engine step lateness p99", Got: s.LateP99, Limit: limit, Unit: "s",
			Tripped: s.LateP99 > limit,
		})
	}
	worst := time.Duration(0)
	for _, o := range j.in.Clocks {
		worst = max(worst, o.Error)
	}
	out = append(out, over99("clock", "clock error", worst.Seconds(), g.MaxOffset))
	unproven, held, lost := 0, 0, 0
	for i := range j.in.Faults {
		f := &j.in.Faults[i]
		switch {
		case f.Effective == 0:
			unproven++
		case f.Cleared == 0:
			held++
		}
		if f.LeaseLost {
			lost++
		}
	}
	if len(j.in.Faults) > 0 {
		out = append(out,
			none("unproven", "faults never proven to take effect", unproven),
			none("unproven", "faults never proven gone", held),
			none("lease-lost", "faults that lost their lease", lost))
	}
	if unused, ok := j.unused(); ok {
		out = append(out, none("idle", "faults on a replica that served nobody", unused))
	}
	return out
}

func over99(word, name string, got float64, limit time.Duration) GuardResult {
	return GuardResult{Word: word, Name: name, Got: got, Limit: limit.Seconds(), Unit: "s", Tripped: got > limit.Seconds()}
}

func none(word, name string, n int) GuardResult {
	return GuardResult{Word: word, Name: name, Got: float64(n), Unit: "faults", Tripped: n > 0}
}

// text is the guard as a sentence.
func (g *GuardResult) text() string {
	switch g.Unit {
	case "s":
		return fmt.Sprintf("The %s was %s, and above %s the numbers cannot be trusted.", g.Name, duration(g.Got), duration(g.Limit))
	case UnitFactor:
		return g.headroomText()
	case "share":
		return fmt.Sprintf("The load generator could not send %s of the requests, and above %s the numbers cannot be trusted.", percent(g.Got), percent(g.Limit))
	}
	return fmt.Sprintf("The number of %s is %s; it must be 0 for the numbers to be trusted.", g.Name, count(int(g.Got)))
}
