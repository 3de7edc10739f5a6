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
		`rate is "fast": write a rate`, "duration is missing", `process is "bursty": write constant, poisson, gamma,`, "maxInFlight is -1",
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

func TestReadableArrivals(t *testing.T) {
	const rest = `,"duration":"30s","client":{"baseURL":"http://x","model":"m"}}`
	for raw, want := range map[string]load.Arrivals{
		`{"rate":"50/s","process":"gamma","cv":2`:                              {Process: load.Gamma, Rate: 50, CV: 2},
		`{"rate":"50/s","process":"onoff","on":"5s","off":"20s","floor":"2/s"`: {Process: load.OnOff, Rate: 50, On: 5 * time.Second, Off: 20 * time.Second, Floor: 2},
		`{"rate":"50/s","stages":[{"duration":"10s","target":"150/s"},{"duration":0,"target":300}],"spikes":[{"at":"5s","duration":"2s","rate":"500/s"}]`: {
			Process: load.Poisson, Rate: 50, Stages: []load.Stage{{For: 10 * time.Second, To: 150}, {To: 300}},
			Spikes: []load.Spike{{At: 5 * time.Second, For: 2 * time.Second, Rate: 500}}},
		`{"process":"closed","concurrency":2000,"think":"1s"`: {Process: load.Closed, Concurrency: 2000, Think: time.Second},
		`{"process":"trace","trace":{"file":"x.csv","format":"azure","speed":2,"from":"5m","limit":10,"jitter":"3s","sha256":"ab"}`: {
			Process: load.Replay, Trace: &load.TraceFile{File: "x.csv", Format: "azure", Speed: 2, From: 5 * time.Minute, Limit: 10, Jitter: 3 * time.Second, SHA256: "ab"}},
		`{"like":"azure-2023-conversation"`:                     {Process: load.Gamma, Rate: 5.53, CV: 1.09},
		`{"like":"azure-2023-conversation","process":"poisson"`: {Process: load.Poisson, Rate: 5.53},
	} {
		c, err := readConfig(t, raw+rest)
		require.NoError(t, err)
		require.Empty(t, c.Validate(), raw)
		assert.Equal(t, want, c.Plan.Arrivals)
		assert.NotEmpty(t, c.GetDescription(nil))
		written, err := json.Marshal(c)
		require.NoError(t, err)
		again, err := readConfig(t, string(written))
		require.NoError(t, err)
		assert.Equal(t, c.ArrivalsOptions, again.ArrivalsOptions)
	}
	c, err := readConfig(t, `{"like":"azure-2023-conversation","outputTokens":9`+rest)
	require.NoError(t, err)
	assert.InDelta(t, 1236.4, c.Plan.Prompt.Mean, 0.5)
	assert.InDelta(t, 9, c.Plan.Output.Mean, 0)
	for _, raw := range []string{
		`{"process":"closed","concurrency":2,"think":"1s","cancel":{"share":0.1,"after":"1s"},"mix":[{"class":"a"},{"class":"b","prefix":{"tokens":9,"pool":2}}]`,
		`{"process":"trace","trace":{"file":"x"},"cancel":{"share":0.1,"after":"1s"}`,
		`{"rate":5,"stages":[{"duration":"3s","target":9}],"conversation":{"turns":2,"think":"1s"}`,
		`{"like":"azure-2023-code","mix":[{"class":"a"},{"class":"b","outputTokens":9}]`,
	} {
		c, err := readConfig(t, raw+rest)
		require.NoError(t, err)
		require.Empty(t, c.Validate(), raw)
	}
	for raw, want := range map[string]string{
		`{"process":"gamma","rate":5`:                                                                       "cv is 0",
		`{"process":"closed","rate":5,"concurrency":2`:                                                      "rate is 5: process closed has no rate",
		`{"rate":5,"stages":[{"duration":"30h","target":1}]`:                                                "stages[0].duration is 30h0m0s",
		`{"rate":5,"stages":[{"duration":"3s","target":-1}]`:                                                `stages[0].target is`,
		`{"rate":5,"stages":[{"for":"3s","target":1}]`:                                                      "stages[0].for is no option",
		`{"rate":5,"spikes":[{"at":"3s","rate":1}]`:                                                         "spikes[0].duration is 0s",
		`{"process":"trace","promptTokens":5,"trace":{"file":"x"}`:                                          "promptTokens stands beside a trace",
		`{"process":"trace","trace":{"flie":"x"}`:                                                           "trace.flie is no option",
		`{"process":"trace"`:                                                                                "trace.file is empty",
		`{"process":"trace","trace":{"file":"x"},"prefix":{"tokens":9,"pool":2}`:                            "prefix stands beside a trace, which has the prompts of its own requests: remove it, or write another process",
		`{"process":"trace","trace":{"file":"x"},"mix":[{"class":"a"}]`:                                     "mix stands beside a trace",
		`{"process":"trace","trace":{"file":"x"},"conversation":{"turns":2,"think":"1s"}`:                   "conversation stands beside a trace",
		`{"process":"closed","concurrency":2,"conversation":{"turns":2,"think":"1s"}`:                       "conversation stands beside a closed loop",
		`{"process":"closed","concurrency":2,"mix":[{"class":"a","conversation":{"turns":2,"think":"1s"}}]`: "mix[0].conversation stands beside a closed loop",
		`{"like":"azure"`:              `like is "azure": write one of azure-2023-code`,
		`{"like":"mooncake-synthetic"`: "rate is missing",
	} {
		c, err := readConfig(t, raw+rest)
		require.NoError(t, err)
		require.ErrorContains(t, errors.Join(c.Validate()...), want, raw)
		assert.NotContains(t, errors.Join(c.Validate()...).Error(), "arrivals.")
	}
}
