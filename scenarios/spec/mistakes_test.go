package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

const base = `apiVersion: brownout/v1
name: gpu-oom
question: Who notices?
target:
  refserver: {preset: chat-8b, resilience: full}
load:
  arrivals: {process: poisson, rate: 130/s}
  prompt_tokens: 512
  output_tokens: 64
  stream: true
phases:
  - {name: warmup, for: 5s, quiet: true}
  - {name: before, for: 12s}
  - {name: fault, for: 12s}
  - {name: after, for: 12s}
faults:
  - {at: fault+1s, inject: "gpu.oom on gpu=n2/g1 for 10s reserve=99.5%"}
slo:
  limits: {ttft: 1s, tpot: 100ms, max_gap: 1s, e2e: 10s}
  objective: 90%
  recovery: {hold: 3s, horizon: 20s}
  gates:
    before: [goodput >= 99%, p99 ttft <= 1s]
    run: [count truncated == 0]
    recovery: [ttr <= 5s]
timeouts: {connect: 2s, ttft: 10s, stall: 5s, total: 30s}
seed: 1
`

// mistakes plants one mistake a row: what it is, the text replaced, its replacement. How each is answered
// is in testdata/mistakes.golden; every answer is a sentence with a line and a mend.
func mistakes() [][3]string {
	return [][3]string{
		{"another format", "brownout/v1", "brownout/v2"},
		{"no format", "apiVersion: brownout/v1\n", ""},
		{"no name", "name: gpu-oom\n", ""},
		{"name in capitals", "name: gpu-oom", "name: GPU-OOM"},
		{"name that ends in a dash", "name: gpu-oom", "name: gpu-"},
		{"no question", "question: Who notices?\n", ""},
		{"misspelt key", "question:", "qestion:"},
		{"unknown resilience", "resilience: full", "resilience: ful"},
		{"unknown topology", "resilience: full", "topology: process"},
		{"config and preset", "preset: chat-8b", "preset: chat-8b, config: x.yaml"},
		{"no rate", "rate: 130/s", ""},
		{"zero rate", "130/s", "0/s"},
		{"rate without unit", "130/s", "130"},
		{"rate beyond the cap", "130/s", "2000000/s"},
		{"more requests than a run keeps", "130/s}\n  prompt_tokens: 512\n  output_tokens: 64\n  stream: true\nphases:\n  - {name: warmup, for: 5s", "1000/s}\n  prompt_tokens: 512\n  output_tokens: 64\nphases:\n  - {name: warmup, for: 20h"},
		{"rate of less than one request", "130/s", "1/h"},
		{"unknown process", "process: poisson", "process: poison"},
		{"no prompt", "  prompt_tokens: 512\n", ""},
		{"prompt of zero", "prompt_tokens: 512", "prompt_tokens: 0"},
		{"prompt of text", "prompt_tokens: 512", "prompt_tokens: many"},
		{"prompt of two million", "prompt_tokens: 512", "prompt_tokens: 2000000"},
		{"unknown distribution", "prompt_tokens: 512", "prompt_tokens: {dist: pareto, mean: 512}"},
		{"no distribution", "prompt_tokens: 512", "prompt_tokens: {mean: 512}"},
		{"fixed with a spread", "prompt_tokens: 512", "prompt_tokens: {dist: fixed, mean: 512, spread: 3}"},
		{"uniform wider than its mean", "prompt_tokens: 512", "prompt_tokens: {dist: uniform, mean: 512, spread: 600}"},
		{"lognormal without sigma", "prompt_tokens: 512", "prompt_tokens: {dist: lognormal, mean: 512}"},
		{"lognormal with a sigma of tokens", "prompt_tokens: 512", "prompt_tokens: {dist: lognormal, mean: 512, spread: 100}"},
		{"bounds in disorder", "prompt_tokens: 512", "prompt_tokens: {dist: lognormal, mean: 512, spread: 0.5, min: 600, max: 20}"},
		{"empty model", "stream: true", "model: \"\""},
		{"no flight", "stream: true", "max_in_flight: 0"},
		{"too many in flight", "stream: true", "max_in_flight: 2000000"},
		{"limits that need a stream", "stream: true", "stream: false"},
		{"no phases", "phases:\n", "phases: []\nphrases:\n"},
		{"phase without a name", "{name: before, for: 12s}", "{for: 12s}"},
		{"phase without a length", "{name: before, for: 12s}", "{name: before}"},
		{"phase too short", "{name: before, for: 12s}", "{name: before, for: 10ms}"},
		{"phase twice", "name: after", "name: before"},
		{"phase named as a scope", "name: after", "name: run"},
		{"phases longer than a day", "{name: after, for: 12s}", "{name: after, for: 24h}"},
		{"nothing judged", "phases:\n  - {name: warmup, for: 5s, quiet: true}\n  - {name: before, for: 12s}\n  - {name: fault, for: 12s}\n  - {name: after, for: 12s}\n", "phases: [{name: before, for: 41s, quiet: true}]\n"},
		{"fault in an unknown phase", "at: fault+1s", "at: fualt+1s"},
		{"fault at no time", "at: fault+1s, ", ""},
		{"fault at a wrong offset", "at: fault+1s", "at: fault+soon"},
		{"fault at a wrong time", "at: fault+1s", "at: 10"},
		{"fault before a phase", "at: fault+1s", "at: fault-1s"},
		{"fault past the end", "at: fault+1s", "at: 41s"},
		{"fault that outlasts the plan", "at: fault+1s", "at: after+5s"},
		{"fault whose hold does not fit", "at: fault+1s", "at: after+1s"},
		{"fault in warm-up", "at: fault+1s", "at: warmup"},
		{"no injection", `inject: "gpu.oom on gpu=n2/g1 for 10s reserve=99.5%"`, ""},
		{"limit of zero", "ttft: 1s, tpot", "ttft: 0s, tpot"},
		{"objective above one", "objective: 90%", "objective: 90"},
		{"objective of zero", "objective: 90%", "objective: 0%"},
		{"no bad at all", "objective: 90%", "min_bad: 0"},
		{"budget without errors", "objective: 90%", "budget: {target: 100%}"},
		{"budget of all errors", "objective: 90%", "budget: {target: 0%}"},
		{"budget of a wrong window", "objective: 90%", "budget: {window: month}"},
		{"budget of a day too many", "objective: 90%", "budget: {window: 400d}"},
		{"budget of an endless window", "objective: 90%", "budget: {window: 999999999999d}"},
		{"budget of a minute", "objective: 90%", "budget: {window: 1m}"},
		{"hold of zero", "hold: 3s", "hold: 0s"},
		{"horizon below hold", "horizon: 20s", "horizon: 1s"},
		{"unknown outcome expected", "objective: 90%", "expected: [rate_limitd]"},
		{"guard of zero", "objective: 90%", "guards: {dropped_share: 0%}"},
		{"client error of zero", "objective: 90%", "guards: {client_error_relative: 0%}"},
		{"no head-room", "objective: 90%", "guards: {headroom: 0}"},
		{"head-room below zero", "objective: 90%", "guards: {headroom: -2}"},
		{"no gates", "  gates:\n    before: [goodput >= 99%, p99 ttft <= 1s]\n    run: [count truncated == 0]\n    recovery: [ttr <= 5s]\n", ""},
		{"gate of an unknown phase", "    run: [", "    aftr: ["},
		{"gate of a quiet phase", "    run: [", "    warmup: ["},
		{"recovery without a fault", "faults:\n  - {at: fault+1s, inject: \"gpu.oom on gpu=n2/g1 for 10s reserve=99.5%\"}\n", ""},
		{"gate without a comparison", "goodput >= 99%", "goodput"},
		{"gate with a wrong operator", "goodput >= 99%", "goodput > 99%"},
		{"gate with a wrong share", "goodput >= 99%", "goodput >= 99"},
		{"gate on an unknown metric", "goodput >= 99%", "badput >= 99%"},
		{"gate without a percentile", "p99 ttft <= 1s", "ttft <= 1s"},
		{"gate on a wrong percentile", "p99 ttft <= 1s", "p100 ttft <= 1s"},
		{"gate on the percentile of a share", "p99 ttft <= 1s", "p99 goodput <= 1s"},
		{"gate with a wrong limit", "p99 ttft <= 1s", "p99 ttft <= 1"},
		{"gate from below", "p99 ttft <= 1s", "p99 ttft >= 1s"},
		{"gate on three words", "p99 ttft <= 1s", "the p99 ttft <= 1s"},
		{"gate on nothing", "p99 ttft <= 1s", "<= 1s"},
		{"count of an unknown outcome", "count truncated == 0", "count trunkated == 0"},
		{"count of a share", "count truncated == 0", "count truncated == 1%"},
		{"recovery of a share", "ttr <= 5s", "goodput >= 5%"},
		{"recovery percentile", "ttr <= 5s", "p99 ttr <= 5s"},
		{"relapses in seconds", "ttr <= 5s", "relapses <= 5s"},
		{"recovery in a phase", "goodput >= 99%", "ttr <= 5s"},
		{"trials of an unknown metric", "objective: 90%", "trials: [p99 ttr <= 1s]"},
		{"trials without a comparison", "objective: 90%", "trials: [mttr]"},
		{"trials with a wrong limit", "objective: 90%", "trials: [mttr <= 3]"},
		{"trials gated from below", "objective: 90%", "trials: [mttr >= 3s, absorbed <= 90%]"},
		{"trials that are all absorbed", "objective: 90%", "trials: [absorbed >= 100%]"},
		{"timeout of zero", "connect: 2s", "connect: 0s"},
		{"timeout of two hours", "total: 30s", "total: 2h"},
		{"timeout before its limit", "total: 30s", "total: 5s"},
		{"negative seed", "seed: 1", "seed: -1"},
		{"variant without a name", "seed: 1", "variants: [{set: [load.stream=true]}]"},
		{"variant twice", "seed: 1", "variants: [{name: full}, {name: full}]"},
		{"variant of an unknown key", "seed: 1", "variants: [{name: full}, {name: none, set: [target.refserver.resilence=none]}]"},
		{"variant with a wrong value", "seed: 1", "variants: [{name: full}, {name: none, set: [target.refserver.resilience=non]}]"},
		{"variant that breaks another line", "seed: 1", "variants: [{name: full}, {name: short, set: [\"phases[3].for=1s\"]}]"},
		{"variant that assigns nothing", "seed: 1", "variants: [{name: full}, {name: none, set: [load.stream]}]"},
		{"variant of variants", "seed: 1", "variants: [{name: full}, {name: none, set: [\"variants[0].name=x\"]}]"},
		{"variant with a seed", "seed: 1", "variants: [{name: full}, {name: none, set: [seed=2]}]"},
		{"variant expected to do something else", "seed: 1", "variants: [{name: full}, {name: none, expect: fial}]"},
		{"control first", "seed: 1", "variants: [{name: none, expect: fail}]"},
		{"not YAML", "phases:", "phases: ["},
	}
}

