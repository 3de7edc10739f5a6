package slo

import "math"

// StudentP is the two-sided p-value of a t statistic with df degrees of freedom: P(|T| ≥ |t|), by
// Abramowitz and Stegun 26.7.1 (the regularised incomplete beta function at df/(df+t²)). df must be above 0.
func StudentP(t, df float64) float64 {
	if math.IsInf(t, 0) {
		return 0
	}
	return betaRegularized(df/(df+t*t), df/2, 0.5)
}

// StudentQuantile is t with StudentP(t, df) = p: the half width of a two-sided interval, in standard errors.
func StudentQuantile(p, df float64) float64 {
	lo, hi := 0.0, 1.0
	for StudentP(hi, df) > p && hi < 1e9 {
		hi *= 2
	}
	for range 200 {
		mid := (lo + hi) / 2
		if StudentP(mid, df) > p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}
