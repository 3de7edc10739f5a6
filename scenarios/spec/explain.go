package spec

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// ExplainInfo is what only the target's own model can tell; zero = unknown.
type ExplainInfo struct {
	Saturation float64       // requests/s of this shape that the target bears
	Minus1     float64       // the same without one replica
	Detection  time.Duration // the longest time until the target's own checks notice a dead replica
}

// Explain says in words what the scenario will do: its question, the timeline, the load beside what the
// target bears, every gate beside the samples it needs, what the scenario compiles to, and the guards.
// Lines that begin with "!" are warnings.
func Explain(s *Spec, info ExplainInfo) string {
	e := explainer{Spec: s, info: info}
	e.line("%s (%s)", s.Name, s.File)
	e.line("")
	for _, l := range wrap(s.Question, width-2) {
		e.line("  %s", l)
	}
	e.line("")
	e.target()
	e.settings()
	e.load()
	e.line("")
	e.line("Timeline")
	e.timeline()
	e.line("")
	e.promise()
	e.gates()
	e.trialGates()
	e.variants()
	e.runs()
	e.guards()
	for _, w := range e.warnings {
		for i, l := range wrap(w, width-2) {
			if i == 0 {
				e.line("")
			}
			e.line("%s %s", []string{"!", " "}[min(i, 1)], l)
		}
	}
	return e.out.String()
}

// width is the longest line in columns, as far as words allow.
const width = 96

type explainer struct {
	*Spec
	info     ExplainInfo
	out      strings.Builder
	warnings []string
}

func (e *explainer) line(format string, args ...any) {
	e.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	e.out.WriteByte('\n')
}

func (e *explainer) warn(format string, args ...any) {
	e.warnings = append(e.warnings, fmt.Sprintf(format, args...))
}

func (e *explainer) target() {
	t := e.Target
	if t.ConfigFile != "" {
		e.line("Target    the reference server with %s, resilience %s", t.ConfigFile, cmp.Or(t.Resilience, "as that file says"))
		return
	}
	topology := ""
	if t.Topology == "processes" {
		topology = ", each node a process of its own"
	}
	e.line("Target    the reference server, preset %s, resilience %s%s", t.Preset, t.Resilience, topology)
}

func (e *explainer) load() {
	l := e.Load
	e.arrivals()
	if e.Share > 0 {
		e.line("          written as %s of saturation", e.ShareText())
	}
	e.likeness()
	e.content()
	if l.Arrivals.Process == load.Closed {
		return // its share of saturation is what the run will tell
	}
	rate, peak := l.MeanRate(), l.PeakRate()
	if e.info.Saturation <= 0 {
		e.line("          share of saturation unknown")
		return
	}
	share := fmt.Sprintf("%.0f %% of saturation, %s/s", 100*rate/e.info.Saturation, number(math.Round(e.info.Saturation)))
	if e.info.Minus1 > 0 {
		share += fmt.Sprintf("; %.0f %% of what is left without one replica, %s/s", 100*rate/e.info.Minus1, number(math.Round(e.info.Minus1)))
	}
	e.line("          %s", share)
	if rate < e.info.Saturation && peak >= e.info.Saturation {
		e.warn("At its peak the load is more than the target bears, %s/s of %s/s: a queue grows then, and gates on latency measure how fast it goes away.", rounded(peak), number(math.Round(e.info.Saturation)))
	}
	switch {
	case rate >= e.info.Saturation:
		e.warn("The load is more than the target bears: the queue grows as long as the load lasts, and gates on latency measure its length.")
	case e.info.Minus1 > 0 && rate >= e.info.Minus1 && len(e.Faults) == 0:
		e.warn("The load is more than the target bears without one replica: there is no room for a loss.")
	case e.info.Minus1 > 0 && rate >= e.info.Minus1:
		e.warn("The load is more than the target bears without one replica: a fault that takes one away cannot be absorbed.")
	}
}

