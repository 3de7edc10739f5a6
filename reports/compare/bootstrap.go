package compare

import (
	"math"
	"math/rand/v2"
	"slices"
)

// bootstrap is the interval of the difference over blocks drawn with replacement (Künsch 1989, blocks that
// do not overlap; percentile interval). Paired plans draw instants, with every run that has them; others
// draw the blocks of each run and phase by themselves.
func bootstrap(m measure, p *plan, draws int, confidence float64, rng *rand.Rand) (low, high float64, ok bool) {
	groups := p.drawGroups()
	a, b := p.sides()
	ta, tb := make([]int, len(a)), make([]int, len(b))
	var all []float64
	for range draws {
		clear(ta)
		clear(tb)
		for _, g := range groups {
			for range g {
				for _, u := range g[rng.IntN(len(g))] {
					ta[u] += a[u]
					tb[u] += b[u]
				}
			}
		}
		if d, ok := difference(m, ta, tb); ok {
			all = append(all, d)
		}
	}
	if len(all) < draws/2 || len(all) == 0 {
		return 0, 0, false
	}
	slices.Sort(all)
	tail := (1 - confidence) / 2
	at := func(q float64) float64 { return all[min(len(all)-1, max(0, int(math.Ceil(q*float64(len(all))))-1))] }
	return at(tail), at(1 - tail), true
}

// drawGroups are the lists of what is drawn together (units), by the list it is drawn from.
func (p *plan) drawGroups() [][][]int {
	index := map[[3]int]int{}
	var groups [][][]int
	add := func(key [3]int, units []int) {
		g, known := index[key]
		if !known {
			g = len(groups)
			index[key] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], units)
	}
	for _, units := range p.strata {
		first := p.units[units[0]]
		if p.paired {
			add([3]int{first.phase, int(p.runs[first.run].Seed & math.MaxInt32), int(p.runs[first.run].Seed >> 31 & math.MaxInt32)}, units)
			continue
		}
		for _, u := range units {
			add([3]int{p.units[u].phase, p.units[u].run}, []int{u})
		}
	}
	return groups
}
