package sim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
)

// What two nodes say, sent over a wire and joined, is what one process with all engines would say.
func TestPunctualityJoinsWithoutLoss(t *testing.T) {
	now := event.Time(time.Hour)
	engines := []*Steps{{}, {}, {}}
	for i, s := range engines {
		for n := range 1000 {
			s.record(now, time.Duration(n*(i+1))*time.Microsecond, time.Duration(20+i)*time.Millisecond)
		}
	}
	whole := Summarise(Collect(now, engines...))
	assert.EqualValues(t, 3000, whole.Steps)
	one, two := Collect(now, engines[0]), Collect(now, engines[1:]...)
	data, err := json.Marshal(two)
	require.NoError(t, err)
	var travelled Punctuality
	require.NoError(t, json.Unmarshal(data, &travelled))
	assert.Equal(t, whole, Summarise(one, travelled))
	assert.NotEqual(t, whole.LateP99, Summarise(one).LateP99, "the other node's record matters")

	assert.False(t, Summarise().Known)
	assert.False(t, Summarise(Punctuality{Late: map[int]uint32{-1: 5, 1 << 20: 5}}).Known, "buckets that do not exist")
	later := now.Add(2 * time.Minute)
	assert.False(t, Summarise(Collect(later, engines...)).Known, "older than a minute")
}
