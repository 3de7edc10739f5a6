package render

import (
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// classRows are what the requests of each class saw over all judged phases, for the end of a table of
// phases; none where the load has no classes.
func classRows(r result.Result, name func(class string) string) []slo.PhaseResult {
	out := make([]slo.PhaseResult, 0, len(r.Judgement.Classes))
	for _, c := range r.Judgement.Classes {
		row := c.Run
		row.Name = name(c.Class)
		out = append(out, row)
	}
	return out
}

// ofRun names a class's row as its gates over the run are named.
func ofRun(class string) string {
	g := slo.Gate{Class: class, Scope: "run"}
	return g.Place()
}
