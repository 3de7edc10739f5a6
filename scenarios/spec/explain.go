package spec

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
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
	streamed := "streamed"
	if !l.Stream {
		streamed = "in one piece"
	}
	e.line("Load      %s requests/s, %s, open loop, for %s: about %s requests; seed %d", number(l.Arrivals.Rate), l.Arrivals.Process,
		short(e.Length()), thousands(e.expected(e.Length())), e.Seed)
	e.line("          prompt %s, answer %s tokens, %s, model %s", tokens(l.Prompt), tokens(l.Output), streamed, l.Model)
	rate := l.Arrivals.Rate
	if e.info.Saturation <= 0 {
		e.line("          share of saturation unknown")
		return
	}
	share := fmt.Sprintf("%.0f %% of saturation, %s/s", 100*rate/e.info.Saturation, number(math.Round(e.info.Saturation)))
	if e.info.Minus1 > 0 {
		share += fmt.Sprintf("; %.0f %% of what is left without one replica, %s/s", 100*rate/e.info.Minus1, number(math.Round(e.info.Minus1)))
	}
	e.line("          %s", share)
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
	var limits []string
	l := e.SLO.Limits
	for _, x := range []struct {
		name string
		got  time.Duration
	}{{"ttft", l.TTFT}, {"tpot", l.TPOT}, {"max_gap", l.Gap}, {"e2e", l.E2E}} {
		if x.got > 0 {
			limits = append(limits, x.name+" "+short(x.got))
		}
	}
	good := "complete and intact"
	if len(limits) > 0 {
		good += ", within " + strings.Join(limits, ", ")
	}
	if e.SLO.DegradedIsGood {
		good += "; a fallback's answer counts"
	}
	e.line("Good      a request that is %s", good)
	if len(e.SLO.Expected) > 0 {
		words := make([]string, len(e.SLO.Expected))
		for i, o := range e.SLO.Expected {
			words[i] = o.String()
		}
		e.line("          expected, and so not bad: %s", strings.Join(words, ", "))
	}
	window := slo.WindowLength(e.Load.Arrivals.Rate).Round(time.Millisecond)
	e.line("Out       a window of %s with less than %s good, and %d bad requests or more", short(window), yamlx.Share(e.SLO.Objective), e.SLO.MinBad)
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

func (e *explainer) expected(d time.Duration) int {
	return int(math.Round(e.Load.Arrivals.Rate * d.Seconds()))
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
	e.line("  simulator-limited  p99 of engine steps later than %s and than %s of a step", short(g.StepLateP99), yamlx.Share(g.StepLateRel))
	e.line("  clock              a clock known only to ± %s or worse", short(g.MaxOffset))
	e.line("  unproven, lease-lost, samples, unreachable: whenever they happen")
}
