package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// advice says what to do next, in sentences of plain text, the most urgent first.
func advice(r result.Result) []string {
	switch verdict(r.Judgement.Verdict) {
	case slo.Pass:
		return passAdvice(r)
	case slo.Fail:
		return failAdvice(r)
	}
	return unknownAdvice(r)
}

func passAdvice(r result.Result) []string {
	var out []string
	for _, g := range r.Judgement.Guards {
		if guardNear(g) {
			out = append(out, fmt.Sprintf("The %s came near its limit (%s of %s): on a busier machine this run would be unknown.",
				g.Name, guardNumber(g.Got, g.Unit), bare(guardNumber(g.Limit, g.Unit))))
		}
	}
	if len(out) == 0 {
		out = append(out, "Nothing: every gate holds, and nothing speaks against the measurement.")
	}
	return out
}

func failAdvice(r result.Result) []string {
	var out []string
	first := firstFault(r)
	for _, p := range r.Judgement.Phases {
		failed := func(g slo.GateResult) bool { return g.Verdict == slo.Fail && g.Scope == p.Name }
		if first >= 0 && p.At+p.For <= first && slices.ContainsFunc(r.Judgement.Gates, failed) {
			out = append(out, fmt.Sprintf("A gate on %s failed before anything was injected: the service was not well to begin with. Mend that first, or lower the load.", p.Name))
		}
	}
	for _, f := range r.Judgement.Faults {
		switch {
		case f.State == slo.Censored && !f.Cut:
			out = append(out, fmt.Sprintf("%s was not recovered from while it was watched: find out what kept the service down after the fault was gone.", faultName(f)))
		case f.State == slo.Recovered && f.TTD == nil && r.Target.Kind != "foreign":
			out = append(out, fmt.Sprintf("Nothing in the service noticed %s: without detection there is no mitigation.", faultName(f)))
		}
		if f.Lost > 0 {
			out = append(out, fmt.Sprintf("%s lost to %s: look at how the service retries and resumes, and at the outcomes below.",
				words(f.Lost, "request was", "requests were"), faultName(f)))
		}
	}
	return append(out, "Open report.html: its timeline shows the first harm beside what the service did about it.",
		"Run it again where you can look inside, with the command below: the same seed sends the same requests.")
}

// firstFault is when the first fault was due; −1 without any.
func firstFault(r result.Result) time.Duration {
	first := time.Duration(-1)
	for _, f := range r.Judgement.Faults {
		if first < 0 || f.Planned < first {
			first = f.Planned
		}
	}
	return first
}

// unknownAdvice has one sentence for each reason. A run that cannot tell is run again once; after that
// its cause is mended.
func unknownAdvice(r result.Result) []string {
	mends := map[string]string{
		"client-limited":    "The load generator was starved: run it again on a quieter machine, give it more cores, or lower the load.",
		"simulator-limited": "The simulated GPUs could not keep their own time: run it again on a quieter machine, give it more cores, or lower the load.",
		"unproven":          "A fault could not be proven: look at its error above and at the holder's log, and check that its selector names something that carries load.",
		"events":            "The server said more than could be taken down: lower the load, or look at what it says so much about.",
		"idle":              "The fault hit a replica that served nobody, so nothing was tested: raise the rate, or choose a target that is in use.",
		"lease-lost":        "The holder of a fault let go early, because nobody renewed its lease: run it again, and look for a starved machine or a broken network.",
		"clock":             "The clocks of the processes could not be aligned: run it again with less between load generator and target.",
		"unreachable":       "The target died or vanished: read server.log in the run's directory, or the target's own logs.",
		"interrupted":       "The run was interrupted: run it again to its end.",
		"samples":           "There were too few requests for a percentile: lengthen the phase or raise the rate; `brownout explain` says how many it takes.",
		"gate":              "A gate could not be judged: its reason is in the table above.",
	}
	var out []string
	for _, reason := range r.Judgement.Reasons {
		mend, known := mends[reason.Word]
		if !known {
			mend = reason.Word + ": " + reason.Text
		}
		if !slices.Contains(out, mend) {
			out = append(out, mend)
		}
	}
	if len(out) == 0 {
		out = append(out, "Run it again.")
	}
	return append(out, "An unknown run is neither a pass nor a fail: repeat it once, and mend the cause if it stays unknown.")
}

// again is the command that runs the same scenario with the same seed.
func again(r result.Result) string {
	name := r.Scenario.File
	if strings.HasSuffix(name, "(built-in)") || name == "built-in" || name == "" {
		name = r.Scenario.Name
	}
	line := fmt.Sprintf("brownout run %s --seed %d", quoted(name), r.Scenario.Seed)
	if r.Scenario.Delay > 0 {
		line += " --delay " + r.Scenario.Delay.String()
	}
	for _, s := range r.Scenario.Set {
		line += " --set " + quoted(s)
	}
	if r.Target.Kind != "foreign" {
		return line
	}
	line += " --target " + quoted(r.Target.URL)
	if r.Target.KeyEnv != "" {
		line += " --key-env " + quoted(r.Target.KeyEnv)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Target.Headers)) {
		line += " --header " + quoted(name+"="+r.Target.Headers[name])
	}
	if r.Target.CAFile != "" {
		line += " --ca-file " + quoted(r.Target.CAFile)
	}
	if body, err := json.Marshal(r.Target.ExtraBody); err == nil && len(r.Target.ExtraBody) > 0 {
		line += " --body " + quoted(string(body))
	}
	if r.Target.MaxRate > 0 {
		line += fmt.Sprintf(" --max-rate %g/s", r.Target.MaxRate)
	}
	return line
}