func TestMistakes(t *testing.T) {
	_, err := Parse("gpu-oom.yaml", []byte(base), nil)
	require.NoError(t, err, "the base has none")
	var all strings.Builder
	for _, m := range mistakes() {
		require.Contains(t, base, m[1], m[0])
		_, err := Parse("gpu-oom.yaml", []byte(strings.Replace(base, m[1], m[2], 1)), nil)
		require.Error(t, err, m[0])
		fmt.Fprintf(&all, "# %s\n%s\n\n", m[0], err)
		problems, ok := errors.AsType[yamlx.Problems](err)
		require.True(t, ok)
		for _, p := range problems {
			assert.NotEmpty(t, p.Mend, "%s: %s", m[0], p)
			assert.NotZero(t, p.Line, "%s: %s", m[0], p)
			assert.Equal(t, "gpu-oom.yaml", p.File)
		}
	}
	golden(t, "mistakes.golden", all.String())
}

// The words of a wrong fault are faults' own; that each mistake has its line and mend is ours.
func TestWrongFaults(t *testing.T) {
	for wrong, want := range map[string]int{
		"gpu.ooom on gpu=n2/g1 for 10s": 1, "gpu.oom for 10s": 1, "gpu.oom on gpu=n2/g1 for ever reserve=lots": 2, "nonsense": 3,
	} {
		_, err := Parse("f.yaml", []byte(strings.Replace(base, "gpu.oom on gpu=n2/g1 for 10s reserve=99.5%", wrong, 1)), nil)
		problems, ok := errors.AsType[yamlx.Problems](err)
		require.True(t, ok, wrong)
		assert.Len(t, problems, want, "%v", err)
		for _, p := range problems {
			assert.Equal(t, "f.yaml:17:28", p.Position.String())
			assert.Equal(t, "faults[0].inject", p.Path)
			assert.Contains(t, p.What, "of the fault, ")
			assert.NotEmpty(t, p.Mend, p.What)
		}
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	text := strings.NewReplacer("130/s", "fast", "name: gpu-oom", "name: X", "at: fault+1s", "at: nowhere", "qu", "Qu",
		"goodput >= 99%", "goodput", "ttr <= 5s", "ttx <= 5s", "connect: 2s", "connect: 0s", "for: 12s", "for: 1ms").Replace(base)
	_, err := Parse("all.yaml", []byte(text), []string{"slo.objective=2", "load.streem=true"})
	require.Error(t, err)
	golden(t, "all.golden", err.Error()+"\n")
}
