package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// rich says everything that may be said of what is sent.
const rich = `apiVersion: brownout/v1
name: rich
question: Who is served while batch jobs flood the server?
load:
  arrivals: {rate: 100/s}
  prompt_tokens: {dist: normal, mean: 512, spread: 128, min: 300}
  output_tokens: {choices: [{tokens: 16, weight: 3}, {tokens: 128}]}
  prefix: {tokens: 256, pool: 20, zipf: 1.0}
  conversation: {turns: {choices: [{tokens: 1}, {tokens: 5}]}, think: {dist: exponential, mean: 2s}}
  cancel: {share: 5%, after: 500ms}
  mix:
    - {class: chat, weight: 3, tenant: a, key_env: TEAM_A_KEY}
    - class: batch
      tenant: b
      model: big
      stream: false
      prompt_tokens: 4096
      output_tokens: {dist: exponential, mean: 200, max: 400}
      prefix: {tokens: 0}
      conversation: {turns: 1, think: 1s}
      cancel: {share: 0%}
phases:
  - {name: warmup, for: 5s, quiet: true}
  - {name: steady, for: 20s}
slo:
  limits: {ttft: 1s, e2e: 10s}
  gates:
    run: [goodput >= 99%, p99 itl <= 1s]
  classes:
    batch:
      limits: {e2e: 60s}
      expected: [rate_limited]
      gates:
        run: [goodput >= 90%]
        steady: [p99 e2e <= 60s, count rate_limited >= 1]
`

func TestParseContent(t *testing.T) {
	s := parse(t, rich)
	require.NoError(t, s.Load.Validate())
	assert.Equal(t, load.Length{Dist: load.Normal, Mean: 512, Spread: 128, Min: 300, Max: 10_240}, s.Load.Prompt)
	assert.Equal(t, load.Length{Dist: load.Choices, Choices: []load.Choice{{Tokens: 16, Weight: 3}, {Tokens: 128, Weight: 1}}}, s.Load.Output)
	assert.Equal(t, &load.Prefix{Tokens: 256, Pool: 20, Zipf: 1}, s.Load.Prefix)
	assert.Equal(t, &load.Conversation{Turns: load.Length{Dist: load.Choices, Choices: []load.Choice{{Tokens: 1, Weight: 1}, {Tokens: 5, Weight: 1}}},
		Think: load.Think{Dist: load.Exponential, Mean: 2 * time.Second}}, s.Load.Conversation)
	assert.Equal(t, &load.Cancel{Share: 0.05, After: 500 * time.Millisecond}, s.Load.Cancel)
	require.Len(t, s.Load.Mix, 2)
	assert.Equal(t, load.Class{Name: "chat", Weight: 3, Tenant: "a", KeyEnv: "TEAM_A_KEY"}, s.Load.Mix[0])
	assert.Equal(t, load.Class{Name: "batch", Weight: 1, Tenant: "b", Model: "big", Stream: new(false), Prompt: load.Length{Dist: load.Fixed, Mean: 4096},
		Output: load.Length{Dist: load.Exponential, Mean: 200, Min: 1, Max: 400}, Prefix: &load.Prefix{Group: 2},
		Conversation: &load.Conversation{Turns: load.Length{Dist: load.Fixed, Mean: 1}, Think: load.Think{Dist: load.Fixed, Mean: time.Second}},
		Cancel:       &load.Cancel{}}, s.Load.Mix[1])

	assert.Equal(t, map[string]slo.Class{"batch": {Limits: slo.Limits{E2E: time.Minute}, Expected: []record.Outcome{record.RateLimited}}}, s.SLO.Classes)
	var gates []string
	for _, g := range s.SLO.Gates {
		gates = append(gates, fmt.Sprintf("%s: %s:%d", g.Place(), g.Text, g.Line))
	}
	assert.Equal(t, []string{"run: goodput >= 99%:28", "run: p99 itl <= 1s:28", "batch · steady: p99 e2e <= 60s:35",
		"batch · steady: count rate_limited >= 1:35", "batch · run: goodput >= 90%:34"}, gates)
	assert.Equal(t, time.Minute, s.Drain(), "until the last class is late whatever comes")
	assert.Equal(t, 2*time.Minute, s.Client.Total, "twice the longest limit")

	o := s.Arrivals(load.Client{}, "r", "", "")
	assert.Equal(t, map[string]load.Limits{"batch": {E2E: time.Minute}}, o.ClassLimits, "the client stamps harm by them")
	assert.Equal(t, 10*time.Second, parse(t, rich, "slo.classes.batch={}").Drain(), "a class that promises nothing else keeps the load's limits")
	assert.Equal(t, 120*time.Second, parse(t, rich, "slo.classes.chat.limits={ttft: 1s}").Drain(), "one without an e2e limit waits for the client's patience")
}

