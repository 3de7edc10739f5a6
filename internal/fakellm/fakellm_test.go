package fakellm

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
)

func TestParseScript(t *testing.T) {
	s, err := ParseScript("ttft=20ms, gap=5ms,fail=stall,after=3,perchunk=2,crlf,role=false")
	require.NoError(t, err)
	assert.Equal(t, Script{TTFT: 20 * time.Millisecond, Gap: 5 * time.Millisecond, Fail: FailStall, After: 3, PerChunk: 2, CRLF: true}, s)
	for _, bad := range []string{"fail=nicely", "ttft=20", "after=-1", "status=99", "status=x", "what=1", "gap=-1s"} {
		_, err := ParseScript(bad)
		assert.ErrorContains(t, err, strings.Split(bad, "=")[0], "%s", bad)
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add("ttft=20ms,fail=stall,after=3")
	f.Add("status=503,,crlf")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScript(text)
		if err == nil && (s.TTFT < 0 || s.Gap < 0 || s.After < 0) {
			t.Fatalf("%q gives %+v", text, s)
		}
	})
}

func ask(t *testing.T, s *Server, script, body string) (int, string) {
	t.Helper()
	url, stop, err := s.Listen()
	require.NoError(t, err)
	defer stop()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set(HeaderScript, script)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

const question = `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":4,"seed":9,"stream":true,"stream_options":{"include_usage":true}}`

func TestAnswerIsSynthText(t *testing.T) {
	code, text := ask(t, &Server{}, "", question)
	require.Equal(t, http.StatusOK, code)
	r := openai.NewEventReader(strings.NewReader(text), openai.EventReaderConfig{})
	var said string
	var last openai.ChatChunk
	for {
		ev, err := r.Next()
		require.NoError(t, err)
		if string(ev.Data) == "[DONE]" {
			break
		}
		last = openai.ChatChunk{}
		require.NoError(t, json.Unmarshal(ev.Data, &last))
		for _, c := range last.Choices {
			said += c.Delta.Content
		}
	}
	assert.Equal(t, synth.AnswerKey("m", "hi", 9).Text(0, 4), said)
	assert.Equal(t, 4, last.Usage.CompletionTokens)
}

func TestKnobs(t *testing.T) {
	for script, want := range map[string]string{
		"role": `"role":"assistant"`, "comments": ": keep-alive\n\n", "crlf": "\r\n\r\n", "reason=1": `"reasoning_content"`,
		"fail=json": `"delta":`, "fail=error-done": "[DONE]", "fail=error-event": "event: error", "tokens=1": `"completion_tokens":1`,
	} {
		_, text := ask(t, &Server{}, script, question)
		assert.Contains(t, text, want, "%s", script)
	}
	began := time.Now()
	_, burst := ask(t, &Server{}, "burst,gap=20ms", question)
	assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
	_, text := ask(t, &Server{}, "", question)
	assert.Equal(t, text, burst, "the same answer, only held back")
	_, text = ask(t, &Server{}, "nodone,nousage", question)
	assert.NotContains(t, text, "[DONE]")
	assert.NotContains(t, text, "usage")
	_, text = ask(t, &Server{}, "", question)
	assert.Contains(t, text, "[DONE]")
}

func TestRefusals(t *testing.T) {
	code, text := ask(t, &Server{}, "nonsense", question)
	assert.Equal(t, http.StatusBadRequest, code)
	assert.Contains(t, text, "no such knob")
	code, _ = ask(t, &Server{}, "", "{")
	assert.Equal(t, http.StatusBadRequest, code)
	code, _ = ask(t, &Server{Default: Script{Fail: FailStatus + "=429"}}, "", question)
	assert.Equal(t, http.StatusTooManyRequests, code)
}

func TestPickGoesByOrdinal(t *testing.T) {
	s := &Server{Pick: func(n uint64) Script {
		if n == 1 {
			return Script{Fail: FailStatus + "=500"}
		}
		return Script{}
	}}
	for _, want := range []int{200, 500, 200} {
		code, _ := ask(t, s, "", question)
		assert.Equal(t, want, code)
	}
	assert.Equal(t, uint64(3), s.Requests())
	assert.Zero(t, s.Open())
}

// With one slot, two answers are never made at once.
func TestSlots(t *testing.T) {
	for slots, most := range map[int]int64{1: 1, 2: 2} {
		s := &Server{Slots: slots, Default: Script{TTFT: 5 * time.Millisecond}}
		var inside, highest atomic.Int64
		s.Pick = func(uint64) Script { return s.Default }
		s.within = func(d int64) {
			for n := inside.Add(d); ; {
				old := highest.Load()
				if n <= old || highest.CompareAndSwap(old, n) {
					return
				}
			}
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				code, _ := ask(t, s, "", question)
				assert.Equal(t, http.StatusOK, code)
			})
		}
		all.Wait()
		assert.Equal(t, most, highest.Load(), "%d slots", slots)
		assert.Zero(t, inside.Load())
	}
}
