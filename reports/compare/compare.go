package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// scopeRun is all judged phases together.
const scopeRun = "run"

// Compare says whether b is worse than a. An error means that the two cannot be compared at all: nothing on
// a side, or the sides were not asked the same.
func Compare(a, b Side, c Config) (Comparison, error) {
	c = c.withDefaults()
	picked, recoveries, err := c.wanted()
	if err != nil {
		return Comparison{}, err
	}
	if err := Comparable(a, b); err != nil {
		return Comparison{}, err
	}
	out := Comparison{Version: Version, A: describe(a), B: describe(b), Min: c.Min, Metrics: []Metric{}, Recovery: []Metric{}, Warnings: []string{}}
	refused, warnings := machines(a, b)
	out.Warnings = append(out.Warnings, warnings...)
	if len(refused) > 0 && !c.OtherMachine {
		out.settle(append(refused, "Latencies of different machines say nothing about the builds: make a baseline on this one, or look at the numbers with --allow-other-machine."))
		return out, nil
	}
	all := append(onSide(a, 0), onSide(b, 1)...)
	runs := all
	if m := matched(all); 2*len(m) >= len(all) {
		runs, out.Paired = m, true
	}
	for i, s := range scopes(runs[0].Trial) {
		for k, kind := range picked {
			rng := rand.New(rand.NewPCG(c.Seed, uint64(i)<<32|uint64(k)))
			rounds := max(c.Permutations, 80*len(picked)*len(scopes(runs[0].Trial)))
			if m, ok := weigh(kind, s, all, runs, out.Paired, c, rounds, rng); ok {
				out.Metrics = append(out.Metrics, m)
			}
		}
	}
	holm(out.Metrics)
	if recoveries {
		out.Recovery = compareRecovery(a, b, c)
		holm(out.Recovery)
	}
	for i := range out.Metrics {
		out.Metrics[i].decide(len(all))
	}
	for i := range out.Recovery {
		out.Recovery[i].decide(len(all))
	}
	if len(out.Metrics) == 0 && !slices.ContainsFunc(out.Recovery, func(m Metric) bool { return !m.Shown }) {
		refused = append(refused, "There is nothing to compare: no metric has enough requests on both sides.")
	}
	refused = append(refused, verdicts(a, b)...)
	out.settle(refused)
	return out, nil
}

// Comparable says, as an error, why two sides cannot be compared on any machine; nil when they can.
func Comparable(a, b Side) error {
	for _, s := range []Side{a, b} {
		if len(s.Trials) == 0 {
			return fmt.Errorf("%s holds no run to compare; run the scenario first", s.Name)
		}
		for _, t := range s.Trials {
			if t.LoadDigest == "" {
				return fmt.Errorf("run %s of %s does not say what it was asked; run the scenario again with this version", t.Run, s.Name)
			}
		}
	}
	first := a.Trials[0]
	for _, s := range []Side{a, b} {
		for _, t := range s.Trials {
			switch {
			case t.LoadDigest != first.LoadDigest:
				return fmt.Errorf("run %s of %s (scenario %s) was not asked the same as run %s of %s (scenario %s): load, phases, faults, limits or timeouts differ; make a new baseline with --save-baseline",
					t.Run, s.Name, t.Scenario, first.Run, a.Name, first.Scenario)
			case t.TargetKind != first.TargetKind:
				return fmt.Errorf("run %s of %s has a %s target and run %s of %s a %s one; compare runs against the same kind of server",
					t.Run, s.Name, t.TargetKind, first.Run, a.Name, first.TargetKind)
			}
		}
	}
	return nil
}

func describe(s Side) SideInfo {
	info := SideInfo{Name: s.Name, Scenario: s.Trials[0].Scenario, Runs: len(s.Trials), Set: s.Trials[0].Set}
	for _, t := range s.Trials {
		info.Seeds = append(info.Seeds, t.Seed)
		if !slices.Contains(info.Tools, t.Tool) {
			info.Tools = append(info.Tools, t.Tool)
		}
	}
	return info
}

func onSide(s Side, side int) []run {
	out := make([]run, len(s.Trials))
	for i := range s.Trials {
		out[i] = run{Trial: &s.Trials[i], side: side}
	}
	return out
}

// matched drops the runs whose seed the other side lacks. Blocks are paired where at least half of all runs
// remain: the load's noise drops out, and not too much else with it.
func matched(runs []run) []run {
	return slices.DeleteFunc(slices.Clone(runs), func(r run) bool {
		return !slices.ContainsFunc(runs, func(o run) bool { return o.side != r.side && o.Seed == r.Seed })
	})
}

// scope is one set of phases that metrics are taken over.
type scope struct {
	name   string
	phases []string
}

// scopes are the judged phases, and all together where there are several.
func scopes(t *Trial) []scope {
	var out []scope
	all := scope{name: scopeRun}
	for _, p := range t.Samples.Phases {
		out = append(out, scope{p.Phase, []string{p.Phase}})
		all.phases = append(all.phases, p.Phase)
	}
	if len(out) > 1 {
		out = append(out, all)
	}
	return out
}

// verdicts are reasons not to trust the comparison that the runs' own verdicts give.
func verdicts(a, b Side) (reasons []string) {
	for _, s := range []Side{a, b} {
		var bad []string
		for _, t := range s.Trials {
			if t.Verdict == slo.Unknown {
				bad = append(bad, t.Run)
			}
		}
		if len(bad) > 0 {
			reasons = append(reasons, fmt.Sprintf("The measurement of %s cannot be trusted, its own verdict is unknown: %s. Run it again on a quieter machine.", s.Name, strings.Join(bad, ", ")))
		}
	}
	return reasons
}

// ErrNoSamples is the reason why a result without samples cannot be compared.
var ErrNoSamples = fmt.Errorf("it holds no samples: an older brownout wrote it, or more than %d requests were judged; run the scenario again, shorter", result.MaxSamples)
