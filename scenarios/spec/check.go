package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// gates reads slo.gates and those of classes: phases in their order, then run, then recovery.
func (c *checker) gates(f *file, phases []slo.Phase) []slo.Gate {
	gates := c.gatesAt("slo.gates", "", f.SLO.Gates, f, phases)
	for _, class := range classNames(f) {
		gates = append(gates, c.gatesAt("slo.classes."+class+".gates", class, f.SLO.Classes[class].Gates, f, phases)...)
	}
	if len(gates) > maxGates {
		c.wrong("slo.gates", fmt.Sprintf("there are %d gates", len(gates)), fmt.Sprintf("write at most %d", maxGates))
	}
	if len(gates) == 0 && len(c.found) == 0 {
		c.wrong("slo.gates", "there is no gate, so the run could only pass", "write at least one, for example run: [goodput >= 99%]")
	}
	return gates
}

// gatesAt reads the gates at one place of the file, over all requests or those of a class.
func (c *checker) gatesAt(place, class string, written map[string][]string, f *file, phases []slo.Phase) []slo.Gate {
	scopes := make([]string, 0, len(phases)+2)
	quiet := map[string]bool{}
	for _, p := range phases {
		if p.Name != "" && !slices.Contains(scopes, p.Name) {
			scopes = append(scopes, p.Name)
		}
		quiet[p.Name] = p.Quiet
	}
	scopes = append(scopes, scopeRun, scopeRecovery)
	for _, scope := range slices.Sorted(maps.Keys(written)) {
		path := place + "." + scope
		switch {
		case len(phases) == 0: // the problem is elsewhere
		case !slices.Contains(scopes, scope):
			c.word(path, "a phase, run or recovery", scope, scopes)
		case quiet[scope]:
			c.wrong(path, fmt.Sprintf("phase %.80q is quiet, so it is not judged", scope), "gate another phase, or remove quiet: true")
		case scope == scopeRecovery && class != "":
			c.wrong(path, "recovery is judged over all requests, not by class", "move it to slo.gates.recovery, or gate the class in a phase after the fault")
		case scope == scopeRecovery && len(f.Faults) == 0:
			c.wrong(path, "nothing is injected, so nothing recovers", "add a fault, or remove the recovery gates")
		}
	}
	var gates []slo.Gate
	for _, scope := range scopes {
		for i, line := range written[scope] {
			path := fmt.Sprintf("%s.%s[%d]", place, scope, i)
			g, err := parseGate(scope, line)
			if err != nil {
				c.fault(path, err)
				continue
			}
			if !f.streams(class) && slices.Contains([]string{"ttft", "itl", "tpot"}, g.Metric) {
				c.wrong(path, fmt.Sprintf("%s needs an answer that comes token by token", g.Metric), "write load.stream: true, or gate e2e")
			} else if class != "" && g.Metric == "itl" {
				c.wrong(path, "gaps between tokens are not kept by class", "gate tpot, or itl over all requests in slo.gates")
			}
			pos := c.doc.Pos(path)
			g.Class, g.File, g.Line = class, pos.File, pos.Line
			gates = append(gates, g)
		}
	}
	return gates
}

func (c *checker) faults(f *file, phases []slo.Phase, hold time.Duration) []PlannedFault {
	if len(f.Faults) > maxFaults {
		c.wrong("faults", fmt.Sprintf("there are %d faults", len(f.Faults)), fmt.Sprintf("write at most %d", maxFaults))
		return nil
	}
	var out []PlannedFault
	for i, planned := range f.Faults {
		path := fmt.Sprintf("faults[%d]", i)
		at, timed := c.at(path+".at", string(planned.At), phases)
		fault, err := faults.Parse(planned.Inject)
		if err != nil {
			c.injectFault(path+".inject", planned.Inject, err)
			continue
		}
		if timed {
			c.fits(path, at, fault, phases, hold)
		}
		out = append(out, PlannedFault{At: at, Fault: fault, Line: c.doc.Pos(path + ".inject").Line})
	}
	return out
}

// injectFault notes every mistake of one fault line as a problem of its own.
func (c *checker) injectFault(path, line string, err error) {
	if line == "" {
		c.wrong(path, "is missing", `write for example inject: "gpu.oom on gpu=n2/g1 for 10s"`)
		return
	}
	syntax, ok := errors.AsType[*faults.SyntaxError](err)
	if !ok {
		c.fault(path, err)
		return
	}
	for _, p := range syntax.Problems {
		what, mend, _ := strings.Cut(p.Text, ": ")
		if p.Column > 0 {
			what = fmt.Sprintf("at column %d of the fault, %s", p.Column, what)
		}
		c.wrong(path, what, mend)
	}
}

// fits checks that the fault, and the time in which its recovery must hold, lie inside the plan.
func (c *checker) fits(path string, at time.Duration, fault faults.Fault, phases []slo.Phase, hold time.Duration) {
	total := end(phases)
	cleared := at + fault.For
	switch {
	case at >= total:
		c.wrong(path+".at", fmt.Sprintf("%s is past the end of the plan, %s", short(at), short(total)), "inject it earlier, or lengthen the phases")
	case cleared > total:
		c.wrong(path, fmt.Sprintf("the fault ends at %s, past the end of the plan, %s", short(cleared), short(total)), "shorten it, or lengthen the phases by "+short(cleared+hold-total))
	case cleared+hold > total:
		c.wrong(path, fmt.Sprintf("the fault ends at %s and recovery must hold for %s, but the plan ends at %s", short(cleared), short(hold), short(total)), "lengthen the last phase by "+short(cleared+hold-total))
	default:
		for _, p := range phases {
			if p.Quiet && at < p.At+p.For && cleared > p.At {
				c.wrong(path+".at", fmt.Sprintf("the fault lasts from %s to %s, into the quiet phase %.80q, which is not judged", short(at), short(cleared), p.Name), "move it, or remove quiet: true")
			}
		}
	}
}

// at reads when a fault is injected: "fault", "fault+1s", or "18s" from time zero.
func (c *checker) at(path, text string, phases []slo.Phase) (time.Duration, bool) {
	const mend = "write a phase, a phase and an offset such as fault+1s, or a time such as 18s"
	if text == "" {
		c.wrong(path, "is missing", mend)
		return 0, false
	}
	name, offset, hasOffset := strings.Cut(text, "+")
	name = strings.TrimSpace(name)
	for _, p := range phases {
		if p.Name != name {
			continue
		}
		if !hasOffset {
			return p.At, true
		}
		var d yamlx.Duration
		if err := d.UnmarshalText([]byte(strings.TrimSpace(offset))); err != nil {
			c.fault(path, err)
			return 0, false
		}
		if time.Duration(d) > load.MaxDuration {
			c.wrong(path, fmt.Sprintf("an offset of %s is out of bounds", d), mend)
			return 0, false
		}
		return p.At + time.Duration(d), true
	}
	var d yamlx.Duration
	if err := d.UnmarshalText([]byte(text)); err == nil && !hasOffset {
		return time.Duration(d), true
	} else if name != "" && name[0] >= '0' && name[0] <= '9' {
		c.wrong(path, fmt.Sprintf("%.80q is not a time", text), mend)
		return 0, false
	}
	var known []string
	for _, p := range phases {
		if p.Name != "" {
			known = append(known, p.Name)
		}
	}
	if len(known) == 0 {
		return 0, false // the phases are the problem, and were reported
	}
	c.word(path, "a phase", name, known)
	return 0, false
}
