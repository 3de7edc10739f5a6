package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSpreadOf(t *testing.T) {
	assert.Equal(t, Spread{}, SpreadOf(nil))
	assert.Equal(t, Spread{N: 1, P50: 1, P99: 1, Max: 1}, SpreadOf([]time.Duration{time.Second}))
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(200-i)*time.Second)
	}
	assert.Equal(t, Spread{N: 200, P50: 100, P99: 198, Max: 200}, SpreadOf(all))
}

// Of two load generators the worse one counts, and a failure of either.
func TestCalibrationsJoin(t *testing.T) {
	a := &Calibration{Seconds: 1, Rounds: 2, Streams: 100, Concurrent: 50, TTFTError: Spread{N: 100, P50: 1, P99: 5, Max: 6}, ChunksPerSecond: 10, StreamsPerSecond: 1, Asked: 1, Headroom: 10}
	b := &Calibration{Seconds: 2, Rounds: 1, Streams: 96, Concurrent: 32, TTFTError: Spread{N: 96, P50: 2, P99: 3, Max: 9}, GapError: Spread{N: 1, P99: 7},
		ChunksPerSecond: 8, StreamsPerSecond: 2, Asked: 2, Headroom: 4, Failed: "no"}
	want := &Calibration{Seconds: 2, Rounds: 2, Streams: 196, Concurrent: 82, TTFTError: Spread{N: 196, P50: 2, P99: 5, Max: 9}, GapError: Spread{N: 1, P99: 7},
		ChunksPerSecond: 18, StreamsPerSecond: 3, Asked: 3, Headroom: 4, Failed: "no"}
	assert.Equal(t, want, a.worse(b))
	assert.Equal(t, want, b.worse(a))
	assert.Equal(t, a, a.worse(nil))
	var none *Calibration
	assert.Equal(t, a, none.worse(a))
	assert.Nil(t, none.worse(nil))
}
