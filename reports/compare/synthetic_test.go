package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// made describes synthetic runs: lognormal latencies whose level wanders from second to second.
type made struct {
	seconds int
	perSec  int
	rho     float64 // correlation of the level with the second before
	wander  float64 // standard deviation of the level (of a logarithm)
	factor  float64 // everything is so many times as slow
	failed  int     // requests of each second
}

func usual() made { return made{seconds: 15, perSec: 60, wander: 0.1, factor: 1} }

// trialOf makes one run. seed fixes the load (its level), rng the rest.
func (d made) trialOf(seed uint64, rng *rand.Rand) Trial {
	load := rand.New(rand.NewPCG(seed, 99))
	phase := result.PhaseSamples{Phase: "steady"}
	level := load.NormFloat64() * d.wander
	for s := range d.seconds {
		level = d.rho*level + math.Sqrt(1-d.rho*d.rho)*d.wander*load.NormFloat64()
		b := result.BlockSamples{Second: s, Judged: d.perSec, Good: d.perSec - d.failed, Failed: d.failed, NoToken: d.failed}
		list := func(typical, spread float64) []int {
			out := make([]int, d.perSec-d.failed)
			for i := range out {
				out[i] = int(math.Round(typical * d.factor * math.Exp(level+spread*rng.NormFloat64()) / result.SampleUnit))
			}
			slices.Sort(out)
			for i := len(out) - 1; i > 0; i-- {
				out[i] -= out[i-1]
			}
			return out
		}
		b.TTFT, b.TPOT, b.E2E = list(0.03, 0.3), list(0.012, 0.05), list(0.8, 0.05)
		b.Gaps = []int{int(8000 * d.factor * math.Exp(level)), 1000, int(20000 * d.factor), 50}
		phase.Blocks = append(phase.Blocks, b)
	}
	return Trial{
		Run: fmt.Sprintf("r%d", seed), Seed: seed, Verdict: slo.Pass, Scenario: "made", LoadDigest: "d", TargetKind: "refserver", Tool: "t",
		Environment: map[string]string{"cpu": "x", "cpus": "2", "gomaxprocs": "2", "os": "linux/amd64"},
		Samples:     result.Samples{Phases: []result.PhaseSamples{phase}},
	}
}

func (d made) side(name string, seeds []uint64, rng *rand.Rand) Side {
	s := Side{Name: name}
	for _, seed := range seeds {
		s.Trials = append(s.Trials, d.trialOf(seed, rng))
	}
	return s
}

func seeds(from, n uint64) (out []uint64) {
	for i := range n {
		out = append(out, from+i)
	}
	return out
}

func find(c Comparison, name string) Metric {
	for _, m := range slices.Concat(c.Metrics, c.Recovery) {
		if m.Name == name {
			return m
		}
	}
	panic("no metric " + name)
}
