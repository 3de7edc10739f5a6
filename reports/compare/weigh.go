package compare

import (
	"math"
	"math/rand/v2"

	"github.com/brownout-dev/brownout/reports/slo"
)

// weigh measures one metric in one scope and runs both tests on it. ok is false when either side has too few
// values for it.
func weigh(k kind, s scope, runs []run, paired bool, c Config, rounds int, rng *rand.Rand) (out Metric, ok bool) {
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
	runsSay := betweenRuns(observe(m, p), paired, max(leastNoise*min(out.A, out.B), k.absolute(c.Min)/10))
	out.PRuns = 1
	if runsSay.known() {
		out.noiseKnown, out.Noise, out.PRuns = true, runsSay.sigma, runsSay.p()
		half := runsSay.half(Confidence)
		low, high = min(low, out.Difference-half), max(high, out.Difference+half)
		out.NeedRuns = needRuns(out, half, runs)
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
