package saturate

import (
	"math"

	"github.com/brownout-dev/brownout/reports/slo"
)

// The model of a probe, after Watson and Pelli, "QUEST: A Bayesian adaptive psychometric method" (1983):
// a target whose highest rate is K passes a probe at rate r with probability
//
//	lapse/2 + (1 − lapse) · Φ((ln K − ln r)/σ)
//
// σ is how much probes of the same target differ, which is not known: all values of noises are taken
// together, equally likely at first. lapse is the share of probes whose answer says nothing about the
// target, because something else disturbed the machine and no guard saw it.
const lapse = 0.03

func noises() []float64 { return []float64{0.005, 0.01, 0.02, 0.04, 0.08} }

// cells is how finely ln K is looked at: over the usual range, a factor of 8, 0.3 % each.
const cells = 600

// estimate is the posterior median of K with its credible interval, K at first equally likely in logarithms
// from half the lower to twice the higher of the highest pass and the lowest fail. Without a fail there is
// no upper end, without a pass no lower one.
func estimate(done []Probe, passed, failed bool) Estimate {
	pass, fail := edges(done)
	switch {
	case !passed && !failed:
		return Estimate{}
	case !failed:
		return Estimate{Best: pass, Low: pass}
	case !passed:
		return Estimate{Best: fail, High: fail}
	}
	from, to := math.Log(min(pass, fail)/growth), math.Log(max(pass, fail)*growth)
	width := (to - from) / cells
	weights, sum := make([]float64, cells), 0.0
	for i := range weights {
		k := from + (float64(i)+0.5)*width
		for _, sigma := range noises() {
			weights[i] += likelihood(done, k, sigma)
		}
		sum += weights[i]
	}
	quantile := func(q float64) float64 {
		acc := 0.0
		for i, w := range weights {
			if acc+w >= q*sum {
				return math.Exp(from + (float64(i)+(q*sum-acc)/w)*width)
			}
			acc += w
		}
		return math.Exp(to)
	}
	tail := (1 - certainty) / 2
	return Estimate{Best: quantile(0.5), Low: quantile(tail), High: quantile(1 - tail)}
}

func likelihood(done []Probe, lnK, sigma float64) float64 {
	l := 1.0
	for _, p := range done {
		if p.Verdict == slo.Unknown {
			continue
		}
		z := (lnK - math.Log(p.Rate)) / sigma
		if p.Verdict == slo.Fail {
			z = -z
		}
		switch {
		case z > 5:
			l *= 1 - lapse/2
		case z < -5:
			l *= lapse / 2
		default:
			l *= lapse/2 + (1-lapse)*math.Erfc(-z/math.Sqrt2)/2
		}
	}
	return l
}