func TestWithSeedCopiesWhatIsSent(t *testing.T) {
	s := parse(t, rich)
	c := s.WithSeed(9)
	c.Load.Mix[0].Name, c.Load.Prefix.Pool, c.Load.Output.Choices[0].Tokens = "x", 1, 1
	c.Load.Conversation.Turns.Choices[0].Tokens, c.Load.Mix[1].Cancel.Share = 9, 1
	*c.Load.Mix[1].Stream = true
	c.SLO.Classes["batch"] = slo.Class{}
	assert.Equal(t, parse(t, rich), s)
}

func TestSchemaAcceptsRichContent(t *testing.T) {
	sc := schema(t)
	require.NoError(t, sc.Validate(instance(t, []byte(rich))))
	for _, m := range contentMistakes() {
		if strings.HasPrefix(m[0], "schema: ") {
			assert.Error(t, sc.Validate(instance(t, []byte(strings.Replace(rich, m[1], m[2], 1)))), m[0])
		}
	}
}

// contentMistakes plants one mistake a row into rich; answers are in testdata/content.golden.
func contentMistakes() [][3]string {
	return [][3]string{
		{"schema: unknown key of a mix", "tenant: a", "tennant: a"},
		{"schema: class without a name", "class: chat, ", ""},
		{"class with a bad name", "class: chat", "class: Chat One"},
		{"class twice", "class: batch\n", "class: chat\n"},
		{"schema: negative weight", "weight: 3, tenant", "weight: -3, tenant"},
		{"no environment variable", "TEAM_A_KEY", "team a key"},
		{"length of a class", "prompt_tokens: 4096", "prompt_tokens: {dist: uniform, mean: 10, spread: 20}"},
		{"no length anywhere", "  prompt_tokens: {dist: normal, mean: 512, spread: 128, min: 300}\n", ""},
		{"normal without deviation", "spread: 128, ", ""},
		{"exponential with a spread", "mean: 200, max", "mean: 200, spread: 1, max"},
		{"choice of nothing", "{tokens: 16, weight: 3}", "{tokens: 0, weight: 3}"},
		{"choices and a mean", "{choices: [{tokens: 16", "{mean: 5, choices: [{tokens: 16"},
		{"choices of a uniform", "{choices: [{tokens: 16", "{dist: uniform, mean: 5, choices: [{tokens: 16"},
		{"prefix without a pool", "pool: 20, ", ""},
		{"schema: zipf below zero", "zipf: 1.0", "zipf: -1"},
		{"prefix longer than a prompt", "tokens: 256, pool", "tokens: 300, pool"},
		{"no turns", "turns: 1, think", "think"},
		{"no think time", "turns: 1, think: 1s", "turns: 1"},
		{"think of text", "turns: 1, think: 1s", "turns: 1, think: long"},
		{"think of zero", "turns: 1, think: 1s", "turns: 1, think: 0s"},
		{"schema: unknown think", "dist: exponential, mean: 2s", "dist: poisson, mean: 2s"},
		{"too many turns", "{tokens: 5}]", "{tokens: 5000}]"},
		{"conversations for days", "mean: 2s", "mean: 1h"},
		{"cancel at no time", "after: 500ms", ""},
		{"cancel twice", "after: 500ms", "after: 500ms, after_tokens: 4"},
		{"cancel of more than all", "share: 5%", "share: 500%"},
		{"cancel by tokens without a stream", "cancel: {share: 0%}", "cancel: {share: 1%, after_tokens: 4}"},
		{"empty mix", rich[strings.Index(rich, "  mix:\n")+len("  mix:") : strings.Index(rich, "phases:")], " []\n"},
		{"unknown class", "    batch:\n      limits", "    batsh:\n      limits"},
		{"limit that needs a stream", "limits: {e2e: 60s}", "limits: {ttft: 2s}"},
		{"limit of zero", "limits: {e2e: 60s}", "limits: {e2e: 0s}"},
		{"unknown outcome", "expected: [rate_limited]", "expected: [rate_limit]"},
		{"recovery of a class", "        run: [goodput >= 90%]", "        recovery: [ttr <= 5s]"},
		{"gate that needs a stream", "goodput >= 90%", "p99 ttft <= 1s"},
		{"gate of an unknown phase", "        steady: [", "        stedy: ["},
		{"gaps of a class", "    batch:\n      limits: {e2e: 60s}\n      expected: [rate_limited]\n      gates:\n        run: [goodput >= 90%]", "    chat:\n      gates:\n        run: [p99 itl <= 1s]"},
	}
}

