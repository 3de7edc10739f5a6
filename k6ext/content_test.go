package k6ext

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/record"
)

// A mix in a plain k6 test: records tell classes, tenants and models apart, and so do thresholds.
func TestMixInPlainK6(t *testing.T) {
	server := &fakellm.Server{}
	mix := []any{
		map[string]any{"class": "chat", "weight": 3, "tenant": "a"},
		map[string]any{"class": "batch", "model": "big", "stream": false, "limits": map[string]any{"e2e": "1ns"}},
	}
	scenario := map[string]any{
		"executor": "brownout-arrivals", "run": "r1", "rate": "60/s", "duration": "1500ms", "seed": 5, "promptTokens": 16, "outputTokens": 8,
		"client": map[string]any{"baseURL": serve(t, server), "model": "m", "exact": true}, "mix": mix,
	}
	script := func(share string) string {
		return `import 'k6/x/brownout';
			export const options = { thresholds: { 'brownout_goodput{class:chat}': ['rate==1'], 'brownout_goodput{class:batch}': ['rate` + share + `'] } };
			export default function () {}`
	}
	o := trial{load: scenario, script: script("==0")}.run(t)
	require.Equal(t, 0, o.code, "%s", o.text)
	seen := map[string]int{}
	for i := range o.shard.Records {
		r := &o.shard.Records[i]
		require.Equal(t, record.OK, r.Outcome, r.Note)
		want := map[string][]any{"chat": {"a", "m", true, true}, "batch": {"", "big", false, false}}[r.Class]
		require.Equal(t, want, []any{r.Tenant, r.Model, r.Streaming, r.Good()}, r.Class)
		seen[r.Class]++
	}
	assert.Len(t, seen, 2)
	assert.Greater(t, seen["chat"], seen["batch"])

	o = trial{load: scenario, script: script("==1")}.run(t)
	assert.Equal(t, 99, o.code, "negative control: a threshold on one class sees that class. %s", o.text)
}
