package openai

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

// encoding/json is the oracle: what we write must read back as what it would have written.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", " word", "\"\\\n\r\t\x00\x1f\x7f", "né光😀", "\xff\xc3(", "\u2028<>&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		theirs, err := json.Marshal(s)
		require.NoError(t, err)
		var want, got string
		require.NoError(t, json.Unmarshal(theirs, &want))
		require.NoError(t, json.Unmarshal(appendString(nil, s), &got))
		assert.Equal(t, want, got)
	})
}

func FuzzParse(f *testing.F) {
	h := newHandler(Defaults(), enginetest.New())
	for _, s := range []string{
		hello + `}`, `{}`, `[]`, `null`, ``, hello + `,"stop":["a","b"]}`, hello + `,"stop":3}`, hello + `,"n":0}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}`,
		hello + `,"max_tokens":-1}`, hello + `,"seed":18446744073709551615}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, p := h.parse(body)
		if p != nil {
			assert.Contains(t, []int{400, 404}, p.status)
			assert.NotEmpty(t, p.text)
			return
		}
		assert.Positive(t, a.PromptTokens)
		assert.True(t, a.MaxTokens >= 1 && a.MaxTokens <= Defaults().MaxTokens)
		assert.LessOrEqual(t, len(a.Stop), maxStops)
	})
}

func TestParseNamesTheField(t *testing.T) {
	h := newHandler(Defaults(), enginetest.New())
	for body, param := range map[string]string{
		hello + `,"n":2}`: "n", hello + `,"tools":[{}]}`: "tools", hello + `,"logprobs":true}`: "logprobs",
		hello + `,"response_format":{"type":"json_object"}}`: "response_format",
		hello + `,"presence_penalty":0.5}`:                   "presence_penalty", hello + `,"frequency_penalty":-1}`: "frequency_penalty",
		hello + `,"temperature":3}`: "temperature", hello + `,"top_p":0}`: "top_p",
		hello + `,"stream_options":{}}`: "stream_options", hello + `,"stop":["a","b","c","d","e"]}`: "stop",
		hello + `,"stop":[""]}`: "stop", hello + `,"stop":7}`: "stop", hello + `,"max_tokens":0}`: "max_tokens",
		hello + `,"max_completion_tokens":99999}`: "max_completion_tokens", hello + `,"seed":"x"}`: "seed",
		`{"model":"m","messages":[]}`:                               "messages",
		`{"model":"m","messages":[{"role":"robot"}]}`:               "messages",
		`{"model":"m","messages":[{"role":"user","content":{}}]}`:   "messages",
		`{"messages":[{"role":"user","content":"x"}]}`:              "model",
		`{"model":"no","messages":[{"role":"user","content":"x"}]}`: "model",
	} {
		_, p := h.parse([]byte(body))
		if assert.NotNil(t, p, body) {
			assert.Equal(t, param, p.param, body)
			assert.Contains(t, p.text, param)
		}
	}
	a, p := h.parse([]byte(hello + `,"n":1,"tools":[],"logprobs":false,"response_format":{"type":"text"},"presence_penalty":0,"stop":"x","max_completion_tokens":7,"ignore_eos":true,"seed":9}`))
	require.Nil(t, p)
	assert.Equal(t, ask{Request: engine.Request{
		Model: "m", Prompt: " hello", PromptTokens: 2, MaxTokens: 7, Stop: []string{"x"}, IgnoreEOS: true, Seed: 9,
	}}, a)
}

func TestConfigValidates(t *testing.T) {
	n := 0
	Config{}.Validate(func(string, string, string) { n++ })
	assert.Equal(t, 7, n)
	Defaults().Validate(func(key, what, _ string) { assert.Fail(t, key, what) })
}

func BenchmarkContent(b *testing.B) {
	e := newEncoder("chatcmpl-0123456789", "llama-3.1-8b", 1)
	b.ReportAllocs()
	for b.Loop() {
		e.content(" né\"")
		e.buf = e.buf[:0]
	}
}
