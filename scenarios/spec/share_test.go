package spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRateAsShare(t *testing.T) {
	s := parse(t, base, "load.arrivals.rate=60%", "seed=3")
	assert.True(t, s.Unresolved())
	assert.Equal(t, "60%", s.ShareText())
	at, err := s.WithSeed(9).At(256.6)
	require.NoError(t, err)
	assert.False(t, at.Unresolved())
	assert.InDelta(t, 154, at.Load.Arrivals.Rate, 0.1)
	assert.Equal(t, uint64(9), at.Load.Seed, "other draws stay other draws")
	assert.Equal(t, s.Digest, at.Digest, "the digest is of what was written")
	assert.Contains(t, string(at.Effective), "60%")
	assert.Contains(t, Explain(at, ExplainInfo{Saturation: 256.6}), "written as 60% of saturation")
	assert.Greater(t, at.Load.MaxInFlight, 1000, "sized for the real rate")

	_, err = s.At(0)
	require.ErrorContains(t, err, "brownout saturate")
	_, err = parse(t, base, "load.arrivals.rate=500%").At(900_000)
	require.ErrorContains(t, err, "is more than 1,000,000/s", "bounds hold for the real rate")

	plain := parse(t, base)
	same, err := plain.At(1)
	require.NoError(t, err)
	assert.Same(t, plain, same)
	assert.False(t, plain.Unresolved())
	assert.Empty(t, plain.ShareText())
}

func TestShareGrammar(t *testing.T) {
	for text, want := range map[string]float64{"60%": 0.6, "60 %": 0.6, "0.5%": 0.005, "110%": 1.1} {
		var r rate
		require.NoError(t, r.UnmarshalText([]byte(text)), text)
		assert.InDelta(t, want, r.share, 1e-12, text)
	}
	for _, text := range []string{"0%", "-5%", "x%", "%", "2000%", "60%%"} {
		var r rate
		require.ErrorContains(t, r.UnmarshalText([]byte(text)), "share of saturation", text)
	}
	var r rate
	require.NoError(t, r.UnmarshalText([]byte("130/s")))
	assert.Zero(t, r.share)
}

func TestResolvedRatesAreRound(t *testing.T) {
	for _, tc := range []struct{ share, saturation, want float64 }{
		{0.6, 256.6, 154}, {0.6, 42.83, 25.7}, {1.1, 3, 3.3}, {0.5, 123456, 61730}, {0.6, 0.05, 0.03},
	} {
		r := rate{share: tc.share}
		r.resolve(tc.saturation)
		assert.Equal(t, tc.want, float64(r.Rate)) //nolint:testifylint // exactly: it is printed
	}
}

// Variants of a scenario are compared at the rate that the scenario itself was resolved to.
func TestAShareIsTheSameRateInEveryVariant(t *testing.T) {
	s := parse(t, base+"variants: [{name: full}, {name: none, set: [target.refserver.resilience=none], expect: fail}]\n", "load.arrivals.rate=60%")
	at, err := s.At(200)
	require.NoError(t, err)
	none, err := at.Variant("none")
	require.NoError(t, err)
	assert.False(t, none.Unresolved())
	assert.InDelta(t, 120, none.Load.Arrivals.Rate, 1e-9)
	assert.Equal(t, "none", none.Target.Resilience)
}
