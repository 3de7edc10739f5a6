package options

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/load"
)

func TestDurationsAndNumbers(t *testing.T) {
	var o load.ArrivalsOptions
	require.NoError(t, Decode([]byte(`{"plan":{"seed":18446744073709551615,"duration_ns":"1m30s"},"drain_ns":5,
		"client":{"headers":{"x_ns":"free"},"extra_body":{"t_ns":"free","n":1.5}},"phases":[{"name":"a","at_ns":"2s"}]}`), &o))
	assert.Equal(t, uint64(18446744073709551615), o.Plan.Seed, "64 bits, not 53")
	assert.Equal(t, 90*time.Second, o.Plan.Duration)
	assert.Equal(t, time.Duration(5), o.Drain)
	assert.Equal(t, 2*time.Second, o.Phases[0].At)
	assert.Equal(t, "free", o.Client.Headers["x_ns"])
	assert.Equal(t, "free", o.Client.ExtraBody["t_ns"])
}

func TestErrors(t *testing.T) {
	for in, want := range map[string]string{
		`{"plan":{"duration_ns":"soon"}}`: "plan.duration_ns",
		`{"plna":{}}`:                     "plna",
		`{"drain_ns":1.5}`:                "drain_ns",
		`[`:                               "unexpected EOF",
	} {
		var o load.ArrivalsOptions
		assert.ErrorContains(t, Decode([]byte(in), &o), want, "%s", in)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"plan":{"seed":1,"duration_ns":"1m"},"client":{"base_url":"http://x"}}`))
	f.Add([]byte(`{"phases":[{"at_ns":"1h"}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var o load.ArrivalsOptions
		if Decode(in, &o) != nil {
			return
		}
		out, err := json.Marshal(o)
		require.NoError(t, err)
		var again load.ArrivalsOptions
		require.NoError(t, Decode(out, &again), "what k6 writes back is read again")
	})
}
