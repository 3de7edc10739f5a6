package render

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// mark is a verdict as a sign, for those who do not see colour.
func mark(v slo.Verdict) string {
	switch v {
	case slo.Pass:
		return "✓"
	case slo.Fail:
		return "✗"
	}
	return "?"
}

// verdict guards against words this program does not know: they are shown as unknown.
func verdict(v slo.Verdict) slo.Verdict {
	if v == slo.Pass || v == slo.Fail {
		return v
	}
	return slo.Unknown
}

// stamp is one instant in a fault's story.
type stamp struct {
	Word    string
	Meaning string
	At      event.Time // never = did not happen
	T       float64    // seconds from time zero
	Since   float64    // seconds from effective (from armed before that)
}

// stamps lists a fault's instants in the order they are defined; those that did not happen are kept.
func stamps(f slo.Recovery, start event.Time) []stamp {
	all := []stamp{
		{Word: "armed", At: f.Armed, Meaning: "The fault was asked for."},
		{Word: "effective", At: f.Effective, Meaning: "Its effect was observed, not assumed."},
		{Word: "impact", At: f.Impact, Meaning: "The first request was harmed of the first window outside the objective."},
		{Word: "detected", At: f.Detected, Meaning: "The system's own first sign about the target."},
		{Word: "mitigated", At: f.Mitigated, Meaning: "The last harm before the objective held again, with the fault still on."},
		{Word: "cleared", At: f.Cleared, Meaning: "The fault was observed to be gone."},
		{Word: "recovered", At: f.Recovered, Meaning: "The last harm before the objective held for good."},
	}
	from := cmp.Or(f.Effective, f.Armed)
	for i := range all {
		all[i].T = all[i].At.Sub(start).Seconds()
		all[i].Since = all[i].At.Sub(from).Seconds()
	}
	return all
}

// happened keeps the stamps that exist, in the order they came.
func happened(all []stamp) []stamp {
	var out []stamp
	for _, s := range all {
		if s.At != 0 {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b stamp) int { return cmp.Compare(a.At, b.At) })
	return out
}

// span is one of the durations of a recovery.
type span struct {
	Word, Meaning, Value string
	Known, Resolved      bool
}

func spans(f slo.Recovery) []span {
	one := func(word, meaning string, v *float64) span {
		s := span{Word: word, Meaning: meaning, Value: none, Resolved: !slices.Contains(f.Unresolved, strings.ToLower(word))}
		if v != nil {
			s.Value, s.Known = seconds(*v), true
		}
		return s
	}
	return []span{
		one("TTD", "Time to detect: detected − effective.", f.TTD),
		one("TTM", "Time to mitigate: mitigated − impact.", f.TTM),
		one("TTR", "Time to recover: recovered − impact.", f.TTR),
		one("residual", "What was left of the harm once the fault was gone: recovered − cleared, at least 0.", f.Residual),
	}
}

// ending says in a sentence how a fault's story ended.
func ending(f slo.Recovery) string {
	switch f.State {
	case slo.Absorbed:
		return "Absorbed: the objective held all the time, so there was nothing to recover from."
	case slo.Recovered:
		if f.TTR != nil {
			return "Recovered " + seconds(*f.TTR) + " after the first harm."
		}
		return "Recovered."
	case slo.Censored:
		if f.Cut && f.Impact == 0 {
			return "No harm was seen, but the data end too early, or without load, to say that there was none."
		}
		if f.Cut {
			return "Not recovered when the data ended, " + seconds(f.Observed) + " on; the time to recover is at least that long."
		}
		return "Not recovered in the " + seconds(f.Observed) + " it was watched; the time to recover is at least that long."
	}
	why := "Unproven: nothing can be said about recovery"
	if f.Error != "" {
		return why + " (" + strings.TrimSuffix(f.Error, ".") + ")."
	}
	return why + ", because the fault was never observed to take effect."
}

// gateUnit formats a number of a gate, with extra digits on demand.
func gateUnit(metric string) func(v float64, extra int) string {
	switch metric {
	case "goodput", "availability":
		return shareTo
	case "count", "relapses":
		return func(v float64, _ int) string { return number(v) }
	}
	return secondsTo
}

// gateNumbers writes the observed number and the limit with enough digits to tell them apart.
func gateNumbers(g slo.GateResult) (got, limit string) {
	unit := gateUnit(g.Metric)
	got, limit = unit(g.Got, 0), bare(unit(g.Value, 0))
	for extra := 1; extra <= 4 && bare(got) == bare(limit) && g.Got != g.Value; extra++ {
		got, limit = unit(g.Got, extra), unit(g.Value, extra)
	}
	if g.Missing {
		got = none
	}
	return got, operator(g.Op) + " " + limit
}

func operator(op string) string {
	switch op {
	case "<=":
		return "≤"
	case ">=":
		return "≥"
	case "==":
		return "="
	}
	return clean(op)
}

// gateText is the line as written, or one made of its parts.
func gateText(g slo.Gate) string {
	if g.Text != "" {
		return g.Text
	}
	_, limit := gateNumbers(slo.GateResult{Gate: g})
	return strings.TrimSpace(g.Metric + " " + g.Of + " " + limit)
}

// guardNumber writes a guard's number in its unit.
func guardNumber(v float64, unit string) string {
	switch unit {
	case "s", "seconds":
		return seconds(v)
	case "ms":
		return seconds(v / 1e3)
	case "share":
		return share(v)
	case slo.UnitFactor:
		return factor(v)
	case "", "count":
		return number(v)
	}
	return number(v) + " " + clean(unit)
}

// guardNear reports a guard that did not trip but came within a fifth of its limit.
func guardNear(g slo.GuardResult) bool {
	if g.Unit == slo.UnitFactor {
		return !g.Tripped && g.Got <= 1.25*g.Limit
	}
	return !g.Tripped && g.Limit > 0 && g.Got >= 0.8*g.Limit
}

// horizon is the length of the time axis in seconds: whatever is known to have happened fits.
func horizon(r result.Result) float64 {
	end := max(r.Seconds, 1)
	for _, p := range r.Judgement.Phases {
		end = max(end, (p.At + p.For).Seconds())
	}
	for _, s := range r.Judgement.Series {
		end = max(end, float64(s.At+1))
	}
	for _, f := range r.Judgement.Faults {
		for _, s := range happened(stamps(f, r.Start)) {
			end = max(end, s.T)
		}
	}
	const longest = 7 * 24 * 3600 // a broken stamp may not stretch the axis beyond use
	return math.Min(end, longest)
}

// faultName is a fault in a few words: its kind and what it was on.
func faultName(f slo.Recovery) string {
	if len(f.Targets) == 0 {
		return f.Kind
	}
	if len(f.Targets) > 3 {
		return f.Kind + " on " + strings.Join(f.Targets[:2], ", ") + " and " + count(len(f.Targets)-2) + " more"
	}
	return f.Kind + " on " + strings.Join(f.Targets, ", ")
}

// eventWords reads an event's kind as words: "breaker.half_open" is "breaker half open".
func eventWords(k event.Kind) string {
	return strings.NewReplacer(".", " ", "_", " ").Replace(string(k))
}
