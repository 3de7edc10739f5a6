package spec

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExplainVariants(t *testing.T) {
	text := Explain(parse(t, twoVariants), ExplainInfo{})
	assert.Contains(t, text, `
Variants  with --trials, side by side under the same seeds
  full  as above (under test)
  none  target.refserver.resilience=none, load.max_in_flight=500 (a control: it must fail)
`)
	assert.NotContains(t, Explain(parse(t, base), ExplainInfo{}), "Variants")
}

func TestDelayed(t *testing.T) {
	s := parse(t, base) // the fault is on from 18 s to 28 s, held to 31 s of 41 s
	require.Equal(t, 10*time.Second, s.Room())
	later, err := s.Delayed(10 * time.Second)
	require.NoError(t, err)
	assert.Equal(t, 28*time.Second, later.Faults[0].At)
	assert.Equal(t, 10*time.Second, later.Delay)
	assert.Equal(t, 18*time.Second, s.Faults[0].At, "the original stays")
	for _, d := range []time.Duration{-1, 10*time.Second + 1} {
		_, err = s.Delayed(d)
		require.ErrorContains(t, err, "room for 10s")
	}
	quiet := parse(t, strings.Replace(base, "  - {name: after, for: 12s}", "  - {name: pause, for: 2s, quiet: true}\n  - {name: after, for: 12s}", 1))
	assert.Equal(t, time.Second, quiet.Room(), "from 28 s to the quiet phase at 29 s")
	none := parse(t, base, "faults=[]", "slo.gates={run: [goodput >= 99%]}")
	assert.Zero(t, none.Room())
}

// Shares of neighbouring seeds fill the interval evenly: every tenth of it gets its tenth.
func TestShare(t *testing.T) {
	const n = 10_000
	var tenths [10]int
	for seed := range uint64(n) {
		v := Share(seed)
		require.GreaterOrEqual(t, v, 0.0)
		require.Less(t, v, 1.0)
		tenths[int(v*10)]++
	}
	chi2 := 0.0
	for _, k := range tenths {
		chi2 += float64((k-n/10)*(k-n/10)) / (n / 10)
	}
	assert.Less(t, chi2, 27.9, "chi-squared, 9 degrees of freedom, 99.9 %%: %v", tenths)
	assert.InDelta(t, 0.994609, Share(7), 1e-6, "the same in every process")
	assert.NotEqual(t, Share(7), Share(8))
}

// A load that the target bears only whole is told before it is run, with faults and without.
func TestExplainWarnsBeyondNMinus1(t *testing.T) {
	info := ExplainInfo{Saturation: 140, Minus1: 120}
	assert.Contains(t, Explain(parse(t, base), info), "a fault that takes one away")
	calm := parse(t, base, "faults=[]", "slo.gates={run: [goodput >= 99%]}")
	assert.Contains(t, Explain(calm, info), "there is no room for a loss")
	info.Minus1 = 131
	assert.NotContains(t, Explain(calm, info), "no room for a loss")
}

func TestExplainBudget(t *testing.T) {
	assert.Contains(t, Explain(parse(t, base), ExplainInfo{}), "weighed against 99.9% over 30d, which allows 43m12s without service")
	assert.Contains(t, Explain(parse(t, base, "slo.budget={target: 99%, window: 36h}"), ExplainInfo{}), "99% over 36h, which allows 21m36s")
}
