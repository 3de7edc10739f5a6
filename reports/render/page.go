package render

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// page is what the template shows; every text in it is plain and is escaped there.
type page struct {
	result.Result
	Policy string
	Style  template.CSS
	Script template.JS

	Verdict  slo.Verdict
	Lead     string   // the first sentence of the summary
	More     []string // the others
	Reasons  []slo.Reason
	Tiles    []tile
	Panels   []panel
	Hover    hover
	Gates    []gateRow
	Phases   []slo.PhaseResult
	Faults   []faultCard
	Outcomes outcomes
	Events   []eventRow
	Unshown  int // events that the table leaves out
	Journal  []journalRow
	Guards   []guardRow
	Facts    []fact
	Clocks   []clockRow
	Buckets  []hoverRow
	Glossary []term
}

// tile is one of the numbers to see first.
type tile struct{ Name, Value, Note, Class string }

type gateRow struct {
	slo.GateResult
	Line, Observed, Limit, Where string
}

type faultCard struct {
	slo.Recovery
	Name, Ending string
	Stamps       []stamp
	Spans        []span
}

type eventRow struct {
	event.Event
	T     string
	Attrs string
}

type journalRow struct {
	T, Step, Fault, Targets, Evidence, Class string
}

type guardRow struct {
	slo.GuardResult
	Measured, Allowed, State string
	Fill                     float64 // share of the limit, at most 1
}

type fact struct{ Name, Value string }

type clockRow struct{ Who, Clock, Shift, Error string }

// maxEventRows bounds the table of events; all of them are in the result file.
const maxEventRows = 200

func newPage(r result.Result) page {
	d := newDrawer(r)
	p := page{
		Result: r, Verdict: verdict(r.Judgement.Verdict), Tiles: tiles(r), Panels: d.panels(), Hover: d.hover(),
		Outcomes: newOutcomes(r), Facts: facts(r), Glossary: glossary(),
	}
	p.Buckets = p.Hover.Rows
	if len(r.Summary) > 0 {
		p.Lead, p.More = r.Summary[0], r.Summary[1:]
	}
	said := strings.Join(r.Summary, " ")
	for _, reason := range r.Judgement.Reasons {
		if !strings.Contains(said, reason.Text) {
			p.Reasons = append(p.Reasons, reason)
		}
	}
	p.Phases = append(p.Phases, r.Judgement.Phases...)
	if len(p.Phases) > 1 {
		total := r.Judgement.Run
		total.Name = "all judged phases"
		p.Phases = append(p.Phases, total)
	}
	p.Phases = append(p.Phases, classRows(r, ofRun)...)
	for _, g := range r.Judgement.Gates {
		row := gateRow{GateResult: g, Line: gateText(g.Gate)}
		row.Observed, row.Limit = gateNumbers(g)
		if g.File != "" {
			row.Where = g.File + ":" + strconv.Itoa(g.Line)
		}
		p.Gates = append(p.Gates, row)
	}
	for _, f := range r.Judgement.Faults {
		p.Faults = append(p.Faults, faultCard{Recovery: f, Name: faultName(f), Ending: ending(f), Stamps: stamps(f, r.Start), Spans: spans(f)})
	}
	for _, g := range r.Judgement.Guards {
		p.Guards = append(p.Guards, newGuardRow(g))
	}
	for _, e := range telling(r.Events, maxEventRows) {
		p.Events = append(p.Events, eventRow{Event: e, T: at(e.At, r.Start), Attrs: pairs(e.Attrs)})
	}
	p.Unshown = len(r.Events) - len(p.Events) + r.EventsCut
	for _, e := range r.Journal {
		p.Journal = append(p.Journal, newJournalRow(r, e.Clock, e.At, step(e), e.Fault, e.Targets, cmp.Or(e.Error, e.Evidence, e.Reason), e.Error != ""))
	}
	for _, c := range r.Clocks {
		p.Clocks = append(p.Clocks, clockRow{Who: c.Who, Clock: c.Clock, Shift: plus(c.Shift.Seconds()), Error: "± " + seconds(c.Error.Seconds())})
	}
	return p
}

// telling picks at most limit events, in their order: what happened to replicas before what happened to
// single requests, of which there are many alike.
func telling(events []event.Event, limit int) []event.Event {
	room := limit
	for _, e := range events {
		if e.Request == "" {
			room--
		}
	}
	var out []event.Event
	for _, e := range events {
		if len(out) == limit {
			break
		}
		if e.Request != "" {
			if room <= 0 {
				continue
			}
			room--
		}
		out = append(out, e)
	}
	return out
}

// tiles are the four numbers that most readers came for.
func tiles(r result.Result) []tile {
	run := r.Judgement.Run
	out := []tile{
		{Name: "Goodput", Value: goodput(run), Note: fmt.Sprintf("%s of %s good", count(run.Good), words(run.Due, "request", "requests"))},
		{Name: "TTFT p99", Value: short(run.TTFT, "p99"), Note: "failures count as ∞"},
	}
	lost, touched := 0, 0
	for _, f := range r.Judgement.Faults {
		lost, touched = lost+f.Lost, touched+f.Touched
	}
	if len(r.Judgement.Faults) == 0 {
		return append(out, tile{Name: "Output", Value: rate(run.OutputRate), Note: "tokens a second"}, tile{Name: "E2E p99", Value: short(run.E2E, "p99"), Note: "failures count as ∞"})
	}
	out = append(out, recoveryTile(r.Judgement.Faults))
	return append(out, tile{Name: "Requests lost", Value: count(lost), Note: fmt.Sprintf("of %s touched by the fault", count(touched))})
}

