package slo

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/internal/event"
)

// Summary is the run in sentences one can read aloud, verdict first, then why, then what each fault did,
// then what users saw by phase.
func Summary(in Input, j Judgement) []string {
	out := []string{j.headline()}
	for i, r := range j.Reasons {
		if i == maxReasons {
			out = append(out, fmt.Sprintf("There are %s more reasons.", count(len(j.Reasons)-i)))
			break
		}
		out = append(out, r.Text)
	}
	for i := range j.Faults {
		out = append(out, j.Faults[i].story(in.Start)...)
	}
	return append(out, j.shares()...)
}

// maxReasons is how many reasons one can bear to hear.
const maxReasons = 6

func (j *Judgement) headline() string {
	passed, failed := 0, 0
	for i := range j.Gates {
		switch j.Gates[i].Verdict {
		case Pass:
			passed++
		case Fail:
			failed++
		case Unknown:
		}
	}
	of := fmt.Sprintf("%s of %s gates", count(passed), count(len(j.Gates)))
	switch j.Verdict {
	case Pass:
		return fmt.Sprintf("Pass: %s held over %s requests.", of, count(j.Run.Due))
	case Fail:
		return fmt.Sprintf("Fail: %s of %s gates did not hold over %s requests.", count(failed), count(len(j.Gates)), count(j.Run.Due))
	case Unknown:
	}
	return fmt.Sprintf("Unknown: this run can neither pass nor fail; %s held over %s requests.", of, count(j.Run.Due))
}

// story is one fault from blow to recovery.
func (r *Recovery) story(start event.Time) []string {
	if r.State == Unproven {
		return []string{r.title() + " was never proven to take effect, so nothing can be said about it."}
	}
	felt := fmt.Sprintf("%s at %s", r.blow(), duration(r.Effective.Sub(start).Seconds()))
	switch {
	case r.TTD != nil && *r.TTD == 0:
		felt += "; the system noticed at once"
	case r.TTD != nil:
		felt += "; the system noticed after " + duration(*r.TTD)
	case r.State != Absorbed:
		felt += "; the system did not notice"
	}
	felt += r.hurt()
	fate := fmt.Sprintf("It touched %s: %s moved to another replica mid-answer, %s retried, %s lost, %s late.",
		requests(r.Touched), count(r.Resumed), count(r.Retried), count(r.Lost), count(r.Late))
	said := []string{felt + ".", fate}
	if r.Burn != nil {
		said = append(said, r.Burn.Sentence())
	}
	return said
}

// hurt is what users felt, for the end of a sentence.
func (r *Recovery) hurt() string {
	if r.Impact == 0 {
		if r.State == Absorbed {
			return "; the service stayed inside its objective, so the fault was absorbed"
		}
		return "; nobody was hurt as far as the run shows, which is not far enough to call it absorbed"
	}
	var s string
	if late := r.Impact.Sub(r.Effective).Seconds(); late > 0 {
		s = "; users felt it after " + duration(late)
	} else {
		s = "; users felt it at once"
	}
	switch {
	case r.TTR == nil:
		return s + "; the service was not good again when we stopped looking " + duration(r.Observed) + " later"
	case *r.Residual > 0:
		s += fmt.Sprintf("; the service was good again %s later, %s after the fault was cleared", duration(*r.TTR), duration(*r.Residual))
	default:
		s += fmt.Sprintf("; the service was good again %s later, while the fault was still on", duration(*r.TTR))
	}
	if r.Relapses > 0 {
		s += "; it relapsed " + times(r.Relapses)
	}
	return s
}

// shares is what users got, phase by phase.
func (j *Judgement) shares() []string {
	var parts []string
	for i := range j.Phases {
		p := &j.Phases[i]
		if p.Due > 0 {
			parts = append(parts, fmt.Sprintf("%s in phase %s", percent(p.Goodput), p.Name))
		}
	}
	if len(parts) == 0 {
		return []string{"No request was due."}
	}
	return []string{"Good requests: " + strings.Join(parts, ", ") + "."}
}

// blow is what the fault did, for the beginning of a sentence.
func (r *Recovery) blow() string {
	where := strings.Join(r.Targets, ", ")
	switch {
	case where == "":
	case r.Kind == "gpu.oom":
		return "GPU " + where + " ran out of memory"
	case r.Kind == "node.kill":
		return "Node " + where + " was killed"
	}
	return r.title() + " took effect"
}

// title is the fault's kind and where it was.
func (r *Recovery) title() string {
	kind := r.Kind
	if kind == "" {
		kind = r.Fault.Fault
	}
	if len(r.Targets) == 0 {
		return kind
	}
	return kind + " on " + strings.Join(r.Targets, ", ")
}

// duration writes seconds for the ear: "93 ms", "2.1 s", "3 min 20 s".
func duration(s float64) string {
	switch {
	case s == Infinite:
		return "infinite (failed)"
	case s < 0:
		return "-" + duration(-s)
	case s == 0:
		return "0 s"
	case s < 0.001:
		return trim(s*1e6, 0) + " µs"
	case s < 0.9995:
		return trim(s*1e3, precision(s*1e3)) + " ms"
	case s < 120:
		return trim(s, precision(s)) + " s"
	}
	whole := int(math.Round(s))
	return fmt.Sprintf("%d min %d s", whole/60, whole%60)
}

// precision keeps two to three digits: 1.25, 12.5, 125.
func precision(v float64) int {
	switch {
	case v < 10:
		return 2
	case v < 100:
		return 1
	}
	return 0
}

func trim(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// percent writes a share so that only a whole one reads 100 %.
func percent(share float64) string {
	for digits := 1; digits <= 4; digits++ {
		s := strconv.FormatFloat(share*100, 'f', digits, 64)
		if share >= 1 || share <= 0 || (!strings.HasPrefix(s, "100") && strings.Trim(s, "0.") != "") {
			return trim(share*100, digits) + " %"
		}
	}
	if share > 0.5 {
		return "just under 100 %"
	}
	return "just over 0 %"
}

// count writes a number with thousands apart.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func times(n int) string {
	switch n {
	case 0:
		return "not once"
	case 1:
		return "once"
	}
	return count(n) + " times"
}

func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return count(n) + " requests"
}
