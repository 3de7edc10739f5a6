package k6ext

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
)

// The client is calibrated before time zero, by the same process and on none of the target's requests.
func TestCalibrationComesBeforeTheLoad(t *testing.T) {
	server := &fakellm.Server{}
	o := trial{load: arrivalsOf(serve(t, server), map[string]any{"calibrate": true})}.run(t)
	require.Zero(t, o.code, o.text)
	assert.Contains(t, o.text, "client calibrated on a known stream")

	c := o.shard.Footer.Client.Calibration
	require.NotNil(t, c)
	assert.Empty(t, c.Failed)
	assert.Equal(t, 96, c.Streams)
	assert.Positive(t, c.TTFTError.P50)
	assert.Positive(t, c.Headroom)
	assert.InDelta(t, 60*8, c.Asked, 1e-9)

	n := len(o.shard.Records)
	assert.Equal(t, uint64(n), server.Requests(), "the target sees the plan alone")
	assert.Equal(t, uint64(8*n), o.shard.Footer.Client.ChunksRead, "and the run's counters do not hold the calibration")
	for _, r := range o.shard.Records {
		require.GreaterOrEqual(t, r.Due, o.shard.Header.Start)
	}
	assert.GreaterOrEqual(t, len(o.progress), 2)

	plain := trial{load: arrivalsOf(serve(t, &fakellm.Server{}), nil)}.run(t)
	require.Zero(t, plain.code, plain.text)
	assert.Nil(t, plain.shard.Footer.Client.Calibration, "only where it is asked for")
	assert.NotContains(t, plain.text, "calibrated")
}
