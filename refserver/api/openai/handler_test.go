package openai

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
	"github.com/brownout-dev/brownout/refserver/telemetry"
)

func newHandler(cfg Config, engines ...*enginetest.Engine) *Handler {
	metrics, err := telemetry.New(prometheus.NewRegistry(), "m")
	if err != nil {
		panic(err)
	}
	var replicas []pool.Replica
	for i, e := range engines {
		d := fmt.Sprintf("n%d/g0", i+1)
		replicas = append(replicas, pool.Replica{ID: d + "/m", Device: d, Model: "m", Engine: e})
	}
	p := pool.New(pool.Config{Reload: 8 * time.Second}, replicas)
	r := router.New(router.Defaults(), router.Deps{Pool: p, Events: event.NewLog(event.NewClock(), 64), Observer: metrics})
	return New(cfg, Deps{Router: r, Pool: p, Meter: metrics, Log: slog.New(slog.DiscardHandler)})
}

func post(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
	return w
}

const hello = `{"model":"m","messages":[{"role":"user","content":" hello"}],"max_tokens":4`

func answer(n int) string { return synth.AnswerKey("m", " hello", 0).Text(0, n) }

// chunks decodes the events of a stream; "[DONE]" is a chunk with that id.
func chunks(t *testing.T, body io.Reader) (out []openai.ChatChunk) {
	t.Helper()
	s := bufio.NewScanner(body)
	for s.Scan() {
		data, ok := strings.CutPrefix(s.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			out = append(out, openai.ChatChunk{ID: data})
			continue
		}
		var c openai.ChatChunk
		require.NoError(t, json.Unmarshal([]byte(data), &c), data)
		out = append(out, c)
	}
	return out
}

func TestWhole(t *testing.T) {
	w := post(newHandler(Defaults(), enginetest.New()), hello+`}`)
	require.Equal(t, 200, w.Code, w.Body)
	var r openai.ChatResponse
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	assert.Equal(t, answer(4), r.Choices[0].Message.Content)
	assert.Equal(t, "length", *r.Choices[0].FinishReason)
	assert.Equal(t, &openai.Usage{PromptTokens: 2, CompletionTokens: 4, TotalTokens: 6}, r.Usage)
	assert.Equal(t, "n1/g0", w.Header().Get(openai.HeaderNode))
	assert.Equal(t, "1", w.Header().Get(openai.HeaderAttempts))
}

func TestStreamOrder(t *testing.T) {
	w := post(newHandler(Defaults(), enginetest.New()), hello+`,"stream":true,"stream_options":{"include_usage":true}}`)
	require.Equal(t, 200, w.Code)
	assert.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
	got := chunks(t, w.Body)
	require.Len(t, got, 1+4+1+1+1)
	assert.Equal(t, "assistant", got[0].Choices[0].Delta.Role)
	text := ""
	for _, c := range got[1:5] {
		text += c.Choices[0].Delta.Content
		assert.Equal(t, got[0].ID, c.ID)
		assert.Equal(t, got[0].Created, c.Created)
		assert.Nil(t, c.Choices[0].FinishReason)
	}
	assert.Equal(t, answer(4), text)
	assert.Equal(t, "length", *got[5].Choices[0].FinishReason)
	assert.Equal(t, &openai.Usage{PromptTokens: 2, CompletionTokens: 4, TotalTokens: 6}, got[6].Usage)
	assert.Equal(t, "[DONE]", got[7].ID)
}

func TestResumedStreamLooksLikeOne(t *testing.T) {
	dead := enginetest.Script{Tokens: 2, Break: &engine.Error{Reason: engine.ReasonDead}}
	w := post(newHandler(Defaults(), enginetest.Group(2, dead)...), hello+`,"stream":true,"stream_options":{"include_usage":true}}`)
	got := chunks(t, w.Body)
	text, roles, usages := "", 0, 0
	for _, c := range got[:len(got)-1] {
		assert.Equal(t, got[0].ID, c.ID)
		if c.Usage != nil {
			usages++
			assert.Equal(t, &openai.Usage{PromptTokens: 2, CompletionTokens: 4, TotalTokens: 6}, c.Usage)
			continue
		}
		text += c.Choices[0].Delta.Content
		if c.Choices[0].Delta.Role != "" {
			roles++
		}
	}
	assert.Equal(t, answer(4), text)
	assert.Equal(t, []int{1, 1}, []int{roles, usages})
}

