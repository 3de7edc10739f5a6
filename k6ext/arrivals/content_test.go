package arrivals

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib/executor"

	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/scenarios/load"
)

const richOptions = `{"rate":"50/s","duration":"10s","client":{"baseURL":"http://x","model":"m","tenant":"t","limits":{"ttft":"1s"}},
	"promptTokens":{"dist":"normal","mean":64,"spread":8,"min":40},"outputTokens":{"choices":[{"tokens":8,"weight":3},{"tokens":32}]},
	"prefix":{"tokens":20,"pool":4,"zipf":1.5},"conversation":{"turns":4,"think":"2s"},"cancel":{"share":0.1,"after":"500ms"},
	"mix":[{"class":"chat","weight":3,"keyEnv":"CHAT_KEY"},
		{"class":"batch","tenant":"b","model":"big","stream":false,"promptTokens":100,"outputTokens":{"dist":"exponential","mean":50},
		 "prefix":{"tokens":0},"conversation":{"turns":{"dist":"uniform","mean":2,"spread":1},"think":{"dist":"exponential","mean":1500}},
		 "cancel":{"share":0},"limits":{"e2e":"1m"}}]}`

func TestReadableContent(t *testing.T) {
	c, err := readConfig(t, richOptions)
	require.NoError(t, err)
	require.Empty(t, c.Validate())
	p := c.Plan
	assert.Equal(t, load.Length{Dist: load.Normal, Mean: 64, Spread: 8, Min: 40, Max: 1280}, p.Prompt)
	assert.Equal(t, load.Length{Dist: load.Choices, Choices: []load.Choice{{Tokens: 8, Weight: 3}, {Tokens: 32, Weight: 1}}}, p.Output)
	assert.Equal(t, &load.Prefix{Tokens: 20, Pool: 4, Zipf: 1.5}, p.Prefix)
	assert.Equal(t, &load.Conversation{Turns: load.Length{Dist: load.Fixed, Mean: 4}, Think: load.Think{Mean: 2 * time.Second}}, p.Conversation)
	assert.Equal(t, &load.Cancel{Share: 0.1, After: 500 * time.Millisecond}, p.Cancel)
	assert.Equal(t, []load.Class{
		{Name: "chat", Weight: 3, KeyEnv: "CHAT_KEY"},
		{Name: "batch", Weight: 1, Tenant: "b", Model: "big", Stream: new(false), Prompt: load.Length{Dist: load.Fixed, Mean: 100},
			Output: load.Length{Dist: load.Exponential, Mean: 50, Min: 1, Max: 1000}, Prefix: &load.Prefix{Group: 2},
			Conversation: &load.Conversation{Turns: load.Length{Dist: load.Uniform, Mean: 2, Spread: 1}, Think: load.Think{Dist: load.Exponential, Mean: 1500 * time.Millisecond}},
			Cancel:       &load.Cancel{}},
	}, p.Mix)
	assert.Equal(t, map[string]load.Limits{"batch": {E2E: time.Minute}}, c.ClassLimits)

	raw, err := json.Marshal(c)
	require.NoError(t, err)
	again, err := readConfig(t, string(raw))
	require.NoError(t, err)
	assert.Equal(t, c.ArrivalsOptions, again.ArrivalsOptions, "what k6 writes back means the same")
	assert.Empty(t, again.Validate())
}

func TestReadableContentMistakes(t *testing.T) {
	c, err := readConfig(t, `{"rate":1,"duration":"1s","client":{"baseURL":"http://x"},"promptTokens":{"choices":[{"tokens":0}]},
		"prefix":{"pool":3,"size":4},"conversation":{"turns":2,"think":"long"},"cancel":{"share":2,"afterTokens":4,"after":"1s"},
		"mix":[{"class":"a","limits":{"ttft":-1}},{"class":"a","weight":"heavy"}]}`)
	require.NoError(t, err)
	wrong := errors.Join(c.Validate()...).Error()
	for _, want := range []string{
		"promptTokens.choices[0].tokens is 0", "prefix.size is no option", "prefix.tokens is 0", `conversation.think is "long"`, "cancel.share is 2",
		"cancel has both after and afterTokens", "mix[0].limits must not be negative", "mix[0].model is empty", "mix[1].class is \"a\" once more", `mix[1].weight is "heavy"`,
	} {
		assert.Contains(t, wrong, want)
	}
}

// Limits for a class that nobody sends would be a promise nobody checks.
func TestLimitsOfUnknownClasses(t *testing.T) {
	c, err := readConfig(t, richOptions)
	require.NoError(t, err)
	c.ClassLimits = map[string]load.Limits{"batch": {TTFT: -1}, "bach": {}}
	assert.Len(t, c.Validate(), 2)
}

func TestClassesGetTheirKeysAndLimits(t *testing.T) {
	c, err := readConfig(t, richOptions)
	require.NoError(t, err)
	e := &Executor{config: c}
	e.config.BaseConfig = executor.NewBaseConfig("load", Type)
	env := func(name string) (string, bool) {
		return map[string]string{"CHAT_KEY": "sk-1"}[name], name == "CHAT_KEY"
	}
	got, err := e.classes("sk-all", env)
	require.NoError(t, err)
	assert.Equal(t, []client.Class{
		{Name: "chat", Model: "m", Tenant: "t", Stream: true, Key: "sk-1", Limits: load.Limits{TTFT: time.Second}},
		{Name: "batch", Model: "big", Tenant: "b", Key: "sk-all", Limits: load.Limits{E2E: time.Minute}},
	}, got)
	_, err = e.classes("", func(string) (string, bool) { return "", false })
	require.ErrorContains(t, err, "plan.mix[0].key_env names the environment variable CHAT_KEY, which is not set")
	e.config.Plan.Mix = nil
	got, err = e.classes("", env)
	require.NoError(t, err)
	assert.Empty(t, got)
}
