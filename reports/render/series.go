package render

import (
	"fmt"
	"strings"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// trialRow is one trial as every format shows it.
type trialRow struct {
	series.Trial
	Place  string // "3" or, with repeats, "3 ↻2"
	TTFT   string // p99, with failures as ∞
	Faults string // how each ended: "absorbed", "recovered in 2.1 s"
	TTD    string
	TTR    string
	Lost   string
	Burned string
	State  string // of the worst fault, for a colour
}

func newTrialRow(t series.Trial) trialRow {
	row := trialRow{Trial: t, Place: count(t.Number), TTFT: none, Faults: none, TTD: none, TTR: none, Lost: none, Burned: none}
	if tries := len(t.Repeated); tries > 0 {
		row.Place += fmt.Sprintf(" ↻%d", tries)
	}
	if t.TTFTP99 != nil {
		row.TTFT = seconds(*t.TTFTP99)
		if *t.TTFTP99 == slo.Infinite {
			row.TTFT = "∞"
		}
	}
	n := len(t.Faults)
	stories, ttd, ttr := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	lost, burned := make([]string, 0, n), make([]string, 0, n)
	for _, f := range t.Faults {
		stories = append(stories, trialStory(f))
		ttd, ttr = append(ttd, maybe(f.TTD, seconds)), append(ttr, waited(f))
		lost, burned = append(lost, count(f.Lost+f.Late)), append(burned, maybe(f.Burn, share))
		row.State = string(f.State)
	}
	if n > 0 {
		row.Faults, row.TTD, row.TTR = strings.Join(stories, "; "), strings.Join(ttd, "; "), strings.Join(ttr, "; ")
		row.Lost, row.Burned = strings.Join(lost, "; "), strings.Join(burned, "; ")
	}
	return row
}

// trialStory is how a fault ended in a few words.
func trialStory(f series.Fault) string {
	switch {
	case f.State == slo.Absorbed:
		return "absorbed"
	case f.State == slo.Recovered:
		return "recovered"
	case f.State == slo.Censored && f.Felt:
		return "not recovered"
	case f.State == slo.Censored:
		return "not seen"
	}
	return "unproven"
}

// waited is a TTR, or how long it was looked for in vain.
func waited(f series.Fault) string {
	switch {
	case f.TTR != nil:
		return seconds(*f.TTR)
	case f.State == slo.Censored && f.Felt:
		return "> " + seconds(f.Observed)
	}
	return none
}

func maybe(v *float64, write func(float64) string) string {
	if v == nil {
		return none
	}
	return write(*v)
}

// roleWords say what a variant is for.
func roleWords(r series.Role) string {
	switch r {
	case series.Tested:
		return "under test: every trial must pass"
	case series.Control:
		return "control: every trial must fail"
	case series.Beside:
	}
	return "beside: shown, not judged"
}

// rightWay reports whether a trial did what its variant is for.
func rightWay(r series.Role, v slo.Verdict) slo.Verdict {
	switch {
	case r != series.Control || verdict(v) == slo.Unknown:
		return verdict(v)
	case v == slo.Fail:
		return slo.Pass
	}
	return slo.Fail
}

// recoveryFacts are the statistics of one fault over the trials of a variant. Each has its n.
func recoveryFacts(r series.Recoveries) []fact {
	n := r.Absorbed + r.Felt()
	absorbed := none
	if s := r.AbsorbedShare; s != nil {
		absorbed = fmt.Sprintf("%d of %d trials (%s; %s to %s)", r.Absorbed, n, share(s.Got), share(s.Lower), share(s.Upper))
	}
	out := []fact{{"absorbed", absorbed}}
	if felt := r.Felt(); felt > 0 {
		out = append(out, fact{"felt by users", fmt.Sprintf("%d of %d trials: %d recovered, %d not while we looked", felt, n, r.Recovered, r.Censored)},
			fact{"MTTR", mttr(r)}, fact{"TTR median", median(r)}, fact{"TTR longest", bound(r.Longest)})
		if r.P90 != nil {
			out = append(out, fact{"TTR p90", bound(r.P90)})
		}
		relapsed := "in no trial"
		if r.Relapsed > 0 {
			relapsed = fmt.Sprintf("in %s, up to %s", words(r.Relapsed, "trial", "trials"), words(r.Relapses, "time", "times"))
		}
		out = append(out, fact{"out of objective", numbers(r.OutOfSLO, seconds)}, fact{"TTM", numbers(r.TTM, seconds)},
			fact{"residual", numbers(r.Residual, seconds)}, fact{"relapsed", relapsed})
	}
	out = append(out, fact{"TTD", numbers(r.TTD, seconds)}, fact{"budget burned", numbers(r.Burned, share)})
	if left := r.Unproven + r.Unseen + r.Distrusted; left > 0 {
		out = append(out, fact{"not counted", fmt.Sprintf("%s: %d unproven, %d cut too short, %d not to be trusted", words(left, "trial", "trials"), r.Unproven, r.Unseen, r.Distrusted)})
	}
	return out
}

func mttr(r series.Recoveries) string {
	switch {
	case r.Recovered == 0:
		return fmt.Sprintf("> %s (none of %d recovered)", maybe(r.AtLeast, seconds), r.Censored)
	case r.Censored > 0:
		return fmt.Sprintf("> %s (%d of %d did not recover; mean of the others %s)", maybe(r.AtLeast, seconds), r.Censored, r.Felt(), maybe(r.MTTR, seconds))
	}
	return fmt.Sprintf("%s (n = %d)", maybe(r.MTTR, seconds), r.Recovered)
}

func median(r series.Recoveries) string {
	if m := r.MedianRange; m != nil {
		return fmt.Sprintf("%s (%s to %s at %s confidence)", bound(r.Median), seconds(m.Lower), bound(&m.Upper), share(m.Confidence))
	}
	return bound(r.Median) + " (6 felt trials would give it bounds)"
}

func bound(b *series.Bound) string {
	switch {
	case b == nil:
		return none
	case b.Above:
		return "> " + seconds(b.Seconds)
	}
	return seconds(b.Seconds)
}

func numbers(n series.Numbers, write func(float64) string) string {
	if n.N == 0 {
		return none
	}
	if n.N == 1 {
		return fmt.Sprintf("%s (n = 1)", write(n.Mean))
	}
	return fmt.Sprintf("mean %s, median %s, max %s (n = %d)", write(n.Mean), write(n.Median), write(n.Max), n.N)
}

// seriesAgain is the command line that runs the series once more.
func seriesAgain(s series.Series) string {
	name := s.Scenario.File
	if name == "" || strings.HasSuffix(name, "(built-in)") {
		name = s.Scenario.Name
	}
	line := fmt.Sprintf("brownout run %s --seed %d --trials %d", quoted(name), s.Scenario.Seed, s.Planned)
	for _, set := range s.Scenario.Set {
		line += " --set " + quoted(set)
	}
	if len(s.Variants) > 1 {
		for _, v := range s.Variants {
			line += " --variant " + quoted(v.Name)
		}
	}
	return line
}
