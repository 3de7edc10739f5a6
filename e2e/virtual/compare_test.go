package virtual

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/slo"
)

// comparisons is how many of each kind are made; BROWNOUT_COMPARISONS asks for more, to measure rates.
func comparisons() int {
	if n, err := strconv.Atoi(os.Getenv("BROWNOUT_COMPARISONS")); err == nil && n > 0 {
		return n
	}
	return usual
}

// tally counts answers over many comparisons.
type tally struct {
	answers map[slo.Verdict]int
	metrics map[string]map[compare.Answer]int
	late    int // comparisons in which a p99 was worse
}

func newTally() *tally {
	return &tally{answers: map[slo.Verdict]int{}, metrics: map[string]map[compare.Answer]int{}}
}

func (c *tally) add(done compare.Comparison) {
	c.answers[done.Answer]++
	late := false
	for _, m := range done.Metrics {
		if c.metrics[m.Name] == nil {
			c.metrics[m.Name] = map[compare.Answer]int{}
		}
		c.metrics[m.Name][m.Answer]++
		late = late || m.Answer == compare.Worse && m.Name[:3] == "p99"
	}
	if late {
		c.late++
	}
}

func (c *tally) log(t *testing.T, what string) {
	t.Logf("%s: %v; a p99 worse in %d", what, c.answers, c.late)
	var names []string
	for name := range c.metrics {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		t.Logf("  %-9s %v", name, c.metrics[name])
	}
}

func side(t *testing.T, name string, from uint64, runs int, slowdown float64) compare.Side {
	s := compare.Side{Name: name}
	for i := range runs {
		s.Trials = append(s.Trials, trial(t, from+uint64(i), slowdown))
	}
	return s
}

func compared(t *testing.T, a, b compare.Side) compare.Comparison {
	done, err := compare.Compare(a, b, compare.Config{Permutations: 2000, Draws: 400})
	require.NoError(t, err)
	return done
}

// Other seeds on each side: what differs between two runs is the load alone, and every comparison has runs
// of its own. Of 20 comparisons of one build at most one may find a regression; a tenth on every engine
// step has to be found in 18 of 20.
func TestPlantedSlowdownIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	equal, slower := newTally(), newTally()
	for i := range uint64(comparisons()) {
		a := side(t, "a", 1000*i+1, 5, 1)
		equal.add(compared(t, a, side(t, "b", 1000*i+101, 3, 1)))
		slower.add(compared(t, a, side(t, "b", 1000*i+201, 3, 1.1)))
	}
	equal.log(t, "equal builds")
	slower.log(t, "slower by 10 %")
	n := comparisons()
	assert.LessOrEqual(t, equal.answers[slo.Fail], max(1, n/20))
	assert.GreaterOrEqual(t, slower.answers[slo.Fail], n*18/20)
}

// The same seeds: the load is the very same, so equal builds agree to the last digit and pass, and the tenth
// shows in a p99 too.
func TestSameSeedsArePaired(t *testing.T) {
	t.Parallel()
	slower := newTally()
	for i := range uint64(comparisons()) {
		a := side(t, "a", 1000*i+1, 5, 1)
		done := compared(t, a, side(t, "b", 1000*i+1, 5, 1))
		require.True(t, done.Paired)
		require.Equal(t, slo.Pass, done.Answer, fmt.Sprint(done.Reasons))
		slower.add(compared(t, a, side(t, "b", 1000*i+1, 5, 1.1)))
	}
	slower.log(t, "slower by 10 %, same seeds")
	n := comparisons()
	assert.GreaterOrEqual(t, slower.answers[slo.Fail], n*18/20)
	assert.GreaterOrEqual(t, slower.late, n*18/20)
}

// A busy machine makes whole runs slower, by 3 % here (one standard deviation), and inside a run nothing
// shows it: the blocks of two such runs differ for certain. Only the runs of one build, held against each
// other, can tell that from a regression.
func TestBusyMachineIsNoRegression(t *testing.T) {
	t.Parallel()
	equal, naive := newTally(), 0
	n := comparisons()
	for i := range uint64(n) {
		rng := rand.New(rand.NewPCG(i, 7))
		busy := func(name string, runs int) compare.Side {
			s := compare.Side{Name: name}
			for k := range runs {
				s.Trials = append(s.Trials, trial(t, 1000*i+uint64(k)+1, 1+0.03*rng.NormFloat64()))
			}
			return s
		}
		done := compared(t, busy("a", 5), busy("b", 5))
		equal.add(done)
		for _, m := range done.Metrics {
			if m.PBlocks*float64(len(done.Metrics)) < compare.Alpha {
				naive++
				break
			}
		}
	}
	equal.log(t, "equal builds on a busy machine")
	t.Logf("by blocks alone %d of %d differ", naive, n)
	assert.LessOrEqual(t, equal.answers[slo.Fail], max(1, n/20))
	assert.Greater(t, naive, n/4, "the control: blocks alone are fooled")
}
