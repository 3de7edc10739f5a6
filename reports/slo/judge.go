package slo

import (
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// Judge says what happened and whether the promise was kept. It changes nothing in in. Zero settings of
// the spec get their defaults.
func Judge(in Input) Judgement {
	j := newJudge(in)
	out := Judgement{WindowNS: j.sliding.length}
	windows, _ := j.sliding.judge(always())
	out.Windows = thin(windows)
	cohorts, classes := j.cohortsOf(""), j.byClass()
	for i, p := range j.phases {
		out.Phases = append(out.Phases, cohorts.byPhase[i].result(p))
	}
	out.Run = cohorts.run.result(j.whole())
	out.Classes = j.classResults(classes)
	for i := range in.Faults {
		out.Faults = append(out.Faults, j.recovery(&in.Faults[i]))
	}
	for _, g := range j.spec.Gates {
		over := cohorts
		if g.Class != "" {
			over = classes[g.Class]
		}
		out.Gates = append(out.Gates, j.gate(g, over, out.Faults))
	}
	out.Guards = j.guards(&cohorts.run)
	out.Series = j.series()
	out.Verdict, out.Reasons = verdict(in.Problems, out.Guards, out.Gates)
	return out
}

// judge is one Input with what everything else is computed from.
type judge struct {
	in      Input
	spec    Spec
	phases  []Phase
	classes []class      // by record
	harmed  []event.Time // by record; never unless bad
	sliding sliding
	streams map[string]bool // by class: the load asked for streams
	seen    event.Time      // until when load was due: what happened later is not known
}

func newJudge(in Input) *judge {
	j := &judge{in: in, spec: in.Spec.WithDefaults(), phases: in.Spec.Phases, streams: map[string]bool{}}
	n := len(in.Records)
	j.classes, j.harmed = make([]class, n), make([]event.Time, n)
	due, hurt := make([]event.Time, 0, n), make([]event.Time, 0, n/8)
	last := in.Start
	for i := range in.Records {
		r := &in.Records[i]
		j.classes[i], j.harmed[i] = j.spec.classify(r)
		if j.classes[i].counted() {
			due = append(due, r.Due)
		}
		if j.classes[i] == bad {
			hurt = append(hurt, j.harmed[i])
		}
		if r.Streaming {
			j.streams[r.Class] = true
		}
		last = max(last, r.Due)
	}
	slices.Sort(due)
	slices.Sort(hurt)
	j.sliding = sliding{
		start: in.Start, length: WindowLength(in.Load.Rate),
		objective: j.spec.Objective, minBad: j.spec.MinBad, due: due, bad: hurt,
	}
	if len(j.phases) == 0 {
		j.phases = []Phase{{Name: "run", For: last.Sub(in.Start) + 1}}
	}
	j.seen = j.observed(last)
	return j
}

// observed is until when load was due. Arrivals are random, so a run whose last request was due within
// one window of the planned end is taken as complete.
func (j *judge) observed(last event.Time) event.Time {
	end := j.in.Start
	for _, p := range j.phases {
		end = max(end, j.in.Start+event.Time(p.At+p.For))
	}
	if last+event.Time(j.sliding.length) >= end {
		return end
	}
	return last
}

// whole is the judged phases as one: from the first one's start, as long as all together.
func (j *judge) whole() Phase {
	w, first := Phase{Name: "run"}, true
	for _, p := range j.phases {
		if p.Quiet {
			continue
		}
		if first || p.At < w.At {
			w.At, first = p.At, false
		}
		w.For += p.For
	}
	return w
}

// phaseOf is the phase a request belongs to by its due; -1 for none.
func (j *judge) phaseOf(r *record.Record) int {
	at := r.Due.Sub(j.in.Start)
	for i, p := range j.phases {
		if at >= p.At && at < p.At+p.For {
			return i
		}
	}
	return -1
}

// second is the index of the second t falls in; -1 before time zero.
func (j *judge) second(t event.Time) int {
	if t < j.in.Start {
		return -1
	}
	return int(t.Sub(j.in.Start) / time.Second)
}
