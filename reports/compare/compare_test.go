package compare

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

func compareMade(t *testing.T, a, b Side, c Config) Comparison {
	t.Helper()
	c.Permutations, c.Draws = 1000, 300
	done, err := Compare(a, b, c)
	require.NoError(t, err)
	return done
}

func TestEqualSlowerFaster(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	d := usual()
	slow, fast := d, d
	slow.factor, fast.factor = 1.15, 0.85
	base := d.side("base", seeds(1, 5), rng)
	for _, tc := range []struct {
		name string
		b    Side
		want slo.Verdict
		code int
		e2e  Answer
	}{
		{"equal", d.side("b", seeds(1, 5), rng), slo.Pass, 0, Same},
		{"slower", slow.side("b", seeds(1, 5), rng), slo.Fail, 99, Worse},
		{"faster", fast.side("b", seeds(1, 5), rng), slo.Pass, 0, Better},
	} {
		t.Run(tc.name, func(t *testing.T) {
			done := compareMade(t, base, tc.b, Config{Metrics: []string{"e2e", "tpot", "goodput"}})
			assert.Equal(t, tc.want, done.Answer, done.Reasons)
			assert.Equal(t, tc.code, done.ExitCode)
			assert.Equal(t, tc.e2e, find(done, "p50 e2e").Answer)
			assert.Equal(t, tc.e2e, find(done, "p99 e2e").Answer)
			assert.True(t, done.Paired)
		})
	}
}

// Exchanging the sides exchanges better and worse, and changes no p-value by more than its rounds.
func TestExchangedSides(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 5))
		d, e := usual(), usual()
		e.factor = 0.85 + 0.05*float64(seed)
		a, b := d.side("a", seeds(1, 4), rng), e.side("b", seeds(1+seed%2, 4), rng)
		there := compareMade(t, a, b, Config{})
		back := compareMade(t, b, a, Config{})
		flip := map[Answer]Answer{Better: Worse, Worse: Better}
		for i, m := range there.Metrics {
			n := back.Metrics[i]
			assert.InDelta(t, m.Difference, -n.Difference, 1e-12, m.Name)
			assert.InDelta(t, m.PRuns, n.PRuns, 1e-9)
			assert.InDelta(t, m.PBlocks, n.PBlocks, 0.06)
			if other, moved := flip[m.Answer]; moved && m.Effect <= abs(m.Difference)/1.2 {
				assert.Equal(t, other, n.Answer, m.Name)
			}
		}
	}
}

func abs(v float64) float64 { return max(v, -v) }

func TestTheSameTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := usual().side("a", seeds(1, 3), rng), usual().side("b", seeds(7, 3), rng)
	first := compareMade(t, a, b, Config{})
	assert.Equal(t, first, compareMade(t, a, b, Config{}))
	assert.NotEqual(t, first, compareMade(t, a, b, Config{Seed: 2}), "the seed is used")
}

// One run a side never carries an answer, however far the runs are apart.
func TestOneRunASideIsUnknown(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	slow := usual()
	slow.factor = 2
	done := compareMade(t, usual().side("a", seeds(1, 1), rng), slow.side("b", seeds(1, 1), rng), Config{})
	assert.Equal(t, slo.Unknown, done.Answer)
	m := find(done, "p50 e2e")
	assert.Equal(t, Unknown, m.Answer)
	assert.Less(t, m.PBlocks, 0.01, "that these runs differ is seen")
	assert.GreaterOrEqual(t, m.NeedRuns, 3)

	// A baseline of three knows the noise: the same single run is then a finding.
	done = compareMade(t, usual().side("a", []uint64{1, 1, 1}, rng), slow.side("b", seeds(1, 1), rng), Config{})
	assert.Equal(t, slo.Fail, done.Answer, done.Reasons)
}

// Three seconds can be dealt in so few ways that chance is never ruled out for nine metrics at once: the words
// say that, and not that the interval is wide.
func TestTooFewSeconds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	d := usual()
	d.seconds, d.perSec = 3, 100
	slow := d
	slow.factor = 3
	done := compareMade(t, d.side("a", []uint64{1, 1, 1}, rng), slow.side("b", seeds(1, 1), rng), Config{})
	m := find(done, "p50 e2e")
	assert.Equal(t, Unknown, m.Answer)
	assert.Positive(t, *m.Low)
	assert.Contains(t, m.Why, "chance is not ruled out")
}

