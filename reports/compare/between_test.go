package compare

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Student's sleep data (1908), extra hours of sleep by two drugs: R's t.test gives t = −1.8608, df 18,
// p = 0.07919 unpaired with equal variances, and t = −4.0621, df 9, p = 0.002833 paired.
func TestBetweenRunsAgainstStudent(t *testing.T) {
	first := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	second := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	var all []observation
	for i := range first {
		all = append(all, observation{first[i], 0, uint64(i)}, observation{second[i], 1, uint64(i)})
	}
	b := betweenRuns(all, false, 1e-9)
	assert.InDelta(t, 1.8608, b.shift/b.error, 1e-4)
	assert.InDelta(t, 18, b.freedom, 0)
	assert.InDelta(t, 0.07919, b.p(), 1e-5)
	b = betweenRuns(all, true, 1e-9)
	assert.InDelta(t, 4.0621, b.shift/b.error, 1e-4)
	assert.InDelta(t, 9, b.freedom, 0)
	assert.InDelta(t, 0.002833, b.p(), 1e-6)
	assert.InDelta(t, 2.262157, slo.StudentQuantile(0.05, 9), 1e-6)
	assert.InDelta(t, 4.302653, slo.StudentQuantile(0.05, 2), 1e-6)
}

func TestBetweenRunsNeedsRuns(t *testing.T) {
	one := []observation{{1, 0, 1}, {2, 1, 1}}
	assert.False(t, betweenRuns(one, true, 0.1).known())
	assert.False(t, betweenRuns(one, false, 0.1).known())
	three := append([]observation{{1.1, 0, 1}, {0.9, 0, 1}}, one...)
	assert.True(t, betweenRuns(three, true, 0.1).known(), "runs of one seed tell the noise too")
	assert.Zero(t, betweenRuns([]observation{{1, 0, 1}, {1, 0, 2}, {1, 1, 3}}, true, 0.1).freedom, "no seed in common")
	// Runs that happen to agree do not make the noise zero.
	agree := betweenRuns([]observation{{1, 0, 1}, {1, 0, 1}, {1, 0, 1}, {1.001, 1, 1}}, true, 0.01)
	assert.InDelta(t, 0.01, agree.sigma, 1e-12)
	assert.Greater(t, agree.p(), 0.5)
}

// Whatever the noise of the load and of the machine, looking at both designs keeps the promise, and it is
// nearly as good as the better one.
func TestBetweenBestKeepsItsPromise(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for _, load := range []float64{0, 1, 5} {
		found, shifted := 0, 0
		const n = 2000
		for range n {
			var equal, slower []observation
			for seed := range uint64(5) {
				level := 100 + load*rng.NormFloat64()
				for side := range 2 {
					v := level + rng.NormFloat64()
					equal = append(equal, observation{v, side, seed})
					slower = append(slower, observation{v + 5*float64(side), side, seed})
				}
			}
			if b, known := betweenBest(equal, 1e-9); known && b.p < 0.05 {
				found++
			}
			if b, known := betweenBest(slower, 1e-9); known && b.p < 0.05 {
				shifted++
			}
		}
		t.Logf("noise of the load %g: %d of %d equal ones differ, %d of the shifted", load, found, n, shifted)
		assert.LessOrEqual(t, found, int(0.06*n))
		assert.Greater(t, shifted, int(0.95*n))
	}
	_, known := betweenBest([]observation{{1, 0, 1}, {2, 1, 1}}, 0.1)
	assert.False(t, known)
}

// Five runs against one: of equal builds one in twenty is beyond 5 %, whatever the noise.
func TestBetweenRunsKeepsItsPromise(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	found := 0
	const n = 4000
	for range n {
		var all []observation
		for i := range 6 {
			all = append(all, observation{10 + rng.NormFloat64(), i / 5, uint64(i)})
		}
		if betweenRuns(all, false, 1e-9).p() < 0.05 {
			found++
		}
	}
	assert.InDelta(t, 0.05*n, found, 60)
}
