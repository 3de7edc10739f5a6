package refserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
)

// small is a preset on free ports, quick to load.
func small() Config {
	cfg, _ := Preset(DefaultPreset)
	cfg.Listen, cfg.Admin = "127.0.0.1:0", Admin{Listen: "127.0.0.1:0", Token: "secret", Control: true}
	cfg.Cluster.FirstLoad, cfg.Cluster.Reload = time.Millisecond, 50*time.Millisecond
	return cfg
}

// The key decides whether replicas have breakers; nothing else in the config changes with it.
func TestBreakerEnabled(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		cfg := small()
		cfg.Breaker.Enabled = enabled
		s, err := New(cfg, Deps{})
		require.NoError(t, err)
		for _, m := range s.pool.Members() {
			assert.Equal(t, enabled, m.Gate != nil)
		}
	}
}

type running struct {
	*Server
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T, cfg Config) *running {
	t.Helper()
	s, err := New(cfg, Deps{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{Server: s, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-r.done:
		require.NoError(t, err)
	}
	t.Cleanup(cancel)
	// Wait for an engine by its event, not by time.
	for seq, ready := uint64(0), 0; ready < cfg.Cluster.Nodes*cfg.Cluster.GPUsPerNode; {
		events, _, more := s.Events().Since(seq)
		for _, e := range events {
			seq = e.Seq
			if e.Kind == event.EngineReady {
				ready++
			}
		}
		if len(events) == 0 {
			<-more
		}
	}
	return r
}

func (r *running) post(t *testing.T, prompt string, tokens int) (*http.Response, error) {
	t.Helper()
	body := fmt.Sprintf(`{"model":"llama-3.1-8b","messages":[{"role":"user","content":%q}],"max_tokens":%d,"ignore_eos":true,"stream":true}`, prompt, tokens)
	return http.Post(r.Listening().API+"/v1/chat/completions", "application/json", strings.NewReader(body))
}

func (r *running) admin(t *testing.T, method, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.Listening().Admin+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, data
}

// text reads a stream to its end: the content, and whether it ended with [DONE].
func text(t *testing.T, body io.Reader, each func(n int)) (string, bool) {
	t.Helper()
	var b strings.Builder
	n := 0
	s := bufio.NewScanner(body)
	for s.Scan() {
		data, ok := strings.CutPrefix(s.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			return b.String(), true
		}
		var c openai.ChatChunk
		if json.Unmarshal([]byte(data), &c) != nil || c.Error != nil {
			return b.String(), false
		}
		for _, choice := range c.Choices {
			b.WriteString(choice.Delta.Content)
			if choice.Delta.Content != "" {
				n++
				each(n)
			}
		}
	}
	return b.String(), false
}

// The whole house: a replica is killed under a running stream, twice; the answer stays byte-exact.
func TestResumeOverRealEngines(t *testing.T) {
	r := start(t, small())
	resp, err := r.post(t, " hello", 120)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, done := text(t, resp.Body, func(n int) {
		if n != 10 && n != 60 {
			return
		}
		for _, node := range r.State().Nodes {
			for _, rep := range node.Replicas {
				if rep.Running > 0 {
					parts := strings.Split(rep.ID, "/")
					status, body := r.admin(t, http.MethodPost, "/admin/control/replicas/"+parts[0]+"/"+parts[1]+"/restart", "")
					assert.Equal(t, http.StatusAccepted, status, string(body))
				}
			}
		}
	})
	assert.True(t, done)
	assert.Equal(t, synth.AnswerKey("llama-3.1-8b", " hello", 0).Text(0, 120), got)
	_, body := r.admin(t, http.MethodGet, "/admin/state?prompt=512&output=64", "")
	var state admin.State
	require.NoError(t, json.Unmarshal(body, &state))
	assert.EqualValues(t, 2, state.Router.Resumes)
	assert.Positive(t, state.Saturation)
	assert.Equal(t, "closed", state.Nodes[0].Replicas[0].Breaker)
	_, metrics := r.admin(t, http.MethodGet, "/metrics", "")
	assert.Contains(t, string(metrics), `brownout_resumes_total{reason="engine_dead"} 2`)
}

// The negative control: the same kill without resilience breaks the stream, and says so.
func TestControlGroupBreaks(t *testing.T) {
	cfg := small()
	cfg.Resilience = None
	r := start(t, cfg)
	resp, err := r.post(t, " hello", 120)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, done := text(t, resp.Body, func(n int) {
		if n == 10 {
			for _, d := range []string{"n1/g0", "n1/g1", "n2/g0", "n2/g1", "n3/g0", "n3/g1"} {
				r.admin(t, http.MethodPost, "/admin/control/replicas/"+d+"/restart", "")
			}
		}
	})
	assert.False(t, done)
	assert.Empty(t, r.State().Nodes[0].Replicas[0].Breaker)
}

func TestStopLosesNothing(t *testing.T) {
	r := start(t, small())
	var wg sync.WaitGroup
	inside := make(chan struct{}, 30)
	for i := range 30 {
		wg.Go(func() {
			prompt := fmt.Sprintf(" p%d", i)
			resp, err := r.post(t, prompt, 60)
			if err != nil {
				assert.Fail(t, "not served", err.Error())
				inside <- struct{}{}
				return
			}
			defer resp.Body.Close()
			got, done := text(t, resp.Body, func(n int) {
				if n == 1 {
					inside <- struct{}{}
				}
			})
			assert.True(t, done)
			assert.Equal(t, synth.AnswerKey("llama-3.1-8b", prompt, 0).Text(0, 60), got)
		})
	}
	for range 30 {
		<-inside
	}
	r.stop()
	wg.Wait()
	require.NoError(t, <-r.done)
	_, err := r.post(t, " late", 1)
	assert.Error(t, err, "nobody listens any more")
}

func TestPortInUseIsOneSentence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	cfg := small()
	cfg.Admin.Listen = l.Addr().String()
	s, err := New(cfg, Deps{})
	require.NoError(t, err)
	err = s.Run(t.Context())
	require.Error(t, err)
	assert.Equal(t, "admin.listen: "+cfg.Admin.Listen+" is in use by another process; stop that one, or choose another port (port 0 takes a free one)", err.Error())
}

func TestConfigMistakesComeAllAtOnce(t *testing.T) {
	_, err := Parse("s.yaml", []byte(`resilience: some
listen: here
admin: {listen: "0.0.0.0:9000", control: true}
api: {max_tokens: 0}
router:
  budget_share: 7
breaker: {probes: 0}
cluster: {gpu: abacus}
`))
	require.Error(t, err)
	for _, want := range []string{"s.yaml:1", "s.yaml:2", "s.yaml:4", "s.yaml:6", "s.yaml:7", "s.yaml:8", "abacus"} {
		assert.Contains(t, err.Error(), want)
	}
	_, err = Parse("s.yaml", []byte("listen: here\nroutre: {}\ndrain: soon\n"))
	require.Error(t, err)
	for _, want := range []string{"s.yaml:1", "s.yaml:2", "s.yaml:3"} {
		assert.Contains(t, err.Error(), want, "what cannot be read and what makes no sense, in one round")
	}
	assert.Equal(t, 3, strings.Count(err.Error(), "s.yaml:"), "each once")
	_, err = Parse("s.yaml", []byte("preset: none\n"))
	require.ErrorContains(t, err, "write one of chat-8b")
	_, err = Parse("s.yaml", []byte("ressilience: none\n"))
	require.ErrorContains(t, err, "resilience")
	cfg, err := Parse("s.yaml", []byte("resilience: none\nadmin: {control: true}\nrouter: {first_token: 3s}\n"))
	require.NoError(t, err, "the token may come from the environment")
	assert.Equal(t, 3*time.Second, cfg.Router.FirstToken)
	assert.Equal(t, 8*time.Second, cfg.Cluster.Reload)
	require.Error(t, cfg.Validate())
	require.NoError(t, cfg.WithEnvironment(func(string) string { return "t" }).Validate())
	_, err = Load("no-such-file.yaml")
	assert.Error(t, err)
}

func TestOpenAdminNeedsAToken(t *testing.T) {
	for listen, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, "": true, "0.0.0.0:0": false, ":9000": false, "10.0.0.1:9000": false,
	} {
		cfg, _ := Preset(DefaultPreset)
		cfg.Admin.Listen = listen
		assert.Equal(t, ok, cfg.Validate() == nil, listen)
		cfg.Admin.Token = "x"
		assert.NoError(t, cfg.Validate())
	}
}

func TestPresetsAreValid(t *testing.T) {
	for _, name := range Presets() {
		cfg, ok := Preset(name)
		assert.True(t, ok)
		assert.NoError(t, cfg.Validate())
	}
}
