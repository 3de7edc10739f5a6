package slo

import (
	"maps"
	"slices"

	"github.com/brownout-dev/brownout/reports/record"
)

// Class is what was promised to the requests of one class, in place of what was promised to all.
type Class struct {
	Limits   Limits           `json:"limits"`
	Expected []record.Outcome `json:"expected,omitempty"`
}

// promised is what holds for a request.
func (s *Spec) promised(r *record.Record) (Limits, []record.Outcome) {
	if c, ok := s.Classes[r.Class]; ok {
		return c.Limits, c.Expected
	}
	return s.Limits, s.Expected
}

// Place is where the gate is judged, for people: "run", "after", "batch · run".
func (g *Gate) Place() string {
	if g.Class == "" {
		return g.Scope
	}
	return g.Class + " · " + g.Scope
}

// where is the same inside a sentence.
func (g *Gate) where() string {
	if g.Class == "" {
		return place(g.Scope)
	}
	return "class " + g.Class + " of " + place(g.Scope)
}

// ClassResult is what the requests of one class saw. Token gaps are not kept by class, so ITL is empty.
type ClassResult struct {
	Class  string        `json:"class"`
	Phases []PhaseResult `json:"phases"`
	Run    PhaseResult   `json:"run"`
}

// byClass are the cohorts of every class that sent requests or has a gate, by name; none without classes.
func (j *judge) byClass() map[string]*cohorts {
	out := map[string]*cohorts{}
	for i := range j.in.Records {
		if name := j.in.Records[i].Class; name != "" {
			out[name] = nil
		}
	}
	for i := range j.spec.Gates {
		if name := j.spec.Gates[i].Class; name != "" {
			out[name] = nil
		}
	}
	for name := range out {
		out[name] = j.cohortsOf(name)
	}
	return out
}

// classResults puts the cohorts of classes into words, by name.
func (j *judge) classResults(of map[string]*cohorts) []ClassResult {
	out := make([]ClassResult, 0, len(of))
	for _, name := range slices.Sorted(maps.Keys(of)) {
		one := ClassResult{Class: name, Run: of[name].run.result(j.whole())}
		for i, p := range j.phases {
			one.Phases = append(one.Phases, of[name].byPhase[i].result(p))
		}
		out = append(out, one)
	}
	return out
}
