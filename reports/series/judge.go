package series

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Judge fills in what follows from the trials: counts, statistics, gates over trials, verdict, reasons
// and summary. In this order:
//
//   - one trial of a tested variant that fails, one trial of a control that passes, or a gate over trials
//     that does not hold: fail
//   - a trial that cannot tell, a gate that cannot, a series that was stopped, or no trial: unknown
//   - otherwise pass
func (s *Series) Judge() {
	s.Repeats, s.Reasons = 0, nil
	var fail, unknown []slo.Reason
	for i := range s.Variants {
		v := &s.Variants[i]
		v.count()
		for k := range v.Trials {
			s.Repeats += len(v.Trials[k].Repeated)
		}
		if v.Role == Tested {
			v.gates(s.Scenario.Gates)
		}
		f, u := v.reasons(s.Planned)
		fail, unknown = append(fail, f...), append(unknown, u...)
	}
	if s.Stopped != "" {
		unknown = append(unknown, slo.Reason{Word: "interrupted", Text: s.Stopped})
	}
	if !slices.ContainsFunc(s.Variants, func(v Variant) bool { return v.Role == Tested && len(v.Trials) > 0 }) {
		unknown = append(unknown, slo.Reason{Word: "samples", Text: "No trial of a variant under test was finished, so there is nothing to judge."})
	}
	s.Reasons = slices.Concat(fail, unknown)
	switch {
	case len(fail) > 0:
		s.Verdict = slo.Fail
	case len(unknown) > 0:
		s.Verdict = slo.Unknown
	default:
		s.Verdict = slo.Pass
	}
	s.Summary = s.summary()
}

// count fills in what is counted over the variant's trials.
func (v *Variant) count() {
	v.Passed, v.Failed, v.Unknown = 0, 0, 0
	v.Faults, v.Gates = nil, nil
	var goodput []float64
	faults := 0
	for i := range v.Trials {
		t := &v.Trials[i]
		switch t.Verdict {
		case slo.Pass:
			v.Passed++
		case slo.Fail:
			v.Failed++
		case slo.Unknown:
			v.Unknown++
		}
		if t.Trusted {
			goodput = append(goodput, t.Goodput)
		}
		faults = max(faults, len(t.Faults))
	}
	v.Goodput = newNumbers(goodput)
	for i := range faults {
		v.Faults = append(v.Faults, recoveries(v.Trials, i))
	}
}

// reasons are why the variant does not do what its role asks.
func (v *Variant) reasons(planned int) (fail, unknown []slo.Reason) {
	note := func(list *[]slo.Reason, word, format string, args ...any) {
		*list = append(*list, slo.Reason{Word: word, Text: strings.TrimSpace(fmt.Sprintf(format, args...))})
	}
	n := len(v.Trials)
	switch v.Role {
	case Tested:
		if v.Failed > 0 {
			note(&fail, "gate", "Variant %s failed in %s: %s. %s", v.Name, ofTrials(v.Failed, n), v.numbers(slo.Fail), v.why(slo.Fail))
		}
		if v.Unknown > 0 {
			note(&unknown, v.word(), "Variant %s could not be judged in %s: %s. %s", v.Name, ofTrials(v.Unknown, n), v.numbers(slo.Unknown), v.why(slo.Unknown))
		}
		for i := range v.Gates {
			switch g := &v.Gates[i]; g.Verdict {
			case slo.Fail:
				note(&fail, "gate", "%s", g.Why)
			case slo.Unknown:
				note(&unknown, "samples", "%s", g.Why)
			case slo.Pass:
			}
		}
	case Control:
		if v.Passed > 0 {
			note(&fail, "control", "The control %s passed in %s, where it must fail: the scenario does not show what it claims to (%s).",
				v.Name, ofTrials(v.Passed, n), v.numbers(slo.Pass))
		}
		if v.Unknown > 0 {
			note(&unknown, v.word(), "The control %s could not be judged in %s: %s. %s", v.Name, ofTrials(v.Unknown, n), v.numbers(slo.Unknown), v.why(slo.Unknown))
		}
	case Beside:
		return nil, nil
	}
	if n < planned {
		note(&unknown, "interrupted", "Variant %s has %d of the %d trials planned.", v.Name, n, planned)
	}
	return fail, unknown
}

// word is the reason of the first trial that could not tell.
func (v *Variant) word() string {
	for i := range v.Trials {
		if t := &v.Trials[i]; t.Verdict == slo.Unknown && len(t.Reasons) > 0 {
			return t.Reasons[0].Word
		}
	}
	return "samples"
}

// why is the first reason of the first trial with a verdict.
func (v *Variant) why(verdict slo.Verdict) string {
	for i := range v.Trials {
		if t := &v.Trials[i]; t.Verdict == verdict && len(t.Reasons) > 0 {
			return fmt.Sprintf("Trial %d: %s", t.Number, t.Reasons[0].Text)
		}
	}
	return ""
}

// numbers lists the trials with a verdict: "trial 3", "trials 3, 4 and 9".
func (v *Variant) numbers(verdict slo.Verdict) string {
	var list []int
	for i := range v.Trials {
		if v.Trials[i].Verdict == verdict {
			list = append(list, v.Trials[i].Number)
		}
	}
	const most = 8
	if len(list) == 1 {
		return fmt.Sprintf("trial %d", list[0])
	}
	text := "trials "
	for i, n := range list {
		switch {
		case i == most:
			return text + fmt.Sprintf(" and %d more", len(list)-most)
		case i == 0:
		case i == len(list)-1:
			text += " and "
		default:
			text += ", "
		}
		text += fmt.Sprint(n)
	}
	return text
}

func ofTrials(k, n int) string {
	if n == 1 {
		return "its only trial"
	}
	return fmt.Sprintf("%d of %d trials", k, n)
}
