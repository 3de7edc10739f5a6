package arrivals

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib/executor"

	"github.com/brownout-dev/brownout/scenarios/load"
)

func readConfig(t *testing.T, raw string) (Config, error) {
	t.Helper()
	c := Config{BaseConfig: executor.NewBaseConfig("load", Type)}
	return c, c.read([]byte(raw))
}

func TestReadableNotation(t *testing.T) {
	c, err := readConfig(t, `{"executor":"brownout-arrivals","startTime":"1s","gracefulStop":"5s","env":{"A":"b"},"tags":{"x":"y"},
		"rate":"300/m","duration":"1m30s","seed":9,"promptTokens":{"dist":"lognormal","mean":64,"spread":0.5,"min":8,"max":256},"outputTokens":16,
		"maxInFlight":50,"drain":"10s","calibrate":true,"run":"r","client":{"baseURL":"http://x","model":"m","exact":true,"headers":{"a":"b"},
		"timeouts":{"ttft":"2s","total":"20s"},"limits":{"ttft":"500ms","maxGap":"1s"}}}`)
	require.NoError(t, err)
	require.Empty(t, c.Validate())
	assert.Equal(t, load.Plan{
		Seed: 9, Arrivals: load.Arrivals{Process: load.Poisson, Rate: 5}, Duration: 90 * time.Second, Model: "m", Stream: true, MaxInFlight: 50,
		Prompt: load.Length{Dist: load.Lognormal, Mean: 64, Spread: 0.5, Min: 8, Max: 256}, Output: load.Length{Dist: load.Fixed, Mean: 16},
	}, c.Plan)
	assert.Equal(t, time.Second, c.GetStartTime())
	assert.Equal(t, 5*time.Second, c.GetGracefulStop())
	assert.Equal(t, "b", c.Env["A"])
	assert.Equal(t, "y", c.Tags["x"])
	assert.Equal(t, 10*time.Second, c.drain())
	assert.Equal(t, load.Limits{TTFT: 500 * time.Millisecond, Gap: time.Second}, c.Limits)
	assert.Equal(t, 2*time.Second, c.Client.TTFTTimeout)
	assert.True(t, c.Client.Exact)
	assert.True(t, c.Calibrate)

	// What k6 writes back (k6 archive) is the other notation, and means the same.
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	again, err := readConfig(t, string(raw))
	require.NoError(t, err)
	assert.Equal(t, c.ArrivalsOptions, again.ArrivalsOptions)
	assert.False(t, again.readable)
	assert.Empty(t, again.Validate())
}

func TestReadableDefaults(t *testing.T) {
	c, err := readConfig(t, `{"rate":2,"duration":3000,"client":{"baseURL":"http://x","model":"m"}}`)
	require.NoError(t, err)
	require.Empty(t, c.Validate())
	assert.Equal(t, 3*time.Second, c.Plan.Duration, "numbers are milliseconds, as in k6")
	assert.InDelta(t, 2, c.Plan.Arrivals.Rate, 0)
	assert.InDelta(t, 512, c.Plan.Prompt.Mean, 0)
	assert.Equal(t, 30*time.Second, c.drain(), "k6's gracefulStop")
	assert.False(t, c.Calibrate)
}

func TestReadableMistakesAllAtOnce(t *testing.T) {
	c, err := readConfig(t, `{"rate":"fast","process":"bursty","maxInFlight":-1,"promptTokens":{"dist":"x"},"outputTokens":0,"ratte":1,
		"drain":"2h","exec":"other","gracefulStop":"-1s","client":{"baseURL":"nowhere","apiKey":"k","timeouts":{"ttft":"-1s"}}}`)
	require.NoError(t, err)
	wrong := errors.Join(c.Validate()...)
	for _, want := range []string{
		`rate is "fast": write a rate`, "duration is missing", `process is "bursty": write constant or poisson`, "maxInFlight is -1",
		`promptTokens.dist is "x"`, "outputTokens.mean is 0", "ratte is no option", "client.model is empty", `client.baseURL is "nowhere"`,
		"client.apiKey would end up", "client.timeouts must not be negative", "drain", "exec is set", "gracefulStop timeout can't be negative",
	} {
		require.ErrorContains(t, wrong, want)
	}
	assert.NotContains(t, wrong.Error(), "_ns", "only names that the author can write")
	assert.NotContains(t, wrong.Error(), "rate is 1", "no mistake twice")
}

func TestNegativeLimitIsAMistake(t *testing.T) {
	c, err := readConfig(t, `{"rate":1,"duration":"1s","client":{"baseURL":"http://x","model":"m","limits":{"e2e":-1}}}`)
	require.NoError(t, err)
	assert.Len(t, c.Validate(), 1)
}
