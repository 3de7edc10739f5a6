package faults_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
)

func TestParse(t *testing.T) {
	for line, want := range map[string]faults.Fault{
		"gpu.oom on gpu=n2/g1 for 10s": {Kind: "gpu.oom", On: faults.Selector{{Key: "gpu", Value: "n2/g1"}}, For: 10 * time.Second},
		"gpu.oom on gpu=n2/g1 for 10s reserve=95% ramp=3s": {Kind: "gpu.oom", On: faults.Selector{{Key: "gpu", Value: "n2/g1"}},
			For: 10 * time.Second, Ramp: 3 * time.Second, Params: map[string]string{"reserve": "95%"}},
		"\tgpu.oom  for 2m0s seed=7 max_share=75%  on node=n2,gpu=*/g*  trigger=restart ": {Kind: "gpu.oom",
			On: faults.Selector{{Key: "node", Value: "n2"}, {Key: "gpu", Value: "*/g*"}}, For: 2 * time.Minute,
			Params: map[string]string{"trigger": "restart"}, Seed: 7, MaxShare: 0.75},
	} {
		got, err := faults.Parse(line)
		require.NoError(t, err, line)
		assert.Equal(t, want, got, line)
	}
}

func TestStringIsCanonical(t *testing.T) {
	f, err := faults.Parse("gpu.oom seed=7 max_share=25% trigger=peak reserve=95% ramp=60s for 60m on node=n2,gpu=*/g1")
	require.NoError(t, err)
	assert.Equal(t, "gpu.oom on node=n2,gpu=*/g1 for 1h ramp=1m reserve=95% trigger=peak seed=7 max_share=0.25", f.String())
}

// TestMistakes is the negative control of the parser: each row plants mistakes and wants each of
// them named at its column.
func TestMistakes(t *testing.T) {
	type at map[int]string // column → what the text must contain
	for line, want := range map[string]at{
		"":                                                    {1: "name a kind"},
		"gpu.omo on gpu=n1/g0 for 10s":                        {1: "the kinds are gpu.oom"},
		"gpu.oom":                                             {8: "missing"},
		"gpu.oom on for 10s":                                  {9: "nothing follows"},
		"gpu.oom on gpu=n1/g0 for":                            {22: "nothing follows"},
		"gpu.oom on gpu for 10s":                              {12: "KEY=TARGET"},
		"gpu.oom on gpu= for 10s":                             {12: "KEY=TARGET"},
		"gpu.oom on gpu=a,,b for 10s":                         {18: "no selector", 19: "no selector"},
		"gpu.oom on gpu=n1/g0 for 10":                         {26: "unit"},
		"gpu.oom on gpu=n1/g0 for 0s":                         {26: "more than 0s"},
		"gpu.oom on gpu=n1/g0 for 2h":                         {26: "at most 1h"},
		"gpu.oom on gpu=n1/g0 for -1s":                        {26: "more than 0s"},
		"gpu.oom on gpu=n1/g0 for 9s for 8s":                  {29: "twice"},
		"gpu.oom on gpu=n1/g0 for 9s now":                     {29: "not understood"},
		"gpu.oom on gpu=n1/g0 for 9s ramp=10s":                {29: "duration (9s)"},
		"gpu.oom on gpu=n1/g0 for 9s ramp=x":                  {29: "not a duration"},
		"gpu.oom on gpu=n1/g0 for 9s seed=-1":                 {29: "whole number"},
		"gpu.oom on gpu=n1/g0 for 9s max_share=0":             {29: "not a share"},
		"gpu.oom on gpu=n1/g0 for 9s max_share=120%":          {29: "not a share"},
		"gpu.oom on gpu=n1/g0 for 9s max_share=NaN":           {29: "not a share"},
		"gpu.oom on gpu=n1/g0 for 9s reserve=95":              {29: "write reserve=95%"},
		"gpu.oom on gpu=n1/g0 for 9s reserve=101%":            {29: "from 0.1% to 100%"},
		"gpu.oom on gpu=n1/g0 for 9s reserve=NaN%":            {29: "out of bounds"},
		"gpu.oom on gpu=n1/g0 for 9s reserve=much":            {29: "not a percentage"},
		"gpu.oom on gpu=n1/g0 for 9s trigger=now":             {29: "peak or restart"},
		"gpu.slow on gpu=n1/g0 for 9s factor=8":               {30: "write factor=8x"},
		"gpu.slow on gpu=n1/g0 for 9s factor=1x":              {30: "from 1.5x to 100x"},
		"gpu.slow on gpu=n1/g0 for 9s factor=NaNx":            {30: "out of bounds"},
		"gpu.slow on gpu=n1/g0 for 9s factor=very":            {30: "not a multiple: write it as in factor=8x"},
		"gpu.slow on gpu=n1/g0 for 9s jitter=101%":            {30: "from 0% to 100%"},
		"gpu.slow on gpu=n1/g0 for 9s reserve=1%":             {30: "it takes factor, jitter"},
		"gpu.oom on gpu=n1/g0 for 9s size=3":                  {29: "it takes reserve, trigger"},
		"gpu.oom on gpu=n1/g0 for 9s ramp=1s trigger=restart": {29: "drop one"},
		"gpü on gpu=n1/ü for 10x ramp=y reserve=3 frob=1 max_share=2": {1: "no kind", 8: "not understood", 21: "unit",
			25: "not a duration", 49: "not a share"},
		"gpu.oom on gpu=n1/g0 for 10x ramp=y reserve=3 frob=1 hello": {26: "unit", 30: "not a duration", 37: "write reserve=3%", 47: "no parameter", 54: "not understood"},
	} {
		_, err := faults.Parse(line)
		var got *faults.SyntaxError
		require.ErrorAs(t, err, &got, line)
		assert.Equal(t, line, got.Line)
		columns := map[int]string{}
		for _, p := range got.Problems {
			columns[p.Column] += p.Text
		}
		for column, text := range want {
			assert.Contains(t, columns[column], text, "%q column %d; got %v", line, column, err)
		}
		if line != "gpu.oom" { // where both clauses are missing at the same place
			assert.Len(t, got.Problems, len(want), "%q: %v", line, err)
		}
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestParseBoundsTheLine(t *testing.T) {
	_, err := faults.Parse("gpu.oom on gpu=" + string(make([]byte, 2000)))
	require.ErrorContains(t, err, "at most 1024 bytes")
}

func TestValidateNamesEverything(t *testing.T) {
	err := faults.Fault{Kind: "x", For: -1, Ramp: -1, MaxShare: 3}.Validate()
	for _, part := range []string{"no kind", "selector is empty", "more than 0s", "a ramp is", "share cap"} {
		require.ErrorContains(t, err, part)
	}
	ok, err := faults.Parse("gpu.oom on gpu=a for 1s")
	require.NoError(t, err)
	require.NoError(t, ok.Validate())
}

func TestParamsWithDefaults(t *testing.T) {
	f, err := faults.Parse("gpu.oom on gpu=a for 1s")
	require.NoError(t, err)
	share, err := f.Share("reserve")
	require.NoError(t, err)
	assert.InDelta(t, 0.995, share, 1e-12)
	word, err := f.Word("trigger")
	require.NoError(t, err)
	assert.Equal(t, "peak", word)
	_, err = f.Word("reserve")
	require.ErrorContains(t, err, "no parameter")
	f, err = faults.Parse("gpu.oom on gpu=a for 1s reserve=50% trigger=restart")
	require.NoError(t, err)
	share, err = f.Share("reserve")
	require.NoError(t, err)
	assert.InDelta(t, 0.5, share, 1e-12)
	word, err = f.Word("trigger")
	require.NoError(t, err)
	assert.Equal(t, "restart", word)
}

// TestCatalogue keeps every entry complete and its defaults legal.
func TestCatalogue(t *testing.T) {
	for _, k := range faults.Catalogue() {
		for name, text := range map[string]string{"summary": k.Summary, "on": k.On, "incident": k.Incident, "proof": k.Proof,
			"gone": k.Gone, "healthy": k.Healthy, "layer": string(k.Layer)} {
			assert.NotEmpty(t, text, "%s %s", k.Kind, name)
		}
		assert.NotEmpty(t, k.Drivers, k.Kind)
		f := faults.Fault{Kind: k.Kind, On: faults.Selector{{Key: k.On, Value: "x"}}, For: time.Second, Params: map[string]string{}}
		for _, p := range k.Params {
			f.Params[p.Name] = p.Default
		}
		require.NoError(t, f.Validate(), k.Kind)
	}
	_, ok := faults.Lookup("gpu.oom")
	assert.True(t, ok)
	_, ok = faults.Lookup("gpu")
	assert.False(t, ok)
}

// TestRoundTrip: any legal fault is written and read back equal.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		f := randomFault(rng)
		require.NoError(t, f.Validate(), f.String())
		back, err := faults.Parse(f.String())
		require.NoError(t, err)
		require.Equal(t, f, back, f.String())
	}
}

