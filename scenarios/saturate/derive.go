package saturate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

// Names of a probe's phases.
const (
	warmup = "warmup"
	judged = "probe"
)

// Shape is the time of a probe.
type Shape struct{ Warmup, Judged time.Duration }

// ShapeOf is a judged phase with half as long a warm-up, three seconds or more: past saturation the
// batches of a server fill for seconds before its queue begins.
func ShapeOf(judged time.Duration) Shape {
	return Shape{Warmup: max(3*time.Second, judged/2), Judged: judged}
}

// Derive is the scenario of the n-th probe: the base scenario's load at rate, with draws of its own, one
// quiet phase and one judged, no faults, the same limits. The judged phase has the gates that the base
// scenario sets for undisturbed service: those of its judged phases that end before the first fault, and
// those of the run; and goodput >= 99% where none of them is about goodput.
func Derive(base *spec.Spec, rate float64, n int, shape Shape) (*spec.Spec, error) {
	gates, err := json.Marshal(map[string][]string{judged: gates(base)})
	if err != nil {
		return nil, err
	}
	arrivals, err := steady(base, rate)
	if err != nil {
		return nil, err
	}
	set := []string{
		"load.arrivals=" + arrivals,
		fmt.Sprintf("load.max_in_flight=%d", min(load.MaxOpen, int(rate*(shape.Warmup+shape.Judged).Seconds())+1000)),
		fmt.Sprintf("phases=[{name: %s, for: %s, quiet: true}, {name: %s, for: %s}]", warmup, shape.Warmup, judged, shape.Judged),
		"slo.gates=" + string(gates),
		fmt.Sprintf("seed=%d", base.Seed+uint64(n)),
	}
	if len(base.Faults) > 0 {
		set = append(set, "faults=[]")
	}
	if len(base.Variants) > 0 {
		set = append(set, "variants=[]", `published=""`)
	}
	if len(base.Trials) > 0 {
		set = append(set, "slo.trials=[]")
	}
	for _, class := range slices.Sorted(maps.Keys(base.SLO.Classes)) {
		set = append(set, "slo.classes."+class+".gates={}") // they speak of the base's phases
	}
	s, err := spec.Parse(base.File, base.Effective, set)
	if err != nil {
		return nil, fmt.Errorf("a probe at %.4g/s cannot be made of scenario %s: %w", rate, base.Name, err)
	}
	s.Set = slices.Concat(base.Set, set)
	return s, nil
}

// steady is the base's arrival process at that rate all the time: stages and spikes would make it another rate.
func steady(base *spec.Spec, rate float64) (string, error) {
	a := base.Load.Arrivals
	text := fmt.Sprintf("{process: %s, rate: %s/s", a.Process, strconv.FormatFloat(rate, 'f', -1, 64))
	switch a.Process {
	case load.Gamma:
		text += fmt.Sprintf(", cv: %v", a.CV)
	case load.OnOff:
		text += fmt.Sprintf(", on: %s, off: %s", a.On, a.Off)
	case load.Closed, load.Replay:
		return "", fmt.Errorf("scenario %s sends a %s load, which has no rate to search over; use another one, or --set 'load.arrivals={process: poisson, rate: 10/s}'", base.Name, a.Process)
	}
	return text + "}", nil
}

func gates(base *spec.Spec) []string {
	quietUntil := base.Length()
	for _, f := range base.Faults {
		quietUntil = min(quietUntil, f.At)
	}
	scopes := map[string]bool{"run": true}
	for _, p := range base.Phases {
		scopes[p.Name] = !p.Quiet && p.At+p.For <= quietUntil
	}
	var lines []string
	goodput := false
	for _, g := range base.SLO.Gates {
		if g.Class == "" && scopes[g.Scope] && !slices.Contains(lines, g.Text) {
			lines = append(lines, g.Text)
			goodput = goodput || g.Metric == "goodput"
		}
	}
	if !goodput {
		lines = append(lines, "goodput >= 99%")
	}
	return lines
}

// phase is the judged one of a derived scenario.
func phase(s *spec.Spec) slo.Phase { return s.Phases[len(s.Phases)-1] }