func TestContentMistakes(t *testing.T) {
	var all strings.Builder
	for _, m := range contentMistakes() {
		require.Contains(t, rich, m[1], m[0])
		_, err := Parse("rich.yaml", []byte(strings.Replace(rich, m[1], m[2], 1)), nil)
		require.Error(t, err, m[0])
		fmt.Fprintf(&all, "# %s\n%s\n\n", strings.TrimPrefix(m[0], "schema: "), err)
		problems, ok := errors.AsType[yamlx.Problems](err)
		require.True(t, ok)
		for _, p := range problems {
			assert.NotEmpty(t, p.Mend, "%s: %s", m[0], p)
			assert.NotZero(t, p.Line, "%s: %s", m[0], p)
		}
	}
	golden(t, "content.golden", all.String())
}

func TestAllContentMistakesAtOnce(t *testing.T) {
	text := strings.NewReplacer("pool: 20", "pool: 0", "after: 500ms", "after: 0s", "weight: 3, tenant", "weight: -1, tenant",
		"class: batch", "class: B", "goodput >= 90%", "goodput", "    batch:\n", "    nobody:\n", "max: 400", "max: 4").Replace(rich)
	_, err := Parse("rich.yaml", []byte(text), nil)
	problems, _ := errors.AsType[yamlx.Problems](err)
	assert.Len(t, problems, 6, "%v", err)
}

func TestExplainContent(t *testing.T) {
	golden(t, "explain-rich.golden", Explain(parse(t, rich), ExplainInfo{Saturation: 150, Minus1: 120}))
	s := parse(t, rich, "load.mix=[{class: only, stream: true}]", "load.cancel={share: 50%, after_tokens: 100}", "load.conversation={turns: 5, think: 2s}",
		"load.prefix.zipf=0", "load.arrivals.rate=3/s", "slo.classes={only: {limits: {ttft: 1s}, gates: {run: [p99 ttft <= 1s]}}}", "load.output_tokens=64")
	text := strings.Join(strings.Fields(Explain(s, ExplainInfo{})), " ")
	assert.Contains(t, text, "only 100% of the requests")
	assert.Contains(t, text, "0.6 start every second")
	assert.Contains(t, text, "drawn all alike")
	assert.Contains(t, text, "! only: an answer has 64 tokens on average, so hanging up after 100 seldom happens.")
	assert.Contains(t, text, "only · run")
}
