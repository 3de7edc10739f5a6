package load

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/synth"
)

func plan(process Process, rate float64) Plan {
	return Plan{
		Seed: 7, Model: "m", MaxInFlight: 10, Duration: 100 * time.Second,
		Arrivals: Arrivals{Process: process, Rate: rate},
		Prompt:   Length{Dist: Lognormal, Mean: 512, Spread: 0.5, Min: 16, Max: 4096},
		Output:   Length{Dist: Uniform, Mean: 64, Spread: 32},
	}
}

func gaps(p Plan) (out []float64) {
	last := time.Duration(0)
	for a := range p.All() {
		out = append(out, (a.Due - last).Seconds())
		last = a.Due
	}
	return out
}

func meanAndCV(x []float64) (mean, cv float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		cv += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(cv/float64(len(x))) / mean
}

// ks is the Kolmogorov-Smirnov distance of x from the exponential distribution of that rate.
func ks(x []float64, rate float64) (d float64) {
	sorted := slices.Sorted(slices.Values(x))
	n := float64(len(sorted))
	for i, v := range sorted {
		f := 1 - math.Exp(-rate*v)
		d = max(d, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
	}
	return d
}

func TestConstantIsConstant(t *testing.T) {
	p := plan(Constant, 130)
	n := 0
	for a := range p.All() {
		require.Equal(t, uint64(n), a.Index)
		require.InDelta(t, float64(n)/130, a.Due.Seconds(), 1e-9, "arrival n is due at n/rate: no drift")
		n++
	}
	assert.Equal(t, 13_000, n)
	_, cv := meanAndCV(gaps(p)[1:])
	assert.Less(t, cv, 1e-6)
	assert.Greater(t, ks(gaps(p)[1:], 130), 0.3, "negative control: constant gaps are not exponential")
}

func TestPoissonIsPoisson(t *testing.T) {
	for _, rate := range []float64{2, 50, 500} {
		x := gaps(plan(Poisson, rate))
		mean, cv := meanAndCV(x)
		n := math.Sqrt(float64(len(x)))
		assert.InDelta(t, 1/rate, mean, 4/rate/n, "rate %v", rate)
		assert.InDelta(t, 1, cv, 5/n, "rate %v", rate)
		assert.Less(t, ks(x, rate), 1.95/n, "rate %v: Kolmogorov-Smirnov at 0.1 %%", rate)
	}
}

// A generator that counts per second and then rounds puts an arrival on each second's edge.
func TestPoissonHasNoLumps(t *testing.T) {
	edge, total := 0, 0
	for a := range plan(Poisson, 50).All() {
		if a.Due%time.Second < time.Millisecond || a.Due%time.Second > 999*time.Millisecond {
			edge++
		}
		total++
	}
	assert.Less(t, float64(edge)/float64(total), 0.01, "0.2 %% are expected within 1 ms of a whole second")
}

func TestSharesTileThePlan(t *testing.T) {
	p := plan(Poisson, 200)
	whole := slices.Collect(p.All())
	third := []float64{0, 1.0 / 3, 2.0 / 3, 1}
	var parts []Arrival
	for i := range 3 {
		part := slices.Collect(p.Of(Share{third[i], third[i+1]}))
		assert.InDelta(t, len(whole)/3, len(part), 10, "shares are even")
		parts = append(parts, part...)
	}
	slices.SortFunc(parts, func(a, b Arrival) int { return int(a.Index) - int(b.Index) })
	assert.Equal(t, whole, parts, "three shares together are the plan, each arrival once")
}

func TestArrivalsAreUniqueAndBounded(t *testing.T) {
	p := plan(Poisson, 500)
	ids, prompts := map[string]bool{}, map[string]bool{}
	var prompt []float64
	for a := range p.All() {
		require.Regexp(t, `^b-[0-9a-f]{16}$`, a.ID)
		require.False(t, ids[a.ID])
		ids[a.ID] = true
		require.GreaterOrEqual(t, a.Prompt, 16)
		require.LessOrEqual(t, a.Prompt, 4096)
		require.GreaterOrEqual(t, a.Output, 32)
		require.LessOrEqual(t, a.Output, 96)
		require.Less(t, a.Seed, uint64(1)<<53)
		prompt = append(prompt, float64(a.Prompt))
		if a.Index < 500 {
			text := string(p.AppendPrompt(nil, a))
			require.Equal(t, a.Prompt, synth.Count(text))
			start := strings.Join(strings.Fields(text)[:5], " ")
			require.False(t, prompts[start], "prompts differ from their start")
			prompts[start] = true
		}
	}
	mean, _ := meanAndCV(prompt)
	assert.InDelta(t, 512, mean, 10, "the mean of a lognormal length is the mean asked for")
}

func TestUniformLengthReachesBothEnds(t *testing.T) {
	l := Length{Dist: Uniform, Mean: 3, Spread: 2}
	seen := map[int]int{}
	for i := range uint64(10_000) {
		seen[l.tokens(synth.Mix(i))]++
	}
	assert.Len(t, seen, 5)
	for n := 1; n <= 5; n++ {
		assert.InDelta(t, 2000, seen[n], 200, "length %d", n)
	}
	fixed := Length{Dist: Fixed, Mean: 64}
	assert.Equal(t, 64, fixed.tokens(1))
}

func fingerprint() string {
	h := sha256.New()
	for _, p := range append(everyProcess(), plan(Poisson, 300), plan(Constant, 33), rich()) {
		for a := range p.All() {
			fmt.Fprintf(h, "%+v\n", a)
			if a.Index%16 == 0 {
				h.Write(p.AppendPrompt(nil, a))
			}
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

const childEnv = "LOAD_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		fmt.Print(fingerprint())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSameSeedInTwoProcesses(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.Output()
	require.NoError(t, err)
	assert.Equal(t, fingerprint(), string(out))
}

func TestAnotherSeedIsAnotherLoad(t *testing.T) {
	p, q := plan(Poisson, 50), plan(Poisson, 50)
	q.Seed++
	a, b := slices.Collect(p.All()), slices.Collect(q.All())
	for i := range min(len(a), len(b)) {
		require.NotEqual(t, a[i].ID, b[i].ID)
		require.NotEqual(t, a[i].Due, b[i].Due)
	}
}

func TestValidateReportsEverything(t *testing.T) {
	require.NoError(t, plan(Poisson, 50).Validate())
	err := Plan{Prompt: Length{Dist: "pareto"}, Output: Length{Dist: Uniform, Mean: 4, Spread: 4, Min: 9, Max: 3}}.Validate()
	require.Error(t, err)
	for _, want := range []string{
		"arrivals.process", "duration_ns", "model is empty", "max_in_flight",
		"prompt_tokens.dist", "prompt_tokens.mean", "output_tokens.spread", "output_tokens.min",
	} {
		require.ErrorContains(t, err, want)
	}
	p := plan(Poisson, math.NaN())
	require.Error(t, p.Validate(), "NaN is not a rate")
}

func BenchmarkArrivals(b *testing.B) {
	p := plan(Poisson, 1e5)
	p.Duration = MaxDuration
	b.ReportAllocs()
	n := 0
	next := p.All()
	for b.Loop() {
		for range next {
			if n++; n%1000 == 0 {
				break
			}
		}
	}
}
