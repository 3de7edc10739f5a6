package load

import "math"

// Drawn is the mean of the lengths that are really drawn: after rounding, and after Min and Max cut.
func (l *Length) Drawn() float64 {
	mean, _ := l.moments()
	return mean
}

// moments are the mean and the mean square of the drawn lengths, exactly: for a whole number N ≥ 1,
// E[N] = Σ P(N ≥ k) and E[N²] = Σ (2k−1)·P(N ≥ k), over k ≥ 1. l must be valid.
func (l *Length) moments() (mean, square float64) {
	least, most := l.bounds()
	switch l.Dist {
	case Fixed:
		return float64(least), float64(least) * float64(least)
	case Choices:
		total := 0.0
		for _, c := range l.Choices {
			n := float64(min(max(c.Tokens, max(1, l.Min)), most))
			mean += c.Weight * n
			square += c.Weight * n * n
			total += c.Weight
		}
		return mean / total, square / total
	case Uniform:
		low, high := int(math.Ceil(l.Mean-l.Spread)), int(math.Floor(l.Mean+l.Spread))
		for i := low; i <= high; i++ {
			n := float64(min(max(i, least), most))
			mean += n
			square += n * n
		}
		width := float64(high - low + 1)
		return mean / width, square / width
	}
	beyond := l.survival()
	mean, square = float64(least), float64(least)*float64(least)
	for k := least + 1; k <= most; k++ {
		p := beyond(float64(k) - 0.5) // what is rounded to k or more
		if p < 1e-15 {
			break
		}
		mean += p
		square += (2*float64(k) - 1) * p
	}
	return mean, square
}

// survival is P(X ≥ x) before rounding.
func (l *Length) survival() func(x float64) float64 {
	switch l.Dist {
	case Lognormal:
		mu := math.Log(l.Mean) - l.Spread*l.Spread/2
		return func(x float64) float64 { return math.Erfc((math.Log(x)-mu)/(l.Spread*math.Sqrt2)) / 2 }
	case Normal:
		from, to := l.window()
		return func(x float64) float64 { return (to - l.below(x)) / (to - from) }
	}
	return func(x float64) float64 { return math.Exp(-x / l.Mean) } // exponential
}

// window is the part of an untruncated normal that rounds into the bounds, as probabilities.
func (l *Length) window() (from, to float64) {
	least, most := max(1, l.Min), MaxTokens
	if l.Max > 0 {
		most = l.Max
	}
	return l.below(float64(least) - 0.5), l.below(float64(most) + 0.5)
}

// below is P(X < x) of an untruncated normal.
func (l *Length) below(x float64) float64 { return math.Erfc((l.Mean-x)/(l.Spread*math.Sqrt2)) / 2 }
