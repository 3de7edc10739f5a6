package sample

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/metrics"
)

func TestBatcher(t *testing.T) {
	out := make(chan metrics.SampleContainer, 10)
	b := NewBatcher(out)
	b.Flush()
	assert.Empty(t, out, "nothing to send")
	for i := range mostBatched + 2 {
		r := &Request{samples: make([]metrics.Sample, 2)}
		r.Record.Arrival = uint64(i)
		b.Add(r)
	}
	require.Len(t, out, 1, "a full batch goes by itself")
	b.Flush()
	require.Len(t, out, 2)
	next := uint64(0)
	for range 2 {
		batch := (<-out).(Batch)
		assert.Len(t, batch.GetSamples(), 2*len(batch))
		for _, r := range batch {
			assert.Equal(t, next, r.Record.Arrival)
			next++
		}
	}
	assert.Equal(t, uint64(mostBatched+2), next)
}