func (e *explainer) promise() {
	good := "complete and intact" + within(e.SLO.Limits)
	if e.SLO.DegradedIsGood {
		good += "; a fallback's answer counts"
	}
	e.line("Good      a request that is %s", good)
	if len(e.SLO.Expected) > 0 {
		e.line("          %s", notBad(e.SLO.Expected))
	}
	for _, class := range slices.Sorted(maps.Keys(e.SLO.Classes)) {
		own := e.SLO.Classes[class]
		text := "complete and intact" + within(own.Limits)
		if len(own.Expected) > 0 {
			text += "; " + notBad(own.Expected)
		}
		e.line("          of class %s: %s", class, text)
	}
	window := short(slo.WindowLength(e.Load.MeanRate()).Round(time.Millisecond))
	if e.Load.Arrivals.Process == load.Closed {
		window += ", or of the time of 20 requests if that is longer,"
	}
	e.line("Out       a window of %s with less than %s good, and %d bad requests or more", window, yamlx.Share(e.SLO.Objective), e.SLO.MinBad)
	if b := e.SLO.Budget; len(e.Faults) > 0 {
		e.line("Budget    each fault is weighed against %s over %s, which allows %s without service", yamlx.Share(b.Target), inDays(b.Window),
			short(time.Duration((1-b.Target)*float64(b.Window)).Round(time.Second)))
	}
	e.line("Patience  connect %s, first token %s, between tokens %s, in all %s, from the moment of sending",
		short(e.Client.Connect), short(e.Client.TTFT), short(e.Client.Stall), short(e.Client.Total))
	if e.info.Detection > 0 {
		e.line("Notice    the target's own checks notice a dead replica within %s", short(e.info.Detection))
	}
	e.line("")
}

// within lists the limits.
func within(l slo.Limits) string {
	var limits []string
	for _, x := range []struct {
		name string
		got  time.Duration
	}{{"ttft", l.TTFT}, {"tpot", l.TPOT}, {"max_gap", l.Gap}, {"e2e", l.E2E}} {
		if x.got > 0 {
			limits = append(limits, x.name+" "+short(x.got))
		}
	}
	if len(limits) == 0 {
		return ""
	}
	return ", within " + strings.Join(limits, ", ")
}

func notBad(expected []record.Outcome) string {
	words := make([]string, len(expected))
	for i, o := range expected {
		words[i] = o.String()
	}
	return "expected, and so not bad: " + strings.Join(words, ", ")
}

func (e *explainer) expected(from, to time.Duration) int {
	return int(math.Round(e.Load.Expected(from, to)))
}

func (e *explainer) runs() {
	e.line("Runs as")
	e.line("  brownout-arrivals  load for %s, then up to %s for what is still open; at most %s in flight",
		short(e.Length()), short(e.Drain()), thousands(e.Load.MaxInFlight))
	if n := len(e.Faults); n > 0 {
		first := e.Faults[0].At
		for _, f := range e.Faults {
			first = min(first, f.At)
		}
		e.line("  brownout-timeline  %s, the first at %s", plural(n, "fault"), short(first))
	}
	e.line("")
}

func (e *explainer) guards() {
	g := e.SLO.Guards
	e.line("Guards    past any of these the verdict is unknown, because the machine was measured and not the target")
	e.line("  client-limited     p99 of sched_lag above %s, or %s of the requests never sent", short(g.LagP99), yamlx.Share(g.DroppedShare))
	e.line("                     an idle timer of the client later than %s (p99)", short(g.TimerLateP99))
	ttft, gap := e.SLO.ErrorLimits()
	headroom := fmt.Sprintf("; head-room below %gx", g.Headroom)
	if e.Load.Arrivals.Process == load.Closed { // nobody knows what it asks for
		headroom = ""
	}
	e.line("                     a known stream's p99 error: TTFT above %s, gaps above %s%s", short(ttft), short(gap), headroom)
	e.line("  simulator-limited  p99 of engine steps later than %s and than %s of a step", short(g.StepLateP99), yamlx.Share(g.StepLateRel))
	e.line("  clock              a clock known only to ± %s or worse", short(g.MaxOffset))
	e.line("  unproven, lease-lost, idle, samples, unreachable: whenever they happen")
}
