package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The oracle writes every chosen value out and sorts.
func TestQuantileAgainstWrittenOutValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		units := 1 + rng.IntN(6)
		var items []item
		for range rng.IntN(1500) {
			v := float64(rng.IntN(50))
			if rng.IntN(20) == 0 {
				v = math.Inf(1)
			}
			items = append(items, item{value: v, unit: rng.IntN(units), weight: rng.IntN(4)})
		}
		f := newField(slices.Clone(items), units)
		times := make([]int, units)
		for i := range times {
			times[i] = rng.IntN(3)
		}
		var all []float64
		for _, it := range items {
			for range it.weight * times[it.unit] {
				all = append(all, min(it.value, f.cap))
			}
		}
		slices.Sort(all)
		require.Equal(t, len(all), f.of(times))
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
			got, ok := f.quantile(q, times)
			require.Equal(t, len(all) > 0, ok)
			if ok {
				want := all[min(len(all), max(1, int(math.Ceil(q*float64(len(all))-1e-9))))-1]
				require.InDelta(t, want, got, 0, "q %v of %d", q, len(all))
			}
		}
	}
}

func TestInfinityStaysAboveEverything(t *testing.T) {
	f := newField([]item{{math.Inf(1), 0, 1}, {7, 0, 1}, {0.2, 0, 1}}, 1)
	v, ok := f.quantile(1, []int{1})
	require.True(t, ok)
	assert.Greater(t, v, 7.0)
	assert.True(t, percentile{f, 1}.infinite(v))
	v, _ = f.quantile(0.5, []int{1})
	assert.False(t, percentile{f, 0.5}.infinite(v))
}