func TestStatusWords(t *testing.T) {
	// Engines are made inside each bubble.
	fine := func() []*enginetest.Engine { return enginetest.Group(1) }
	always := func(n int, script enginetest.Script) func() []*enginetest.Engine {
		return func() []*enginetest.Engine {
			engines := enginetest.Group(n)
			for _, e := range engines {
				e.Otherwise = script
			}
			return engines
		}
	}
	refuse := func(r engine.Reason) func() []*enginetest.Engine {
		return always(1, enginetest.Script{Refuse: &engine.Error{Reason: r, Text: "planted"}})
	}
	loading := func() []*enginetest.Engine {
		e := enginetest.New()
		e.Set(engine.Load{State: engine.Loading})
		return []*enginetest.Engine{e}
	}
	killer := always(3, enginetest.Script{Break: &engine.Error{Reason: engine.ReasonDead, Killed: true}})
	hang := always(1, enginetest.Script{Hang: true})
	small := Defaults()
	small.MaxBody = 1024
	small.KeepAlive = time.Hour
	for name, tc := range map[string]struct {
		engines func() []*enginetest.Engine
		body    string
		status  int
		code    string
		retry   bool
	}{
		"400":          {fine, hello + `,"n":2}`, 400, "unsupported_parameter", false},
		"400 too long": {refuse(engine.ReasonTooLong), hello + `}`, 400, "context_length_exceeded", false},
		"404":          {fine, strings.Replace(hello, `"m"`, `"x"`, 1) + `}`, 404, "model_not_found", false},
		"413":          {fine, strings.Repeat(" ", 1025), 413, "too_large", false},
		"500":          {killer, hello + `}`, 500, "poisoned_request", false},
		"503 loading":  {loading, hello + `}`, 503, "no_replica", true},
		"503 full":     {refuse(engine.ReasonOverloaded), hello + `}`, 503, "overloaded", true},
		"503 dead":     {refuse(engine.ReasonDead), hello + `}`, 503, "engine_failed", true},
		"504":          {hang, hello + `}`, 504, "timeout", false},
		"504 streamed": {hang, hello + `,"stream":true}`, 504, "timeout", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := post(newHandler(small, tc.engines()...), tc.body)
				assert.Equal(t, tc.status, w.Code, w.Body)
				var body openai.ErrorBody
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
				require.NotNil(t, body.Error.Code)
				assert.Equal(t, tc.code, *body.Error.Code)
				assert.NotEmpty(t, body.Error.Message)
				assert.Equal(t, tc.retry, w.Header().Get("Retry-After") != "")
				assert.NotEmpty(t, w.Header().Get(openai.HeaderRequestID))
			})
		})
	}
}

func TestOtherRoutes(t *testing.T) {
	e := enginetest.New()
	h := newHandler(Defaults(), e)
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	assert.Equal(t, 200, get("GET", "/healthz").Code)
	assert.Equal(t, 200, get("GET", "/readyz").Code)
	assert.Contains(t, get("GET", "/v1/models").Body.String(), `"id":"m"`)
	assert.Equal(t, 404, get("GET", "/metrics").Code, "metrics are the admin listener's")
	assert.Contains(t, get("GET", "/nowhere").Body.String(), `"error"`)
	w := get("GET", "/v1/chat/completions")
	assert.Equal(t, 405, w.Code)
	assert.Equal(t, "POST", w.Header().Get("Allow"))
	e.Set(engine.Load{State: engine.Dead})
	assert.Equal(t, 503, get("GET", "/readyz").Code)
	assert.Equal(t, 200, get("GET", "/healthz").Code)
}

func TestRequestIDAndHeaders(t *testing.T) {
	cfg := Defaults()
	cfg.Headers = false
	e := enginetest.New()
	h := newHandler(cfg, e)
	for given, echoed := range map[string]bool{"run-1:42": true, "": false, "bad\"id": false, strings.Repeat("a", 129): false} {
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(hello+`}`))
		r.Header.Set(openai.HeaderRequestID, given)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		id := w.Header().Get(openai.HeaderRequestID)
		assert.Equal(t, echoed, id == given)
		assert.NotEmpty(t, id)
		assert.Equal(t, id, e.Calls()[len(e.Calls())-1].ID)
		assert.Empty(t, w.Header().Get(openai.HeaderNode), "switched off")
	}
}

// piped runs the handler in a real http.Server over net.Pipe, so that virtual time passes.
func piped(t *testing.T, h http.Handler) *http.Client {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(l) }()
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		l.conns <- there
		return here, nil
	}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = s.Close()
	})
	return &http.Client{Transport: tr}
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func send(t *testing.T, c *http.Client, body string) *http.Response {
	t.Helper()
	resp, err := c.Post("http://pipe/v1/chat/completions", "application/json", strings.NewReader(body))
	require.NoError(t, err)
	return resp
}

func TestEveryTokenIsFlushedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(Defaults(), enginetest.New(enginetest.Script{Wait: 20 * time.Millisecond, Gap: 10 * time.Millisecond}))
		start := time.Now()
		resp := send(t, piped(t, h), hello+`,"stream":true}`)
		assert.Equal(t, 20*time.Millisecond, time.Since(start), "headers came with the first content")
		defer resp.Body.Close()
		var at []time.Duration
		s := bufio.NewScanner(resp.Body)
		for s.Scan() {
			if strings.Contains(s.Text(), `"content":" `) {
				at = append(at, time.Since(start))
			}
		}
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{20 * ms, 30 * ms, 40 * ms, 50 * ms}, at)
	})
}

func TestKeepAliveThenInBandError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Hang: true}
		cfg := Defaults()
		cfg.KeepAlive = 4 * time.Second
		start := time.Now()
		resp := send(t, piped(t, newHandler(cfg, e)), hello+`,"stream":true}`)
		defer resp.Body.Close()
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, 4*time.Second, time.Since(start))
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err, "the stream ends in order")
		assert.True(t, strings.HasPrefix(string(body), ": keep-alive\n\n: keep-alive\n\n"), string(body))
		got := chunks(t, strings.NewReader(string(body)))
		require.Len(t, got, 1)
		require.NotNil(t, got[0].Error)
		assert.Equal(t, "timeout", *got[0].Error.Code)
		assert.NotContains(t, string(body), "[DONE]")
	})
}

func TestBrokenStreamSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Tokens: 1, Break: &engine.Error{Reason: engine.ReasonDead, Text: "planted"}}
		w := post(newHandler(Defaults(), e), hello+`,"stream":true}`)
		got := chunks(t, w.Body)
		last := got[len(got)-1]
		require.NotNil(t, last.Error)
		assert.Equal(t, "engine_failed", *last.Error.Code)
	})
}

func TestClientGoneCancelsTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New(enginetest.Script{Tokens: 1, Hang: true})
		h := newHandler(Defaults(), e)
		resp := send(t, piped(t, h), hello+`,"stream":true}`)
		assert.Equal(t, 1, h.InFlight())
		_ = resp.Body.Close()
		e.Wait()
		synctest.Wait()
		assert.Zero(t, h.InFlight())
	})
}

func TestDrainFinishesWhatIsInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Wait: time.Second, Gap: time.Second}
		h := newHandler(Defaults(), e)
		client := piped(t, h)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				resp := send(t, client, hello+`,"stream":true}`)
				defer resp.Body.Close()
				got := chunks(t, resp.Body)
				assert.Equal(t, "[DONE]", got[len(got)-1].ID)
			})
		}
		time.Sleep(1500 * time.Millisecond)
		done := make(chan int)
		go func() { done <- h.Drain(t.Context()) }()
		synctest.Wait()
		w := post(h, hello+`}`)
		assert.Equal(t, 503, w.Code)
		assert.Equal(t, "close", w.Header().Get("Connection"))
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		ready := httptest.NewRecorder()
		h.ServeHTTP(ready, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		assert.Equal(t, 503, ready.Code)
		assert.Zero(t, <-done, "none broken")
		wg.Wait()
	})
}

func TestDrainDeadlineBreaksAloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Tokens: 1, Gap: 4 * time.Second, Hang: true}
		h := newHandler(Defaults(), e)
		client := piped(t, h)
		var wg sync.WaitGroup
		wg.Go(func() {
			resp := send(t, client, hello+`,"stream":true}`)
			defer resp.Body.Close()
			got := chunks(t, resp.Body)
			if assert.NotNil(t, got[len(got)-1].Error) {
				assert.Equal(t, "draining", *got[len(got)-1].Error.Code)
			}
		})
		time.Sleep(100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		assert.Equal(t, 1, h.Drain(ctx))
		wg.Wait()
	})
}

func TestSlowReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		h := newHandler(Defaults(), e)
		resp := send(t, piped(t, h), strings.Replace(hello, `"max_tokens":4`, `"max_tokens":9000`, 1)+`,"stream":true}`)
		defer resp.Body.Close()
		time.Sleep(Defaults().WriteTimeout + time.Second) // reading nothing
		assert.Zero(t, h.InFlight())
		e.Wait()
	})
}
