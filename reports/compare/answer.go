package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/slo"
)

// holm adjusts the p-values of a family for each other (Holm 1979): the chance of any false finding among
// them stays below Alpha whatever their dependence.
func holm(family []Metric) {
	order := []int{}
	for i := range family {
		if !family[i].Shown {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case family[a].P < family[b].P:
			return -1
		case family[a].P > family[b].P:
			return 1
		}
		return 0
	})
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, family[i].P*float64(len(order)-rank)))
		family[i].P = largest
	}
}

// decide gives the metric its answer. P must be adjusted.
func (m *Metric) decide(runs int) {
	if m.Shown {
		return
	}
	low, high := m.Low, m.High
	if m.higherIsBetter() && low != nil {
		l, h := -*m.High, -*m.Low
		low, high = &l, &h
	}
	significant := m.P < Alpha
	switch {
	case significant && m.worse >= m.Effect:
		m.Answer = Worse
	case significant && m.worse <= -m.Effect:
		m.Answer = Better
	case m.A == slo.Infinite && m.B == slo.Infinite:
		m.Answer, m.Why = Unknown, "it is infinite on both sides: too many requests failed"
	case !m.noiseKnown:
		m.Answer, m.Why = Unknown, "the noise between runs is not known"
		m.NeedRuns = max(m.NeedRuns, 3)
	case low != nil && *high < m.Effect && *low > -m.Effect:
		m.Answer = Same
	case low != nil && *high < m.Effect:
		m.Answer = NotWorse
	default:
		m.Answer, m.Why = Unknown, "the interval is too wide"
		switch {
		case m.PBlocks < Alpha && m.PRuns >= Alpha:
			m.Why = "these runs differ, but not more than runs of one build do"
		case low != nil && (*low > 0 || *high < 0):
			m.Why = "it differs, but chance is not ruled out over all metrics: runs, seconds or fewer metrics would help"
		}
		if m.NeedRuns == 0 {
			m.NeedRuns = runs/2 + 1
		}
	}
	if m.Answer != Unknown {
		m.NeedRuns = 0
	}
}

// settle derives the whole answer. capped are sentences why it may be no better than unknown.
func (c *Comparison) settle(capped []string) {
	var worse, better, unknown []string
	need := 0
	judged := 0
	for _, m := range slices.Concat(c.Metrics, c.Recovery) {
		if m.Shown {
			continue
		}
		judged++
		name := m.Name + " in " + m.Scope
		switch m.Answer {
		case Worse:
			worse = append(worse, name)
		case Better:
			better = append(better, name)
		case Unknown:
			unknown = append(unknown, name)
			need = max(need, m.NeedRuns)
		case Same, NotWorse:
		}
	}
	say := func(format string, args ...any) { c.Reasons = append(c.Reasons, fmt.Sprintf(format, args...)) }
	c.Reasons = []string{}
	switch {
	case len(capped) > 0:
		c.Answer, c.ExitCode = slo.Unknown, 3
		say("Unknown: these runs do not carry an answer.")
		c.Reasons = append(c.Reasons, capped...)
		if len(worse) > 0 {
			say("As they stand, worse: %s.", strings.Join(worse, ", "))
		}
	case len(worse) > 0:
		c.Answer, c.ExitCode = slo.Fail, 99
		say("Fail: %s is worse than %s in %d of %d metrics: %s.", c.B.Name, c.A.Name, len(worse), judged, strings.Join(worse, ", "))
	case len(unknown) > 0:
		c.Answer, c.ExitCode = slo.Unknown, 3
		say("Unknown: %d of %d metrics cannot be told apart from noise: %s.", len(unknown), judged, strings.Join(unknown, ", "))
		switch {
		case need > maxNeed:
			say("More than %d runs a side would be needed: lengthen the phases, use a quieter machine, or ask for a larger effect with --min-effect.", maxNeed)
		case need > 0:
			say("About %d runs a side should tell; so may a quieter machine or a larger --min-effect.", need)
		}
	default:
		c.Answer, c.ExitCode = slo.Pass, 0
		say("Pass: none of %d metrics is worse than in %s by the minimum effect.", judged, c.A.Name)
	}
	if len(better) > 0 {
		say("Better: %s.", strings.Join(better, ", "))
	}
}
