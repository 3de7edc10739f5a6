package slo

import (
	"time"

	"github.com/brownout-dev/brownout/reports/record"
)

// cohorts are the requests by phase, and those of all judged phases together.
type cohorts struct {
	byPhase []cohort
	run     cohort
}

// cohortsOf counts the requests of a class; "" = all of them, with the token gaps, which know no class.
func (j *judge) cohortsOf(class string) *cohorts {
	c := &cohorts{byPhase: make([]cohort, len(j.phases))}
	all := append(make([]*cohort, 0, len(j.phases)+1), &c.run)
	for i := range c.byPhase {
		all = append(all, &c.byPhase[i])
	}
	for _, one := range all {
		one.outcomes = make(map[string]int)
	}
	c.run.gaps = record.NewGapHistogram()
	for i := range j.in.Records {
		r := &j.in.Records[i]
		p := j.phaseOf(r)
		if p < 0 || (class != "" && r.Class != class) {
			continue
		}
		c.byPhase[p].add(r, j.classes[i], j.streams[r.Class])
		if !j.phases[p].Quiet {
			c.run.add(r, j.classes[i], j.streams[r.Class])
		}
	}
	for i, p := range j.phases {
		if class != "" {
			c.byPhase[i].gaps = c.run.gaps // nothing
			continue
		}
		c.byPhase[i].gaps = j.in.Gaps.Range(wholeSecond(p.At), wholeSecond(p.At+p.For))
		if !p.Quiet {
			c.run.gaps.Merge(c.byPhase[i].gaps)
		}
	}
	for _, one := range all {
		one.seal()
	}
	return c
}

// wholeSecond is the first second that begins at or after d: a second of gaps belongs to the phase it
// begins in, so that none counts twice.
func wholeSecond(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (c *cohort) result(p Phase) PhaseResult {
	return PhaseResult{
		Name: p.Name, At: p.At, For: p.For,
		Due: c.due, Good: c.good + c.expected, Excluded: c.excluded,
		Goodput: share(c.good+c.expected, c.judged()), Availability: share(c.available, c.judged()),
		Rate: perSecond(c.due, p.For), OutputRate: perSecond(c.tokens, p.For),
		Outcomes: c.outcomes,
		TTFT:     c.ttft.dist(), TPOT: c.tpot.dist(), E2E: c.e2e.dist(), ITL: gapDist(c.gaps), Lag: c.lag.dist(),
	}
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
