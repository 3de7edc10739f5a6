package trials

import (
	"time"

	"github.com/brownout-dev/brownout/scenarios/spec"
)

// step is one trial to run.
type step struct {
	number  int // from 1
	variant int
	seed    uint64
	delay   time.Duration
}

// plan orders the trials. A round is one trial of every variant under the same seed and delay, so that
// variants are compared in pairs; every second round runs in reverse (A B, B A, A B …), so that what
// drifts evenly, as a machine that warms up does, favours no variant. Trial i has seed + i − 1.
func plan(rounds, variants int, seed uint64, period time.Duration) []step {
	steps := make([]step, 0, rounds*variants)
	for round := range rounds {
		s := seed + uint64(round)
		delay := time.Duration(spec.Share(s) * float64(period))
		for k := range variants {
			if round%2 == 1 {
				k = variants - 1 - k
			}
			steps = append(steps, step{number: round + 1, variant: k, seed: s, delay: delay})
		}
	}
	return steps
}

// spread is the period that every variant's plan has room for; the same for all, for they share delays.
func spread(period time.Duration, specs []*spec.Spec) time.Duration {
	for _, s := range specs {
		if len(s.Faults) > 0 {
			period = min(period, s.Room())
		}
	}
	for _, s := range specs {
		if len(s.Faults) > 0 {
			return max(0, period)
		}
	}
	return 0 // nothing is injected
}
