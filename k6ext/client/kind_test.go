package client

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// mixed is a plan of two classes: streamed conversations with a shared prefix, and jobs in one piece.
func mixed() *load.Plan {
	p := testPlan(8)
	p.Arrivals.Rate, p.Duration, p.Model = 20, 10*time.Second, ""
	p.Prompt = load.Length{Dist: load.Uniform, Mean: 40, Spread: 10}
	turns := load.Length{Dist: load.Choices, Choices: []load.Choice{{Tokens: 1, Weight: 1}, {Tokens: 4, Weight: 1}}}
	p.Mix = []load.Class{
		{Name: "chat", Weight: 3, Tenant: "a", Model: "small", Stream: new(true), Prefix: &load.Prefix{Tokens: 20, Pool: 3, Zipf: 1},
			Conversation: &load.Conversation{Turns: turns, Think: load.Think{Mean: time.Second}}},
		{Name: "batch", Weight: 1, Tenant: "b", Model: "big"},
	}
	return p
}

// classesOf is what an executor makes of a plan's mix.
func classesOf(p *load.Plan) []Class {
	var out []Class
	for _, c := range p.Classes() {
		out = append(out, Class{Name: c.Name, Model: c.Model, Tenant: c.Tenant, Stream: c.Streams(), Key: "key-of-" + c.Tenant})
	}
	return out
}

func TestClassesAreSentAsTheyAre(t *testing.T) {
	type seen struct {
		key, accept string
		body        struct {
			Model    string `json:"model"`
			Stream   bool   `json:"stream"`
			Messages []struct {
				Role string `json:"role"`
			} `json:"messages"`
		}
	}
	byID := map[string]seen{}
	turns := map[int]int{}
	synctest.Test(t, func(t *testing.T) {
		pipe := fakellm.NewPipe()
		var mu sync.Mutex
		server := &fakellm.Server{Seen: func(r *http.Request, body []byte) {
			one := seen{key: r.Header.Get("Authorization"), accept: r.Header.Get("Accept")}
			if err := json.Unmarshal(body, &one.body); err != nil {
				t.Errorf("%v: %s", err, body)
			}
			mu.Lock()
			defer mu.Unlock()
			byID[r.Header.Get("X-Request-Id")] = one
		}}
		defer server.Serve(pipe)()
		p := mixed()
		require.NoError(t, p.Validate())
		cfg := testConfig("ttft=1ms,gap=1ms")
		cfg.Classes, cfg.Dial = classesOf(p), pipe.Dial
		cfg.Classes[1].Limits.E2E = time.Nanosecond
		cfg.Classes[0].Limits.TTFT = time.Hour
		c, err := New(cfg)
		require.NoError(t, err)
		defer c.Close()
		for a := range p.All() {
			r := c.Do(t.Context(), c.Prepare(p, a, c.Clock.Now().Add(-a.Due))).Record
			require.Equal(t, record.OK, r.Outcome, "%s", r.Note) // every token of every answer was compared
			require.Equal(t, a.Prompt, r.PromptTokens, "the history is sent whole")
			chat := a.Class == 0
			want := map[bool][]any{true: {"chat", "a", "small", true, false}, false: {"batch", "b", "big", false, true}}[chat]
			require.Equal(t, want, []any{r.Class, r.Tenant, r.Model, r.Streaming, r.Harmed != 0}, "each under its own limits")
			got := byID[a.ID]
			require.Equal(t, r.Model, got.body.Model)
			require.Equal(t, chat, got.body.Stream)
			require.Equal(t, "Bearer key-of-"+r.Tenant, got.key)
			require.Equal(t, map[bool]string{true: "text/event-stream", false: "application/json"}[chat], got.accept)
			require.Len(t, got.body.Messages, 2*a.Turn+1)
			turns[a.Turn]++
		}
		d := c.Dropped(load.Arrival{Class: 1, ID: "x"}, c.Clock.Now(), "full")
		assert.Equal(t, []any{"batch", "b", "big", record.Dropped}, []any{d.Class, d.Tenant, d.Model, d.Outcome})
	})
	assert.Greater(t, turns[3], 10)
}

