package compare

import (
	"math"
	"math/rand/v2"

	"github.com/brownout-dev/brownout/reports/slo"
)

// weigh measures one metric in one scope and runs both tests on it: the one over blocks on runs, the one
// between runs on all. ok is false when either side has too few values for it.
func weigh(k kind, s scope, all, runs []run, paired bool, c Config, rounds int, rng *rand.Rand) (out Metric, ok bool) {
	length := blockLength(k, runs, s.phases, paired)
	p := newPlan(runs, s.phases, paired, length)
	m := k.measure(p)
	a, b := p.sides()
	out = Metric{Scope: s.name, Name: k.name, NA: m.samples(a), NB: m.samples(b), Block: length}
	if min(out.NA, out.NB) < k.need {
		return out, false
	}
	out.A, _ = m.of(a)
	out.B, _ = m.of(b)
	out.Difference = out.B - out.A
	out.Effect = k.absolute(c.Min)
	if k.relative {
		out.Effect = max(out.Effect, c.Min.Relative*out.A)
	}
	out.PBlocks = permutationP(m, p, rounds, rng)
	low, high, known := bootstrap(m, p, c.Draws, Confidence, rng)
	out.worse = out.Difference
	out.PRuns = 1
	if runsSay, known := betweenBest(k.observe(all, s.phases), k.leastNoise(out.A, out.B)); known {
		out.noiseKnown, out.PRuns = true, runsSay.p
		out.Noise = k.moved(out.A, runsSay.sigma) - out.A
		half := runsSay.half
		down, up := k.moved(out.B, -half)-out.A, k.moved(out.B, half)-out.A
		low, high = min(low, down), max(high, up)
		out.NeedRuns = needRuns(out, (up-down)/2, all)
	}
	if known {
		out.Low, out.High = &low, &high
	}
	out.P = max(out.PBlocks, out.PRuns)
	if m.infinite(out.A) || m.infinite(out.B) {
		out.Low, out.High, out.Difference = nil, nil, 0
		out.A, out.B = infinite(m, out.A), infinite(m, out.B)
	}
	if k.q == 0 { // measured as the share of bad ones
		out.A, out.B, out.Difference = 1-out.A, 1-out.B, -out.Difference
		if out.Low != nil {
			*out.Low, *out.High = -high, -low
		}
	}
	return out, true
}

// scaled is a run's value as the noise between runs adds to it: a slow machine makes every latency longer by a
// share, so latencies are held against each other as logarithms; shares of requests as they are.
func (k kind) scaled(v float64) float64 {
	if k.relative {
		return math.Log(max(v, 1e-9))
	}
	return v
}

// moved is v after so much noise.
func (k kind) moved(v, noise float64) float64 {
	if k.relative {
		return v * math.Exp(noise)
	}
	return v + noise
}

// leastNoise is the standard deviation between runs that is assumed in any case: leastNoise of the value, or
// a tenth of the usual absolute minimum effect; what the user takes for nothing is no noise.
func (k kind) leastNoise(a, b float64) float64 {
	absolute := k.absolute(Config{}.withDefaults().Min) / 10
	if k.relative {
		return max(leastNoise, absolute/max(min(a, b), 1e-9))
	}
	return max(leastNoise*min(a, b), absolute)
}

func infinite(m measure, v float64) float64 {
	if m.infinite(v) {
		return slo.Infinite
	}
	return v
}

// maxNeed is where counting runs ends: more is no advice.
const maxNeed = 50

// needRuns is how many runs a side would tell, if the noise stays what it is: the interval shrinks with the
// root of their number and must fit between the difference and the minimum effect.
func needRuns(m Metric, half float64, runs []run) int {
	n := [2]float64{}
	for _, r := range runs {
		n[r.side]++
	}
	each := 2 / (1/n[0] + 1/n[1])
	room := max(math.Abs(m.Effect-math.Abs(m.Difference)), m.Effect/4)
	if half <= room {
		return 0
	}
	need := math.Ceil(each * (half / room) * (half / room))
	return int(min(need, maxNeed+1))
}
