package slo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// binomialTail is P(X ≥ k) by summing the mass: slow, and another formula than the beta function.
func binomialTail(k, n int, p float64) float64 {
	sum := 0.0
	choose, _ := math.Lgamma(float64(n + 1))
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(choose - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

// By definition the true share at the lower bound makes k or more successes as rare as the tail, and at
// the upper bound k or fewer.
func TestClopperPearsonByDefinition(t *testing.T) {
	for _, n := range []int{1, 2, 7, 20, 100, 662, 1560, 5000} {
		for _, k := range []int{0, 1, n / 3, n / 2, n - 7, n - 1, n} {
			if k < 0 || k > n {
				continue
			}
			for _, confidence := range []float64{0.9, 0.95, 0.99} {
				lower, upper := ClopperPearson(k, n, confidence)
				tail := (1 - confidence) / 2
				if k > 0 {
					assert.InDelta(t, tail, binomialTail(k, n, lower), 1e-7, "lower %d/%d", k, n)
				} else {
					assert.Zero(t, lower)
				}
				if k < n {
					assert.InDelta(t, 1-tail, binomialTail(k+1, n, upper), 1e-7, "upper %d/%d", k, n)
				} else {
					assert.InDelta(t, 1.0, upper, 0)
				}
			}
		}
	}
	lower, upper := ClopperPearson(0, 0, 0.95)
	assert.Equal(t, [2]float64{0, 1}, [2]float64{lower, upper})
}

func TestClopperPearsonKnownValues(t *testing.T) {
	lower, upper := ClopperPearson(8, 10, 0.95) // R: binom.test(8, 10)
	assert.InDelta(t, 0.4439045, lower, 1e-7)
	assert.InDelta(t, 0.9747893, upper, 1e-7)
	lower, _ = ClopperPearson(10, 10, 0.95)
	assert.InDelta(t, math.Pow(0.025, 0.1), lower, 1e-10, "closed form without a miss")
	lower, _ = ClopperPearson(661, 662, 0.98) // 662 with one miss certify p99 at 99 % one-sided
	assert.GreaterOrEqual(t, lower, 0.99)
	lower, _ = ClopperPearson(660, 661, 0.98)
	assert.Less(t, lower, 0.99)
	lower, upper = ClopperPearson(9_900_000, 10_000_000, 0.95) // normal approximation at this size
	assert.InDelta(t, 0.99-1.96*math.Sqrt(0.99*0.01/1e7), lower, 1e-6)
	assert.InDelta(t, 0.99+1.96*math.Sqrt(0.99*0.01/1e7), upper, 1e-6)
}

func TestSamplesNeeded(t *testing.T) {
	assert.Equal(t, 368, SamplesNeeded(0.99, 0)) // ⌈ln 0.025 / ln 0.99⌉
	for _, misses := range []int{0, 1, 2, 5, 10} {
		n := SamplesNeeded(0.99, misses)
		lower, _ := ClopperPearson(n-misses, n, Confidence)
		assert.GreaterOrEqual(t, lower, 0.99)
		lower, _ = ClopperPearson(n-1-misses, n-1, Confidence)
		assert.Less(t, lower, 0.99, "and not one fewer")
	}
}
