package slo

import "math"

// Confidence is that of the two-sided bounds every percentile gate uses.
const Confidence = 0.95

// ClopperPearson bounds the true share behind k successes in n trials (Clopper and Pearson 1934): the
// exact two-sided interval, never narrower than confidence. Without trials it is [0, 1].
func ClopperPearson(k, n int, confidence float64) (lower, upper float64) {
	lower, upper = 0, 1
	tail := (1 - confidence) / 2
	a, b := float64(k), float64(n-k)
	if k > 0 {
		lower = betaQuantile(tail, a, b+1)
	}
	if k < n {
		upper = betaQuantile(1-tail, a+1, b)
	}
	return lower, upper
}

// SamplesNeeded is the smallest number of samples that certifies the share p (0.99 for p99) with so many
// misses among them.
func SamplesNeeded(p float64, misses int) int {
	enough := func(n int) bool {
		lower, _ := ClopperPearson(n-misses, n, Confidence)
		return lower >= p
	}
	const most = 1 << 30 // p = 1 can never be certified
	lo, hi := misses, max(1, misses)
	for !enough(hi) {
		if hi >= most {
			return most
		}
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; enough(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// betaQuantile is x with I_x(a, b) = p. Bisection: the function is monotonic, and it is called twice a gate.
func betaQuantile(p, a, b float64) float64 {
	lo, hi := 0.0, 1.0
	for hi-lo > 1e-13 {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			break
		}
		if betaRegularized(mid, a, b) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + (hi-lo)/2
}

// betaRegularized is the regularised incomplete beta function I_x(a, b), DLMF §8.17: the continued
// fraction 8.17.22, on the side of the mean where it converges fast, otherwise by I_x(a,b) = 1 − I_{1−x}(b,a).
func betaRegularized(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - betaRegularized(1-x, b, a)
	}
	ab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(ab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	return front * betaFraction(x, a, b) / a
}

// betaFraction evaluates the continued fraction by the modified Lentz method (Thompson and Barnett 1986).
// It needs O(√max(a,b)) terms.
func betaFraction(x, a, b float64) float64 {
	const (
		tiny    = 1e-300
		epsilon = 1e-15
	)
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	terms := 200 + 20*int(math.Sqrt(max(a, b)))
	for i := 1; i <= terms; i++ {
		m := float64(i)
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / away(1+even*d)
		c = away(1 + even/c)
		f *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / away(1+odd*d)
		c = away(1 + odd/c)
		delta := d * c
		f *= delta
		if math.Abs(delta-1) < epsilon {
			break
		}
	}
	return f
}