// More than 1 % failures make a p99 infinite: worse than any number, and no interval.
func TestFailuresAreInfinite(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	broken := usual()
	broken.failed = 3
	a, b := usual().side("a", seeds(1, 5), rng), broken.side("b", seeds(1, 5), rng)
	done := compareMade(t, a, b, Config{})
	m := find(done, "p99 e2e")
	assert.InDelta(t, slo.Infinite, m.B, 0)
	assert.Equal(t, Worse, m.Answer)
	assert.Nil(t, m.High)
	g := find(done, "goodput")
	assert.InDelta(t, -0.05, g.Difference, 1e-9)
	assert.Equal(t, Worse, g.Answer)
	assert.Negative(t, *g.High)

	both := compareMade(t, b, broken.side("b", seeds(1, 5), rng), Config{})
	assert.Equal(t, Unknown, find(both, "p99 e2e").Answer, "two infinities cannot be compared")
}

func TestWhatCannotBeCompared(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	good := func() Side { return usual().side("b", seeds(1, 2), rng) }
	for name, tc := range map[string]struct {
		spoil func(*Side)
		want  string
	}{
		"empty":       {func(s *Side) { s.Trials = nil }, "holds no run"},
		"other load":  {func(s *Side) { s.Trials[1].LoadDigest = "e" }, "was not asked the same"},
		"other kind":  {func(s *Side) { s.Trials[0].TargetKind = "foreign" }, "foreign target"},
		"old version": {func(s *Side) { s.Trials[0].LoadDigest = "" }, "run the scenario again"},
	} {
		t.Run(name, func(t *testing.T) {
			b := good()
			tc.spoil(&b)
			_, err := Compare(good(), b, Config{})
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := Compare(good(), good(), Config{Metrics: []string{"p98 ttft"}})
	require.ErrorContains(t, err, `"p98 ttft" is no metric`)
}

func TestOtherMachinesGiveNoAnswer(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	a := usual().side("a", seeds(1, 5), rng)
	for _, key := range []string{"cpu", "cpus", "gomaxprocs", "os"} {
		slow := usual()
		slow.factor = 2
		b := slow.side("b", seeds(1, 5), rng)
		b.Trials[4].Environment = map[string]string{"cpu": "x", "cpus": "2", "gomaxprocs": "2", "os": "linux/amd64"}
		b.Trials[4].Environment[key] = "other"
		done := compareMade(t, a, b, Config{})
		assert.Equal(t, slo.Unknown, done.Answer)
		assert.Empty(t, done.Metrics, "numbers that mean nothing are not shown")
		assert.Contains(t, done.Reasons[1], key)
		done = compareMade(t, a, b, Config{OtherMachine: true})
		assert.NotEmpty(t, done.Metrics)
		assert.Equal(t, 3, done.ExitCode, "%s: shown, but no answer: %v", key, done.Reasons)
	}
	// Milder differences warn, and so does a decisive one in front of a foreign server.
	b := usual().side("b", seeds(1, 5), rng)
	for i := range b.Trials {
		b.Trials[i].Environment = map[string]string{"cpu": "x", "cpus": "2", "gomaxprocs": "2", "os": "linux/amd64", "kernel": "6", "loadavg": "9.5 1 1"}
	}
	done := compareMade(t, a, b, Config{Metrics: []string{"p50 e2e"}})
	assert.NotEqual(t, 3, done.ExitCode, done.Reasons)
	assert.Len(t, done.Warnings, 6, "kernel, and a busy machine at every run")
	far := usual().side("far", seeds(1, 5), rng)
	for _, s := range []Side{a, far} {
		for i := range s.Trials {
			s.Trials[i].TargetKind = "foreign"
		}
	}
	far.Trials[0].Environment = map[string]string{"cpu": "y", "cpus": "2", "gomaxprocs": "2", "os": "linux/amd64"}
	done = compareMade(t, a, far, Config{Metrics: []string{"p50 e2e"}})
	assert.Len(t, done.Warnings, 1)
	assert.Equal(t, slo.Pass, done.Answer, done.Reasons)
}

func TestAnUntrustedRunGivesNoAnswer(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	a, b := usual().side("a", seeds(1, 5), rng), usual().side("b", seeds(1, 5), rng)
	b.Trials[2].Verdict = slo.Unknown
	done := compareMade(t, a, b, Config{Metrics: []string{"p50 e2e"}})
	assert.Equal(t, slo.Unknown, done.Answer)
	assert.Contains(t, done.Reasons[1], "r3")
}

// Holm by hand: 4 × 0.01, 3 × 0.02, then never below what came before; shown metrics are no part of it.
func TestHolm(t *testing.T) {
	family := []Metric{{P: 0.02}, {P: 0.9}, {P: 0.01}, {P: 0.0001, Shown: true}, {P: 0.025}}
	holm(family)
	var got []float64
	for _, m := range family {
		got = append(got, m.P)
	}
	assert.InDeltaSlice(t, []float64{0.06, 0.9, 0.04, 0.0001, 0.06}, got, 1e-12)
}

func TestMinimumEffect(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	slow := usual()
	slow.factor = 1.15
	a, b := usual().side("a", seeds(1, 5), rng), slow.side("b", seeds(1, 5), rng)
	done := compareMade(t, a, b, Config{Metrics: []string{"p50 e2e"}, Min: MinEffect{Relative: 0.3}})
	assert.Equal(t, slo.Pass, done.Answer, "15 % are less than 30 %: %v", done.Reasons)
	done = compareMade(t, a, b, Config{Metrics: []string{"p50 e2e"}, Min: MinEffect{Request: 0.5}})
	assert.Equal(t, slo.Pass, done.Answer, "120 ms are less than 500 ms")
	done = compareMade(t, a, b, Config{Metrics: []string{"p50 e2e"}})
	assert.Equal(t, slo.Fail, done.Answer)
}

func TestRecoveryIsJudgedFromFiveRunsOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	with := func(name string, runs uint64, ttr func(i int) Recovery) Side {
		s := usual().side(name, seeds(1, runs), rng)
		for i := range s.Trials {
			s.Trials[i].Faults = []Recovery{ttr(i)}
		}
		return s
	}
	took := func(base float64) func(int) Recovery {
		return func(i int) Recovery {
			v := base + 0.1*float64(i)
			return Recovery{Fault: "gpu.oom", State: slo.Recovered, TTR: &v, OutOfSLO: v}
		}
	}
	never := func(int) Recovery { return Recovery{Fault: "gpu.oom", State: slo.Censored, OutOfSLO: 9} }
	absorbed := func(int) Recovery { return Recovery{Fault: "gpu.oom", State: slo.Absorbed} }
	only := Config{Metrics: []string{recovery}}
	for name, tc := range map[string]struct {
		a, b Side
		want Answer
	}{
		"same":            {with("a", 6, took(2)), with("b", 6, took(2)), Unknown},
		"slower":          {with("a", 6, took(2)), with("b", 6, took(4)), Worse},
		"faster":          {with("a", 6, took(4)), with("b", 6, took(2)), Better},
		"never again":     {with("a", 6, took(2)), with("b", 6, never), Worse},
		"absorbed now":    {with("a", 6, took(2)), with("b", 6, absorbed), Better},
		"absorbed always": {with("a", 6, absorbed), with("b", 6, absorbed), Same},
	} {
		t.Run(name, func(t *testing.T) {
			m := find(compareMade(t, tc.a, tc.b, only), "ttr")
			assert.Equal(t, tc.want, m.Answer, "%+v", m)
		})
	}
	few := compareMade(t, with("a", 4, took(2)), with("b", 4, took(9)), Config{Metrics: []string{recovery, "p50 e2e"}})
	m := find(few, "ttr")
	assert.True(t, m.Shown)
	assert.NotEqual(t, slo.Fail, few.Answer, "shown, not judged")
	assert.False(t, slices.ContainsFunc(few.Metrics, func(m Metric) bool { return m.Shown }))
}

// Ties and order: the exact two-sided rank test of {1,2,3} against {4,5,6} is 2 of 20 deals.
func TestRankP(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	assert.InDelta(t, 0.1, rankP([]float64{1, 2, 3}, []float64{4, 5, 6}, 20_000, rng), 0.01)
	assert.InDelta(t, 1, rankP([]float64{1, 1}, []float64{1, 1}, 500, rng), 0)
}
