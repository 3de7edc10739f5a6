package virtual

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/slo"
)

// TestStudy prints the table of docs/compare.md: how often equal builds are flagged and a slowdown is found,
// by the number of runs, their seeds and the noise of the machine. It takes minutes: BROWNOUT_STUDY=1, with
// BROWNOUT_COMPARISONS of each kind.
func TestStudy(t *testing.T) {
	if os.Getenv("BROWNOUT_STUDY") == "" {
		t.Skip("set BROWNOUT_STUDY=1")
	}
	n := comparisons()
	for _, seeds := range []string{"one seed", "seed by seed", "other seeds"} {
		for _, noise := range []float64{0.01, 0.03} {
			equal, slower := map[int]*tally{1: newTally(), 3: newTally(), 5: newTally()}, map[int]*tally{1: newTally(), 3: newTally(), 5: newTally()}
			for i := range uint64(n) {
				rng := rand.New(rand.NewPCG(i, uint64(100*noise)))
				runs := func(name string, count int, slowdown float64) compare.Side {
					s := compare.Side{Name: name}
					for k := range uint64(count) {
						seed := 1000 * (i + 1)
						switch seeds {
						case "seed by seed":
							seed += k
						case "other seeds":
							seed += rng.Uint64N(1 << 40)
						}
						s.Trials = append(s.Trials, trial(t, seed, slowdown*(1+noise*rng.NormFloat64())))
					}
					return s
				}
				a, b, c := runs("a", 5, 1), runs("b", 5, 1), runs("c", 5, 1.1)
				for count := range equal {
					equal[count].add(compared(t, a, compare.Side{Name: "b", Trials: b.Trials[:count]}))
					slower[count].add(compared(t, a, compare.Side{Name: "c", Trials: c.Trials[:count]}))
				}
			}
			for _, count := range []int{1, 3, 5} {
				e, s := equal[count], slower[count]
				fmt.Printf("| %s | 5 against %d | %.0f %% | %d, %d, %d of %d | %d of %d (a p99: %d) |\n", seeds, count, 100*noise,
					e.answers[slo.Fail], e.answers[slo.Pass], e.answers[slo.Unknown], n, s.answers[slo.Fail], n, s.late)
			}
		}
	}
}
