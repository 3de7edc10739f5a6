package modules

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"

	"github.com/brownout-dev/brownout/k6ext/recovery"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Recovered is one fault in what recovery() returns. Times are milliseconds; null where there is none.
type Recovered struct {
	ID          string   `js:"id"`
	Fault       string   `js:"fault"`
	Kind        string   `js:"kind"`
	Targets     []string `js:"targets"`
	State       string   `js:"state"` // absorbed, recovered, censored, unproven
	Unrecovered bool     `js:"unrecovered"`
	TTR         *float64 `js:"ttr"`
	TTM         *float64 `js:"ttm"`
	Residual    *float64 `js:"residual"`
	OutOfSLO    float64  `js:"outOfSLO"`
	Relapses    int      `js:"relapses"`
	Touched     int      `js:"touched"`
	Lost        int      `js:"lost"`
	Late        int      `js:"late"`
	Error       string   `js:"error"`
}

// recovery judges every fault of the test until now.
func (i *instance) recovery() []Recovered {
	judged := i.test.Recovery.Judge()
	out := make([]Recovered, 0, len(judged))
	for n := range judged {
		f := &judged[n]
		out = append(out, Recovered{
			ID: f.ID, Fault: f.Fault.Fault, Kind: f.Kind, Targets: f.Targets, State: string(f.State), Unrecovered: f.Unrecovered(),
			TTR: inMilliseconds(f.TTR), TTM: inMilliseconds(f.TTM), Residual: inMilliseconds(f.Residual),
			OutOfSLO: f.OutOfSLO * 1000, Relapses: f.Relapses, Touched: f.Touched, Lost: f.Lost, Late: f.Late, Error: f.Error,
		})
	}
	return out
}

func inMilliseconds(seconds *float64) *float64 {
	if seconds == nil {
		return nil
	}
	return new(*seconds * 1000)
}

// configureRecovery sets, for the whole test, what counts as out and as well again.
func (i *instance) configureRecovery(v sobek.Value) {
	rt := i.vu.Runtime()
	o, err := read(v)
	if err != nil {
		common.Throw(rt, fmt.Errorf("configureRecovery: %w", err))
	}
	spec := slo.Spec{
		Objective: o.Number("objective", slo.DefaultObjective), MinBad: int(o.Whole("minBad", slo.DefaultMinBad)),
		Hold: o.Duration("hold", slo.DefaultHold), Horizon: o.Duration("horizon", slo.DefaultHorizon),
		DegradedIsGood: o.Flag("degradedIsGood", false),
	}
	if !(spec.Objective > 0 && spec.Objective <= 1) {
		o.Wrong("objective", "is %v: it must be above 0 and at most 1", spec.Objective)
	}
	if spec.MinBad < 1 {
		o.Wrong("minBad", "is %d: it must be 1 or more", spec.MinBad)
	}
	if spec.Hold <= 0 || spec.Hold > time.Hour || spec.Horizon <= 0 || spec.Horizon > 24*time.Hour {
		o.Wrong("hold", "and horizon are %v and %v: they must be above 0, and at most an hour and a day", spec.Hold, spec.Horizon)
	}
	for _, word := range o.TextList("expected") {
		outcome, ok := record.ParseOutcome(word)
		if !ok {
			o.Wrong("expected", "names %q, which is no outcome: write words such as %s", word, strings.Join([]string{"rate_limited", "overloaded"}, ", "))
		}
		spec.Expected = append(spec.Expected, outcome)
	}
	if err := oneSentence("configureRecovery", o.Mistakes()); err != nil {
		common.Throw(rt, err)
	}
	i.test.Recovery.Configure(recovery.Options{Spec: spec})
}
