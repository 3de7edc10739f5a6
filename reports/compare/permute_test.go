package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exactP enumerates every way to deal the labels: the dumb oracle of permutationP.
func exactP(m measure, p *plan) float64 {
	a, b := p.sides()
	observed, _ := difference(m, a, b)
	extreme, all := 0, 0
	var deal func(stratum int)
	deal = func(stratum int) {
		if stratum == len(p.strata) {
			all++
			if d, _ := difference(m, a, b); math.Abs(d) >= math.Abs(observed)*(1-1e-12) {
				extreme++
			}
			return
		}
		units := p.strata[stratum]
		k := 0
		for _, u := range units {
			k += a[u]
		}
		before := slices.Clone(a)
		for mask := range 1 << len(units) {
			ones := 0
			for i, u := range units {
				a[u] = mask >> i & 1
				b[u] = 1 - a[u]
				ones += a[u]
			}
			if ones == k {
				deal(stratum + 1)
			}
		}
		copy(a, before)
		for _, u := range units {
			b[u] = 1 - a[u]
		}
	}
	deal(0)
	return float64(extreme) / float64(all)
}

func TestPermutationAgainstEveryDeal(t *testing.T) {
	for _, tc := range []struct {
		name   string
		d, e   made
		paired bool
		a, b   []uint64
	}{
		{"paired, equal", made{seconds: 8, perSec: 30, wander: 0.1, factor: 1}, made{seconds: 8, perSec: 30, wander: 0.1, factor: 1}, true, []uint64{1}, []uint64{1}},
		{"paired, slower", made{seconds: 8, perSec: 30, wander: 0.1, factor: 1}, made{seconds: 8, perSec: 30, wander: 0.1, factor: 1.1}, true, []uint64{1}, []uint64{1}},
		{"unpaired, slower", made{seconds: 6, perSec: 30, wander: 0.1, factor: 1}, made{seconds: 6, perSec: 30, wander: 0.1, factor: 1.08}, false, []uint64{1}, []uint64{2}},
		{"two runs against one of the same seed", made{seconds: 6, perSec: 30, wander: 0.1, factor: 1}, made{seconds: 6, perSec: 30, wander: 0.1, factor: 1.04}, true, []uint64{1, 1}, []uint64{1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 5))
			runs := append(onSide(tc.d.side("a", tc.a, rng), 0), onSide(tc.e.side("b", tc.b, rng), 1)...)
			p := newPlan(runs, []string{"steady"}, tc.paired, 1)
			for _, k := range kinds()[:2] {
				m := k.measure(p)
				exact := exactP(m, p)
				const rounds = 20_000
				assert.InDelta(t, exact, permutationP(m, p, rounds, rng), 5*math.Sqrt(exact*(1-exact)/rounds)+2.0/rounds, k.name)
			}
		})
	}
}

// Of equal sides every p-value is as likely as any other: the distance of Kolmogorov and Smirnov from
// the uniform distribution stays below its 0.1 % point. Seconds are independent here, as the test assumes.
func TestEqualSidesGiveUniformPValues(t *testing.T) {
	for _, paired := range []bool{true, false} {
		rng := rand.New(rand.NewPCG(11, 3))
		var ps []float64
		const n = 200
		for i := range uint64(n) {
			d := made{seconds: 12, perSec: 20, wander: 0.1, factor: 1}
			other := 1000 + i
			if paired {
				other = i
			}
			runs := append(onSide(d.side("a", []uint64{i}, rng), 0), onSide(d.side("b", []uint64{other}, rng), 1)...)
			p := newPlan(runs, []string{"steady"}, paired, 1)
			ps = append(ps, permutationP(kinds()[0].measure(p), p, 499, rng))
		}
		assert.Less(t, distance(ps), 1.95/math.Sqrt(n)+1.0/500, "paired %v", paired)
		// The control: p-values of sides that differ are far from uniform.
		for i := range ps {
			ps[i] *= 0.5
		}
		require.Greater(t, distance(ps), 1.95/math.Sqrt(n)+1.0/500)
	}
}

// distance of Kolmogorov and Smirnov from the uniform distribution.
func distance(ps []float64) float64 {
	slices.Sort(ps)
	worst := 0.0
	for i, p := range ps {
		worst = max(worst, math.Abs(p-float64(i)/float64(len(ps))), math.Abs(p-float64(i+1)/float64(len(ps))))
	}
	return worst
}

// With a level that wanders slowly, seconds taken for independent find differences that are none; blocks
// of the correlation length find far fewer.
func TestBlocksAreAsLongAsTheCorrelation(t *testing.T) {
	d := made{seconds: 120, perSec: 20, wander: 0.15, rho: 0.8, factor: 1}
	k := kinds()[0]
	rng := rand.New(rand.NewPCG(2, 9))
	short, long, lengths := 0, 0, 0
	const n = 60
	for i := range uint64(n) {
		runs := append(onSide(d.side("a", []uint64{2 * i}, rng), 0), onSide(d.side("b", []uint64{2*i + 1}, rng), 1)...)
		length := blockLength(k, runs, []string{"steady"}, false)
		lengths += length
		for _, l := range []int{1, length} {
			p := newPlan(runs, []string{"steady"}, false, l)
			if permutationP(k.measure(p), p, 299, rng) < 0.05 {
				if l == 1 {
					short++
				} else {
					long++
				}
			}
		}
	}
	t.Logf("of %d equal pairs, %d differ by seconds and %d by blocks of %.1f s", n, short, long, float64(lengths)/n)
	assert.Greater(t, short, n/4, "the control")
	assert.LessOrEqual(t, long, n/6)
	assert.InDelta(t, 11, float64(lengths)/n, 5) // 2·(1+r)/(1−r), where noise inside seconds makes r about 0.7

	independent := usual()
	runs := append(onSide(independent.side("a", []uint64{1}, rng), 0), onSide(independent.side("b", []uint64{2}, rng), 1)...)
	assert.Equal(t, 1, blockLength(k, runs, []string{"steady"}, false))
}
