package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func over(times ...float64) (out []wait) {
	for _, t := range times {
		out = append(out, wait{t, true})
	}
	return out
}

func given(times ...float64) (out []wait) {
	for _, t := range times {
		out = append(out, wait{t, false})
	}
	return out
}

func TestMedian(t *testing.T) {
	// Freireich et al. 1963, remission of leukaemia in weeks, as in Kalbfleisch and Prentice, The Statistical
	// Analysis of Failure Time Data: 6-MP has the median 23, placebo 8.
	mp := append(over(6, 6, 6, 7, 10, 13, 16, 22, 23), given(6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)...)
	placebo := over(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
	for name, c := range map[string]struct {
		waits []wait
		want  Bound
	}{
		"6-MP":                          {mp, Bound{Seconds: 23}},
		"placebo":                       {placebo, Bound{Seconds: 8}},
		"none":                          {nil, Bound{}},
		"one":                           {over(3), Bound{Seconds: 3}},
		"even number":                   {over(4, 1, 2, 3), Bound{Seconds: 2.5}},
		"odd number":                    {over(3, 1, 2), Bound{Seconds: 2}},
		"most never over":               {append(over(1), given(20, 20)...), Bound{Seconds: 20, Above: true}},
		"none ever over":                {given(20, 18), Bound{Seconds: 20, Above: true}},
		"half never over":               {append(over(2), given(20)...), Bound{Seconds: 11, Above: true}},
		"given up before the first one": {append(over(5, 7), given(1)...), Bound{Seconds: 6}},
		"given up in the same instant":  {append(over(2, 4), given(2, 9)...), Bound{Seconds: 4}},
	} {
		assert.Equal(t, c.want, quantile(c.waits, 0.5), name)
	}
}

// survival is the definition, evaluated anew for every t.
func survival(waits []wait, t float64) float64 {
	s := 1.0
	seen := map[float64]bool{}
	for _, w := range waits {
		if !w.over || w.seconds > t || seen[w.seconds] {
			continue
		}
		seen[w.seconds] = true
		d, n := 0.0, 0.0
		for _, v := range waits {
			if v.seconds >= w.seconds {
				n++
			}
			if v.over && v.seconds == w.seconds {
				d++
			}
		}
		s *= 1 - d/n
	}
	return s
}

func TestQuantileAgreesWithTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	above, exact, flats := 0, 0, 0
	for range 3000 {
		var waits []wait
		for range 1 + rng.IntN(12) {
			waits = append(waits, wait{float64(1 + rng.IntN(8)), rng.IntN(3) > 0})
		}
		p := []float64{0.5, 0.9}[rng.IntN(2)]
		got := quantile(waits, p)
		first := math.Inf(1) // inf{t: S(t) ≤ 1 − p}
		for _, w := range waits {
			if w.over && w.seconds < first && survival(waits, w.seconds) <= 1-p+1e-9 {
				first = w.seconds
			}
		}
		switch {
		case math.IsInf(first, 1):
			above++
			require.Equal(t, Bound{slices.MaxFunc(waits, func(a, b wait) int { return int(a.seconds - b.seconds) }).seconds, true}, got, "%v", waits)
		case math.Abs(survival(waits, first)-(1-p)) > 1e-9:
			exact++
			require.Equal(t, Bound{Seconds: first}, got, "%v", waits)
		default:
			require.GreaterOrEqual(t, got.Seconds, first, "%v", waits)
			if got.Seconds > first {
				flats++
				require.InDelta(t, 1-p, survival(waits, got.Seconds-1e-6), 1e-9, "still on the flat: %v", waits)
			}
		}
	}
	assert.Greater(t, above, 100)
	assert.Greater(t, exact, 100)
	assert.Greater(t, flats, 100)
}

// Textbook ranks (Conover, Practical Nonparametric Statistics, table of the binomial with p = ½).
func TestMedianRank(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 5: 0, 6: 1, 8: 1, 9: 2, 10: 2, 12: 3, 20: 6, 25: 8, 30: 10, 100: 40} {
		r, confidence := medianRank(n)
		assert.Equal(t, want, r, "n = %d", n)
		if r > 0 {
			assert.GreaterOrEqual(t, confidence, 0.95)
		}
	}
	_, c := medianRank(10)
	assert.InDelta(t, 1-2*11.0/1024, c, 1e-12, "1 + 10 of 2¹⁰ on either side")
}

// By enumeration: each wait is below the median or not with equal chance, all 2ⁿ ways. The interval misses
// where fewer than r are on one side, and r+1 would miss more than 5 % of the time.
func TestMedianRankByEnumeration(t *testing.T) {
	for n := 1; n <= 16; n++ {
		missed := func(r int) float64 {
			misses := 0
			for way := range 1 << n {
				below := 0
				for i := range n {
					below += way >> i & 1
				}
				if below < r || n-below < r {
					misses++
				}
			}
			return float64(misses) / float64(int(1)<<n)
		}
		r, confidence := medianRank(n)
		if r > 0 {
			assert.InDelta(t, 1-missed(r), confidence, 1e-9, "n = %d", n)
		}
		assert.Greater(t, missed(r+1), 0.05, "n = %d: a narrower one would do", n)
	}
}

func TestMedianRange(t *testing.T) {
	assert.Nil(t, medianRange(over(1, 2, 3, 4, 5)))
	m := medianRange(over(6, 5, 4, 3, 2, 1))
	require.NotNil(t, m)
	assert.InDelta(t, 1, m.Lower, 0)
	assert.Equal(t, Bound{Seconds: 6}, m.Upper)
	m = medianRange(append(over(1, 2, 3, 4, 5), given(20)...))
	assert.Equal(t, Bound{Seconds: 20, Above: true}, m.Upper, "the one that never recovered has no end")
	m = medianRange(append(over(3, 4, 5, 6, 7), given(1)...))
	assert.InDelta(t, 1, m.Lower, 0, "it may have been over right after it was given up")
}

// The interval keeps its promise: of many samples it holds the true median in 95 % or more.
func TestMedianRangeCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	held := 0
	const samples = 4000
	for range samples {
		var waits []wait
		for range 11 {
			x := rng.ExpFloat64()
			waits = append(waits, wait{min(x, 1.5), x < 1.5}) // watched for 1.5 at most
		}
		m := medianRange(waits)
		if m.Lower <= math.Ln2 && (m.Upper.Above || m.Upper.Seconds >= math.Ln2) {
			held++
		}
	}
	assert.GreaterOrEqual(t, float64(held)/samples, 0.95)
}
