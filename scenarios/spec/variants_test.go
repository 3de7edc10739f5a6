package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

const twoVariants = base + `variants:
  - {name: full}
  - name: none
    set: [target.refserver.resilience=none, load.max_in_flight=500]
    expect: fail
`

func TestVariants(t *testing.T) {
	s := parse(t, twoVariants, "load.arrivals.rate=99/s", "load.max_in_flight=100")
	require.Len(t, s.Variants, 2)
	assert.Equal(t, []string{"full", "none"}, []string{s.Variants[0].Name, s.Variants[1].Name})
	assert.Equal(t, ExpectPass, s.Variants[0].Expect, "the first is under test")
	assert.Equal(t, ExpectFail, s.Variants[1].Expect)

	full, err := s.Variant("full")
	require.NoError(t, err)
	assert.Equal(t, "full", full.Target.Resilience)
	assert.Equal(t, 100, full.Load.MaxInFlight)
	assert.Equal(t, s.Digest, full.Digest, "nothing is changed")

	none, err := s.WithSeed(7).Variant("none")
	require.NoError(t, err)
	assert.Equal(t, "none", none.Target.Resilience)
	assert.InDelta(t, 99, none.Load.Arrivals.Rate, 0, "the command line holds for every variant")
	assert.Equal(t, 500, none.Load.MaxInFlight, "and the variant's own word is the last")
	assert.Equal(t, uint64(7), none.Load.Seed, "variants share the seed")
	assert.Empty(t, none.Variants)
	assert.Equal(t, []string{"load.arrivals.rate=99/s", "load.max_in_flight=100", "target.refserver.resilience=none", "load.max_in_flight=500"}, none.Set)
	assert.NotEqual(t, s.Digest, none.Digest)

	none.Faults[0].At = 0
	again, err := s.Variant("none")
	require.NoError(t, err)
	assert.NotZero(t, again.Faults[0].At, "each is a copy")
}

func TestUnknownVariant(t *testing.T) {
	_, err := parse(t, twoVariants).Variant("nine")
	require.ErrorContains(t, err, `has no variant "nine"; did you mean "none"?`)
	_, err = parse(t, base).Variant("none")
	assert.ErrorContains(t, err, "has no variants")
}

// A mistake of the scenario itself is told once, not once more for every variant.
func TestVariantsDoNotRepeatMistakes(t *testing.T) {
	_, err := Parse("v.yaml", []byte(strings.Replace(twoVariants, "130/s", "fast", 1)), nil)
	require.Error(t, err)
	assert.Equal(t, 1, strings.Count(err.Error(), "fast"), "%v", err)
}

func TestTooManyVariants(t *testing.T) {
	text := base + "variants:\n"
	for i := range maxVariants + 1 {
		text += fmt.Sprintf("  - {name: v%d}\n", i)
	}
	_, err := Parse("v.yaml", []byte(text), nil)
	assert.ErrorContains(t, err, "there are 21 variants; write at most 20")
}

func TestTrialGates(t *testing.T) {
	s := parse(t, base, "slo.trials=[mttr <= 3s, median  ttr <= 2s, absorbed >= 90%]")
	var got []slo.Gate
	for _, g := range s.Trials {
		g.File, g.Line = "", 0
		got = append(got, g)
	}
	assert.Equal(t, []slo.Gate{
		{Scope: "trials", Metric: "mttr", Op: "<=", Value: 3, Text: "mttr <= 3s"},
		{Scope: "trials", Metric: "median ttr", Op: "<=", Value: 2, Text: "median ttr <= 2s"},
		{Scope: "trials", Metric: "absorbed", Op: ">=", Value: 0.9, Text: "absorbed >= 90%"},
	}, got)
	assert.Contains(t, Explain(s, ExplainInfo{}), "absorbed >= 90%      at least 36 trials\n")
	_, err := Parse("x.yaml", []byte(base), []string{"slo.trials=[mttr <= 3s]", "faults=[]", "slo.gates={run: [goodput >= 99%]}"})
	assert.ErrorContains(t, err, "nothing is injected")
}
