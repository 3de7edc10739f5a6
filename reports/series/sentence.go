package series

import (
	"fmt"
	"strings"

	"github.com/brownout-dev/brownout/reports/slo"
)

// String is the bound for the ear: "2.1 s", "more than 20 s".
func (b Bound) String() string {
	if b.Above {
		return "more than " + slo.Seconds(b.Seconds)
	}
	return slo.Seconds(b.Seconds)
}

// summary is the series in sentences, verdict first.
func (s *Series) summary() []string {
	out := []string{s.headline()}
	for _, r := range s.Reasons {
		out = append(out, r.Text)
	}
	if s.Repeats > 0 {
		out = append(out, fmt.Sprintf("%s given up, because the machine was too busy to tell, and run again; the trials that needed it are marked.", were(s.Repeats, "run")))
	}
	for i := range s.Variants {
		v := &s.Variants[i]
		for k := range v.Faults {
			out = append(out, v.Faults[k].Sentences(v.Name)...)
		}
	}
	return out
}

func (s *Series) headline() string {
	var parts []string
	for i := range s.Variants {
		v := &s.Variants[i]
		n := len(v.Trials)
		switch v.Role {
		case Tested:
			parts = append(parts, fmt.Sprintf("%d of %s of variant %s passed", v.Passed, trials(n), v.Name))
		case Control:
			parts = append(parts, fmt.Sprintf("of the control %s, which must fail, %d of %s failed", v.Name, v.Failed, trials(n)))
		case Beside:
			parts = append(parts, fmt.Sprintf("%d of %s of variant %s, shown beside, passed", v.Passed, trials(n), v.Name))
		}
	}
	word := strings.ToUpper(string(s.Verdict[:1])) + string(s.Verdict[1:])
	return word + ": " + strings.Join(parts, "; ") + "."
}

// Sentences say what became of one fault over the trials of a variant.
func (r *Recoveries) Sentences(variant string) []string {
	n := r.Absorbed + r.Felt()
	begin := fmt.Sprintf("%s, variant %s: ", r.Kind, variant)
	var out []string
	if n > 0 {
		out = append(out, begin+fmt.Sprintf("absorbed in %d of %s (%s to %s at 95 %% confidence).", r.Absorbed, trials(n),
			slo.Percent(r.AbsorbedShare.Lower), slo.Percent(r.AbsorbedShare.Upper)))
	} else {
		out = append(out, begin+"no trial can say anything about it.")
	}
	if said := r.felt(); said != "" {
		out = append(out, said)
	}
	var apart []string
	for _, a := range []struct {
		n   int
		why string
	}{{r.Unproven, "the fault was never proven"}, {r.Unseen, "the data end too early"}, {r.Distrusted, "the machine was too busy, or another guard tripped"}} {
		if a.n > 0 {
			apart = append(apart, fmt.Sprintf("%d where %s", a.n, a.why))
		}
	}
	if len(apart) > 0 {
		out = append(out, fmt.Sprintf("Not in these numbers: %s.", strings.Join(apart, ", ")))
	}
	return out
}

// felt is what the trials say whose users felt the fault; empty without any.
func (r *Recoveries) felt() string {
	n := r.Felt()
	if n == 0 {
		return ""
	}
	s := fmt.Sprintf("Users felt it in %d: ", n)
	switch {
	case r.Recovered == 0:
		s += fmt.Sprintf("none recovered while we looked, so the mean is above %s", slo.Seconds(*r.AtLeast))
	case r.Censored > 0:
		s += fmt.Sprintf("%d did not recover while we looked, so MTTR is above %s (the %d that did took %s on average)",
			r.Censored, slo.Seconds(*r.AtLeast), r.Recovered, slo.Seconds(*r.MTTR))
	default:
		s += fmt.Sprintf("MTTR %s (n = %d)", slo.Seconds(*r.MTTR), n)
	}
	s += ", median " + r.Median.String()
	if m := r.MedianRange; m != nil {
		s += fmt.Sprintf(" (%s to %s at %s confidence)", slo.Seconds(m.Lower), m.Upper, slo.Percent(m.Confidence))
	}
	if r.P90 != nil {
		s += ", p90 " + r.P90.String()
	}
	s += ", longest " + r.Longest.String()
	if r.Relapsed > 0 {
		s += fmt.Sprintf("; %d relapsed, up to %d times", r.Relapsed, r.Relapses)
	}
	return s + "."
}

func trials(n int) string {
	if n == 1 {
		return "1 trial"
	}
	return fmt.Sprintf("%d trials", n)
}

// were is "1 run was", "2 runs were".
func were(n int, what string) string {
	if n == 1 {
		return "1 " + what + " was"
	}
	return fmt.Sprintf("%d %ss were", n, what)
}
