package client

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var chunks = map[string]struct {
	fast bool
	want chunk
	bad  bool
}{
	`{"id":"c-1","object":"chat.completion.chunk","created":1753000000,"model":"m","choices":[{"index":0,"delta":{"content":" hi"},"finish_reason":null}]}`: {
		fast: true, want: chunk{text: []byte(" hi"), choices: 1}},
	`{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}`: {
		fast: true, want: chunk{choices: 1, text: []byte{}}},
	`{"choices":[{"delta":{},"finish_reason":"length","index":0}]}`: {fast: true, want: chunk{choices: 1, finished: true}},
	` { "choices" : [ { "delta" : { "content" : "光😀" } } ] } `:      {fast: true, want: chunk{choices: 1, text: []byte("光😀")}},
	`{"choices":[{"index":2,"delta":{"content":"x"}}]}`:             {fast: true, want: chunk{choices: 1, index: 2, text: []byte("x")}},
	`{"choices":[{"delta":{"content":null,"reasoning_content":null}}]}`: {
		fast: true, want: chunk{choices: 1}},
	`{"choices":[]}`: {fast: true, want: chunk{}},
	`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}`: {fast: true, want: chunk{usage: true, prompt: 5, output: 7}},
	`{"choices":[],"usage":{"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{},"prompt_tokens":5}}`: {
		fast: true, want: chunk{usage: true, prompt: 5, output: 7}},
	`{"choices":[],"usage":{"completion_tokens":7,"Prompt_Tokens":5}}`:                   {want: chunk{usage: true, prompt: 5, output: 7}},
	`{"choices":[],"usage":{"completion_tokens":7},"usage":null}`:                        {want: chunk{}},
	`{"choices":[],"usage":{"completion_tokens":7,"prompt_tokens":{"deep":{"er":[1]}}}}`: {bad: true},
	`{"choices":[],"usage":{"completion_tokens":7,"d":{"deep":{"er":[1]}}}}`:             {want: chunk{usage: true, output: 7}},
	`{"choices":[{"delta":{"content":"a\nb é"}}]}`:                                       {want: chunk{choices: 1, text: []byte("a\nb é")}},
	`{"choices":[{"delta":{"reasoning_content":"hm"}}]}`:                                 {want: chunk{choices: 1, other: true}},
	`{"choices":[{"delta":{"reasoning":"hm"}}]}`:                                         {want: chunk{choices: 1, other: true}},
	`{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`:                               {want: chunk{choices: 1, other: true}},
	`{"choices":[{"delta":{"tool_calls":[]}}]}`:                                          {want: chunk{choices: 1}},
	`{"error":{"message":"out of memory"}}`:                                              {want: chunk{serverErr: []byte(`{"message":"out of memory"}`)}},
	`{"error":null,"choices":[]}`:                                                        {fast: true},
	`{"Choices":[{"Delta":{"Content":"x"}}]}`:                                            {want: chunk{choices: 1, text: []byte("x")}},
	`{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}`:                  {bad: true},
	`{"choices":[{"delta":{"content":"a"}}]`:                                             {bad: true},
	`{"choices":[{"delta":{"content":5}}]}`:                                              {bad: true},
	`{"choices":[{"index":"0","delta":{}}]}`:                                             {bad: true},
	`[DONE]`:                                                                             {bad: true},
	``:                                                                                   {bad: true},
	`{"choices":[{"delta":{"content":"x"}}]} trailing`:                                   {bad: true},
	`{"choices":[{"delta":{"content":"x"},"delta":{"content":"y"}}]}`:                    {want: chunk{choices: 1, text: []byte("y")}},
	`{"created":01,"choices":[]}`:                                                        {bad: true},
	"{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}":                                 {want: chunk{choices: 1, text: []byte("\ufffd")}},
	`{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}`:               {want: chunk{choices: 1, text: []byte("whole"), finished: true}},
}

func TestDecodeChunk(t *testing.T) {
	for in, tc := range chunks {
		t.Run(in, func(t *testing.T) {
			_, fast := scanChunk([]byte(in))
			assert.Equal(t, tc.fast, fast, "scanned by hand")
			got, err := new(mould).decode([]byte(in))
			if tc.bad {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			same(t, tc.want, got)
		})
	}
}

func same(t *testing.T, want, got chunk) {
	t.Helper()
	assert.Equal(t, string(want.text), string(got.text))
	assert.Equal(t, string(want.serverErr), string(got.serverErr))
	want.text, got.text, want.serverErr, got.serverErr = nil, nil, nil, nil
	assert.Equal(t, want, got)
}

// Whatever the scanner accepts, encoding/json accepts too and reads the same.
func FuzzScanAgrees(f *testing.F) {
	for in := range chunks {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		fast, ok := scanChunk(in)
		if !ok {
			return
		}
		slow, err := decodeAny(in)
		require.NoError(t, err, "%q", in)
		same(t, slow, fast)
	})
}

// Whatever came before, a chunk reads as it would alone.
func FuzzMouldAgrees(f *testing.F) {
	for in := range chunks {
		f.Add([]byte(in), []byte(strings.Replace(in, " hi", " bye", 1)))
		f.Add([]byte(in), []byte(strings.Replace(in, " hi", `"},"x":{"`, 1)))
	}
	f.Fuzz(func(t *testing.T, before, in []byte) {
		var m mould
		_, _ = m.decode(before)
		got, err := m.decode(in)
		want, wantErr := decodeAny(in)
		require.Equal(t, wantErr == nil, err == nil, "%q after %q", in, before)
		if err == nil {
			same(t, want, got)
		}
	})
}

// The usual chunks of a stream are read by their shape alone, and what only looks like one is not.
func TestMould(t *testing.T) {
	const before, after = `{"id":"c-1","choices":[{"index":0,"delta":{"content":"`, `"},"finish_reason":null}]}`
	var m mould
	_, ok := m.fits([]byte(before + " hi" + after))
	assert.False(t, ok, "nothing came yet")
	_, err := m.decode([]byte(before + " hi" + after))
	require.NoError(t, err)
	for text, fits := range map[string]bool{
		"bye": true, "": true, "光😀": true, `\n`: false, `"`: false, "\n": false, "\xff": false, `","content":"`: false,
	} {
		_, ok = m.fits([]byte(before + text + after))
		assert.Equal(t, fits, ok, "%q", text)
	}
	_, ok = m.fits([]byte(before[:len(before)-1] + after[1:]))
	assert.False(t, ok, "shorter than both ends together")
	m = m.empty()
	_, ok = m.fits([]byte(before + " hi" + after))
	assert.False(t, ok, "another stream")
}

func BenchmarkScanChunk(b *testing.B) {
	in := []byte(`{"id":"c-1","object":"chat.completion.chunk","created":1753000000,"model":"m","choices":[{"index":0,"delta":{"content":" hi"},"finish_reason":null}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := scanChunk(in); !ok {
			b.Fatal("not scanned by hand")
		}
	}
}
