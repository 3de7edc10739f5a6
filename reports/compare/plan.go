package compare

import (
	"fmt"
	"slices"

	"github.com/brownout-dev/brownout/reports/result"
)

// run is one trial in a comparison.
type run struct {
	*Trial
	side int // 0 or 1
}

// unit is a stretch of one run whose requests stay together.
type unit struct {
	run     int
	phase   int
	stratum int // labels are exchanged, and blocks drawn, inside one stratum
}

// plan is the units of one scope: which stretches of which runs are compared, and what may be exchanged.
type plan struct {
	runs   []run
	phases []string
	paired bool
	length int // of a block, in seconds

	units  []unit
	strata [][]int // units by stratum
	blocks [][]*result.BlockSamples
}

// newPlan cuts the phases of every run into blocks of length seconds; a rest joins the block before it.
//
// Paired: the runs of one seed were asked the very same at the same second, so only their labels at that
// second are exchanged and the load's own noise drops out. Otherwise whole blocks are, inside a phase.
func newPlan(runs []run, phases []string, paired bool, length int) *plan {
	p := &plan{runs: runs, phases: phases, paired: paired, length: max(1, length)}
	strata := map[string]int{}
	for i, r := range runs {
		for k, phase := range phases {
			list := blocksOf(r.Trial, phase)
			groups := max(1, len(list)/p.length)
			for b := range list {
				group := min(b/p.length, groups-1)
				if b == 0 || group != min((b-1)/p.length, groups-1) {
					key := fmt.Sprint(k)
					if paired {
						key = fmt.Sprint(k, r.Seed, group)
					}
					s, known := strata[key]
					if !known {
						s = len(p.strata)
						strata[key] = s
						p.strata = append(p.strata, nil)
					}
					p.strata[s] = append(p.strata[s], len(p.units))
					p.units = append(p.units, unit{run: i, phase: k, stratum: s})
					p.blocks = append(p.blocks, nil)
				}
				last := len(p.units) - 1
				p.blocks[last] = append(p.blocks[last], &list[b])
			}
		}
	}
	return p
}

func blocksOf(t *Trial, phase string) []result.BlockSamples {
	i := slices.IndexFunc(t.Samples.Phases, func(p result.PhaseSamples) bool { return p.Phase == phase })
	if i < 0 {
		return nil
	}
	return t.Samples.Phases[i].Blocks
}

// each visits every second of every unit.
func (p *plan) each(visit func(b *result.BlockSamples, unit int)) {
	for u, list := range p.blocks {
		for _, b := range list {
			visit(b, u)
		}
	}
}

// choose is 1 for every unit that keep wants.
func (p *plan) choose(keep func(unit) bool) []int {
	times := make([]int, len(p.units))
	for i, u := range p.units {
		if keep(u) {
			times[i] = 1
		}
	}
	return times
}

// sides are the units of either side.
func (p *plan) sides() (a, b []int) {
	of := func(side int) []int { return p.choose(func(u unit) bool { return p.runs[u.run].side == side }) }
	return of(0), of(1)
}
