package compare

import (
	"math"
	"math/rand/v2"
)

// permutationP is the two-sided p-value of the difference of a measure between the sides, when whole
// blocks are exchanged between them inside each stratum: (1 + as extreme) / (1 + rounds), Phipson and Smyth
// 2010, which never is 0 and never promises more than the rounds can show.
func permutationP(m measure, p *plan, rounds int, rng *rand.Rand) float64 {
	a, b := p.sides()
	observed, ok := difference(m, a, b)
	if !ok {
		return 1
	}
	if observed == 0 {
		return 1
	}
	limit := math.Abs(observed) * (1 - 1e-12) // equal in exact arithmetic counts as equal
	extreme := 0
	for range rounds {
		p.shuffle(a, b, rng)
		if d, ok := difference(m, a, b); ok && math.Abs(d) >= limit {
			extreme++
		}
	}
	return float64(1+extreme) / float64(1+rounds)
}

// shuffle deals the labels of each stratum anew, as many of each side as before.
func (p *plan) shuffle(a, b []int, rng *rand.Rand) {
	for _, units := range p.strata {
		for i := len(units) - 1; i > 0; i-- {
			u, v := units[i], units[rng.IntN(i+1)]
			a[u], a[v] = a[v], a[u]
			b[u], b[v] = b[v], b[u]
		}
	}
}

// difference is b − a; ok is false when either side has no data.
func difference(m measure, a, b []int) (float64, bool) {
	va, okA := m.of(a)
	vb, okB := m.of(b)
	return vb - va, okA && okB
}