// recoveryTile tells the worst of the recoveries.
func recoveryTile(all []slo.Recovery) tile {
	severity := map[slo.RecoveryState]int{slo.Absorbed: 0, slo.Recovered: 1, slo.Unproven: 2, slo.Censored: 3}
	worst := slices.MaxFunc(all, func(a, b slo.Recovery) int {
		return cmp.Or(cmp.Compare(severity[a.State], severity[b.State]), cmp.Compare(value(a.TTR), value(b.TTR)))
	})
	t := tile{Name: "Time to recover"}
	switch worst.State {
	case slo.Absorbed:
		t.Value, t.Note, t.Class = "absorbed", "the objective held", "pass"
	case slo.Recovered:
		t.Value, t.Note = none, "from the first harm"
		if worst.TTR != nil {
			t.Value = seconds(*worst.TTR)
		}
	case slo.Censored:
		if worst.Cut && worst.Impact == 0 {
			t.Value, t.Note, t.Class = "not seen", "the data end too early", "unknown"
			break
		}
		t.Value, t.Note, t.Class = "> "+seconds(worst.Observed), "not recovered while watched", "fail"
	default:
		t.Value, t.Note, t.Class = "unproven", "nothing can be said", "unknown"
	}
	if len(all) > 1 {
		t.Note += ", worst of " + count(len(all)) + " faults"
	}
	return t
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

func newGuardRow(g slo.GuardResult) guardRow {
	row := guardRow{GuardResult: g, Measured: guardNumber(g.Got, g.Unit), Allowed: bare(guardNumber(g.Limit, g.Unit)), State: "fine"}
	if g.Limit > 0 {
		row.Fill = min(max(g.Got/g.Limit, 0), 1)
	}
	if g.Unit == slo.UnitFactor && g.Got > 0 { // the more the better
		row.Fill = min(g.Limit/g.Got, 1)
	}
	switch {
	case g.Tripped:
		row.State = "tripped"
	case guardNear(g):
		row.State = "near"
	}
	return row
}

// newJournalRow puts a journal line onto the harness's clock; one whose clock was never compared says so.
func newJournalRow(r result.Result, clock string, when event.Time, step, fault string, targets []string, evidence string, failed bool) journalRow {
	row := journalRow{T: "clock unknown", Step: step, Fault: fault, Targets: strings.Join(targets, ", "), Evidence: evidence}
	for _, c := range r.Clocks {
		if c.Clock == clock {
			row.T = at(c.Map(when), r.Start)
		}
	}
	if failed {
		row.Class = "failed"
	}
	return row
}

// step is a journal line's step, with the cause where there is one.
func step(e faults.Entry) string {
	if e.Cause == "" {
		return string(e.Step)
	}
	return string(e.Step) + " (" + string(e.Cause) + ")"
}

// at is an instant of the run, to the millisecond.
func at(t, start event.Time) string {
	if t == 0 {
		return none
	}
	return strconv.FormatFloat(t.Sub(start).Seconds(), 'f', 3, 64) + " s"
}

// pairs writes attributes in the order of their names.
func pairs(m map[string]string) string {
	out := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, " ")
}

// facts are target, load, client and machine in one table.
func facts(r result.Result) []fact {
	out := []fact{
		{"target", strings.TrimSpace(r.Target.Kind + " " + r.Target.URL)},
		{"model", r.Target.Model},
		{"load", loadFact(r.Load)},
		{"tokens", fmt.Sprintf("%s in, %s out on average", number(r.Load.PromptMean), number(r.Load.OutputMean))},
	}
	if by := tokensBy(r.Target.Tokens); by != "" {
		out = append(out, fact{"tokens counted", by})
	}
	out = append(out, spoken(r.Target)...)
	if r.Target.Resilience != "" {
		out = append(out, fact{"resilience", r.Target.Resilience})
	}
	if r.Target.Replicas > 0 {
		out = append(out, fact{"replicas", count(r.Target.Replicas)})
	}
	if r.Load.Saturation > 0 {
		out = append(out, fact{"saturation", fmt.Sprintf("about %s requests/s; the load is %s of it, and %s of what is left without one replica",
			rate(r.Load.Saturation), share(r.Load.Share), share(r.Load.ShareNMinus1))})
	}
	out = append(out, fact{"load generator", fmt.Sprintf("%s cores used, at most %s in flight, timer late p99 %s, %s reads a chunk",
		rate(r.Client.Cores), words(r.Client.MaxInFlight, "request", "requests"), seconds(r.Client.TimerLateP99), number(r.Client.ReadsPerChunk))})
	for _, f := range []fact{{"client calibrated", calibratedFact(r)}, {"fault injector", injectorFact(r)}} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	if r.Simulator.Known {
		out = append(out, fact{"simulated engine", fmt.Sprintf("%s steps of %s (p50), late by %s (p50) and %s (p99)", count(int(r.Simulator.Steps)),
			seconds(r.Simulator.StepP50), seconds(r.Simulator.LateP50), seconds(r.Simulator.LateP99))})
	}
	for _, k := range slices.Sorted(maps.Keys(r.Environment)) {
		out = append(out, fact{k, r.Environment[k]})
	}
	return append(out, fact{"scenario digest", r.Scenario.Digest}, fact{"made by", r.Tool})
}

// written is the rate as the scenario has it, where that is a share.
func written(l result.LoadInfo) string {
	if l.Written == "" {
		return ""
	}
	return " (written as " + l.Written + " of saturation)"
}
