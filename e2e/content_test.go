package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
)

func scenarioFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

const mixed = `apiVersion: brownout/v1
name: mixed
question: Are conversations, batch jobs and people who hang up answered word for word?
load:
  arrivals: {rate: 30/s}
  prompt_tokens: {dist: normal, mean: 100, spread: 20, min: 60}
  output_tokens: {choices: [{tokens: 8, weight: 3}, {tokens: 24}]}
  prefix: {tokens: 40, pool: 4, zipf: 1}
  mix:
    - {class: chat, weight: 3, tenant: a, conversation: {turns: {choices: [{tokens: 1}, {tokens: 5}]}, think: 500ms}, cancel: {share: 20%, after_tokens: 4}}
    - {class: batch, tenant: b, key_env: BATCH_KEY, stream: false, prompt_tokens: 400}
phases: [{name: all, for: 6s}]
slo:
  limits: {ttft: 5s, e2e: 20s}
  gates: {run: [count corrupt == 0, count truncated == 0, count cancelled >= 5]}
  classes:
    batch: {limits: {e2e: 1ms}, gates: {run: [goodput <= 0%]}}
    chat: {gates: {run: [goodput >= 80%]}}
`

// Every token of every answer was compared with what the model must say to that very prompt: shared prefix,
// history and all. Each class was judged by itself.
func TestE2EContentIsExact(t *testing.T) {
	_, r := Run(t, []string{"BATCH_KEY=k"}, scenarioFile(t, "mixed", mixed))
	for _, g := range r.Judgement.Gates { // whatever the machine's noise does to the verdict
		assert.EqualValues(t, "pass", g.Verdict, "%s: %s", g.Place(), g.Why)
	}
	require.Len(t, r.Judgement.Classes, 2)
	batch, chat := r.Judgement.Classes[0], r.Judgement.Classes[1]
	assert.Equal(t, []string{"batch", "chat"}, []string{batch.Class, chat.Class})
	assert.Equal(t, r.Judgement.Run.Due, batch.Run.Due+chat.Run.Due)
	assert.Zero(t, batch.Run.Outcomes["cancelled"])
	assert.Positive(t, chat.Run.Outcomes["ok"])

	a := Call(t, time.Minute, nil, "run", "--out", t.TempDir(), scenarioFile(t, "mixed", mixed))
	assert.Equal(t, 1, a.Code, "a key that is not there is no guess")
	assert.Contains(t, a.Stderr, "BATCH_KEY")
}

const hangUps = `apiVersion: brownout/v1
name: hang-ups
question: Does a server stop when nobody listens any more?
load:
  arrivals: {process: constant, rate: 5/s}
  prompt_tokens: 32
  output_tokens: 400
  cancel: {share: 100%, after_tokens: 2}
phases: [{name: all, for: 4s}]
slo: {limits: {e2e: 60s}, gates: {run: [count cancelled >= 1]}}
`

// generated is how many tokens the server's engines made.
func generated(t *testing.T, r result.Result) (tokens float64) {
	t.Helper()
	nodes, ok := r.Target.State["nodes"].([]any)
	require.True(t, ok)
	for _, n := range nodes {
		for _, replica := range n.(map[string]any)["replicas"].([]any) {
			one := replica.(map[string]any)
			assert.InDelta(t, 0, one["running"], 0, "nothing runs any more")
			assert.InDelta(t, 0, one["kv_usage"], 0, "no KV block is held")
			tokens += one["output_tokens_total"].(float64)
		}
	}
	return tokens
}

// A planned hang-up reaches the engine: it stops long before the answer's end.
func TestE2EHangUpsFreeTheServer(t *testing.T) {
	file := scenarioFile(t, "hang-ups", hangUps)
	const planned = 20 * 400
	_, r := Run(t, nil, file)
	assert.Equal(t, map[string]int{"cancelled": 20}, r.Judgement.Run.Outcomes)
	assert.Less(t, generated(t, r), planned/2.0)

	_, r = Run(t, nil, file, "--set", "load.cancel.share=0%", "--set", "slo.gates={run: [goodput >= 0%]}")
	assert.Equal(t, map[string]int{"ok": 20}, r.Judgement.Run.Outcomes, "negative control: those who listen hear it all")
	assert.InDelta(t, planned, generated(t, r), 0)
}