func randomFault(rng *rand.Rand) faults.Fault {
	const letters = "abcxyz019_./:%+-*"
	f := faults.Fault{Kind: "gpu.oom", For: 1 + rand.N(faults.MaxDuration)}
	for range 1 + rng.IntN(3) {
		value := make([]byte, 1+rng.IntN(8))
		for i := range value {
			value[i] = letters[rng.IntN(len(letters))]
		}
		f.On = append(f.On, faults.Term{Key: []string{"gpu", "node", "r_2"}[rng.IntN(3)], Value: string(value)})
	}
	if rng.IntN(2) == 0 {
		f.Ramp = time.Duration(rng.Int64N(int64(f.For) + 1))
	}
	if rng.IntN(2) == 0 {
		f.Seed = rng.Uint64()
	}
	if rng.IntN(2) == 0 {
		f.MaxShare = max(rng.Float64(), 1e-9)
	}
	if rng.IntN(2) == 0 {
		f.Params = map[string]string{"reserve": strconv.FormatFloat(0.1+99*rng.Float64(), 'f', -1, 64) + "%"}
	}
	return f
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"gpu.oom on gpu=n2/g1 for 10s reserve=95% ramp=3s", "gpu.oom on node=n1,gpu=*/g0 for 1h seed=1 max_share=0.3",
		"", "on for = ==", "gpu.oom on=1 for=2 kind=3", "gpu.oom on gpu=a for 1s max_share=0x1p-3", "gpu.oom on gpu=a\xff for 1s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := faults.Parse(line)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, got.Validate())
		back, err := faults.Parse(got.String())
		require.NoError(t, err, "%q → %q", line, got)
		require.Equal(t, got, back)
		require.Equal(t, got.String(), back.String())
	})
}