// A server that answers another conversation is caught: the history is part of what is asked.
func TestTheHistoryDecidesTheAnswer(t *testing.T) {
	p := mixed()
	cfg := testConfig("")
	cfg.Classes = classesOf(p)
	c, err := New(cfg)
	require.NoError(t, err)
	for a := range p.All() {
		if a.Turn == 0 {
			continue
		}
		whole := c.Prepare(p, a, 0)
		forgot := a
		forgot.Turn = 0 // as a server would see it that lost the history
		require.NotEqual(t, whole.Answer, c.Prepare(p, forgot, 0).Answer)
		return
	}
	t.Fatal("no second turn")
}

func TestHangingUp(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		change func(*Config, *Request)
		want   record.Outcome
		end    time.Duration // due → end
		chunks int
		harmed bool
	}{
		"after a while":        {"ttft=100ms,gap=100ms", func(_ *Config, r *Request) { r.CancelAfter = 350 * time.Millisecond }, record.Cancelled, 350 * time.Millisecond, 3, false},
		"before any answer":    {"ttft=1500ms", func(_ *Config, r *Request) { r.CancelAfter = 350 * time.Millisecond }, record.Cancelled, 350 * time.Millisecond, 0, false},
		"after tokens":         {"ttft=100ms,gap=100ms", func(_ *Config, r *Request) { r.CancelTokens = 4 }, record.Cancelled, 400 * time.Millisecond, 4, false},
		"inside a chunk":       {"ttft=100ms,gap=100ms,perchunk=3", func(_ *Config, r *Request) { r.CancelTokens = 4 }, record.Cancelled, 200 * time.Millisecond, 2, false},
		"complete before":      {"ttft=100ms,gap=100ms", func(_ *Config, r *Request) { r.CancelAfter = time.Minute }, record.OK, 800 * time.Millisecond, 8, false},
		"broken before":        {"ttft=100ms,fail=truncate,after=2", func(_ *Config, r *Request) { r.CancelAfter = time.Minute }, record.Truncated, 100 * time.Millisecond, 2, true},
		"refused before":       {"status=429", func(_ *Config, r *Request) { r.CancelAfter = time.Minute }, record.RateLimited, 0, 0, true},
		"a timeout before":     {"ttft=1h", func(_ *Config, r *Request) { r.CancelAfter = time.Minute }, record.TimeoutTTFT, 2 * time.Second, 0, true},
		"past a limit already": {"ttft=300ms", func(c *Config, r *Request) { c.Limits.TTFT, r.CancelAfter = 200*time.Millisecond, 250*time.Millisecond }, record.Cancelled, 250 * time.Millisecond, 0, true},
		"by the plan only":     {"ttft=100ms,gap=100ms", func(*Config, *Request) {}, record.OK, 800 * time.Millisecond, 8, false},
		"an answer in one piece": {"ttft=1s", func(c *Config, r *Request) { c.Stream, r.CancelAfter = false, 350*time.Millisecond },
			record.Cancelled, 350 * time.Millisecond, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pipe := fakellm.NewPipe()
				server := &fakellm.Server{}
				defer server.Serve(pipe)()
				cfg := testConfig(tc.script)
				cfg.Dial = pipe.Dial
				var plan Request
				tc.change(&cfg, &plan)
				c, err := New(cfg)
				require.NoError(t, err)
				defer c.Close()
				req := first(c, 8)
				req.CancelAfter, req.CancelTokens = plan.CancelAfter, plan.CancelTokens
				r := c.Do(t.Context(), req).Record
				assert.Equal(t, tc.want, r.Outcome, "%s", r.Note)
				assert.Equal(t, tc.end, r.End.Sub(r.Due))
				assert.Equal(t, tc.chunks, r.Chunks)
				assert.Equal(t, tc.harmed, r.Harmed != 0)
				if tc.want == record.Cancelled {
					synctest.Wait()
					assert.Zero(t, server.Open(), "the server saw it and gave up")
					assert.Empty(t, r.Note)
				}
			})
		})
	}
}
