package e2e

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/result"
)

// watched is a server with TLS that remembers what it was asked.
type watched struct {
	url, ca string // its address, and the file with its authority

	mu     sync.Mutex
	header []http.Header
	body   []map[string]any
}

func watch(t *testing.T, script fakellm.Script) *watched {
	t.Helper()
	w := &watched{ca: filepath.Join(t.TempDir(), "ca.pem")}
	srv := httptest.NewTLSServer(&fakellm.Server{Default: script, Seen: func(r *http.Request, body []byte) {
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Errorf("a body is no JSON: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.header, w.body = append(w.header, r.Header.Clone()), append(w.body, fields)
	}})
	t.Cleanup(srv.Close)
	w.url = srv.URL
	require.NoError(t, os.WriteFile(w.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))
	return w
}

func (w *watched) asked() ([]http.Header, []map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.header, w.body
}

func foreignFile(t *testing.T, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "foreign.yaml")
	require.NoError(t, os.WriteFile(file, []byte(foreign+more), 0o600))
	return file
}

// Every option arrives at the server, and no secret in any file of the run.
func TestBasicForeignOptions(t *testing.T) {
	w := watch(t, fakellm.Script{TTFT: 5 * time.Millisecond, NoUsage: true, PerChunk: 2})
	secrets := []string{"MY_KEY=sk-very-secret-1", "TEAM_KEY=very-secret-2"}
	a, r := Settled(t, secrets, foreignFile(t, ""), "--target", w.url+"/v1", "--ca-file", w.ca, "--key-env", "MY_KEY",
		"--header", "X-Team=blue", "--header", "X-Api-Key=env:TEAM_KEY", "--body", `{"temperature":0,"top_p":0.5}`,
		"--model", "org/model: 7b", "--max-rate", "40/s")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)

	headers, bodies := w.asked()
	require.NotEmpty(t, bodies)
	for i := range bodies {
		assert.Equal(t, "Bearer sk-very-secret-1", headers[i].Get("Authorization"))
		assert.Equal(t, "blue", headers[i].Get("X-Team"))
		assert.Equal(t, "very-secret-2", headers[i].Get("X-Api-Key"))
		assert.InDelta(t, 0, bodies[i]["temperature"], 0)
		assert.InDelta(t, 0.5, bodies[i]["top_p"], 0)
		assert.Equal(t, "org/model: 7b", bodies[i]["model"])
		assert.Contains(t, bodies[i], "stream_options")
	}

	assert.Equal(t, w.url, r.Target.URL)
	assert.Equal(t, "org/model: 7b", r.Target.Model)
	assert.Equal(t, "MY_KEY", r.Target.KeyEnv)
	assert.Equal(t, map[string]string{"X-Team": "blue", "X-Api-Key": "env:TEAM_KEY"}, r.Target.Headers)
	assert.Equal(t, w.ca, r.Target.CAFile)
	assert.Len(t, r.Target.ExtraBody, 2)
	assert.InDelta(t, 40, r.Target.MaxRate, 0)
	assert.Equal(t, result.TokenSources{Chunks: 120}, r.Target.Tokens, "the server sends no usage, and the result says so")
	assert.Contains(t, a.Stdout, "by content chunks, which is an estimate")
	noSecret(t, a, "very-secret")
	for _, name := range []string{"result.json", "report.html", "report.md", "junit.xml"} {
		assert.FileExists(t, filepath.Join(a.Dir, name))
	}
}

// noSecret looks through everything that a run printed and left behind.
func noSecret(t *testing.T, a Answer, secret string) {
	t.Helper()
	assert.NotContains(t, a.Stdout+a.Stderr, secret)
	files := 0
	require.NoError(t, filepath.WalkDir(a.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		assert.NotContains(t, string(data), secret, path)
		return err
	}))
	assert.Greater(t, files, 5)
}

func TestBasicForeignUsage(t *testing.T) {
	w := watch(t, fakellm.Script{PerChunk: 2})
	a, r := Settled(t, nil, foreignFile(t, ""), "--target", w.url, "--ca-file", w.ca)
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, result.TokenSources{Usage: 120}, r.Target.Tokens)
	assert.Contains(t, a.Stdout, "tokens are counted by the server's usage")

	a, r = Settled(t, nil, foreignFile(t, ""), "--target", w.url, "--ca-file", w.ca, "--tokens", "chunks")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, result.TokenSources{Chunks: 120}, r.Target.Tokens)
	_, bodies := w.asked()
	assert.NotContains(t, bodies[len(bodies)-1], "stream_options", "usage was not asked for")
}

const oom = `faults:
  - {at: 500ms, inject: "gpu.oom on gpu=n1/g0 for 1s"}
`

// Whatever is wrong is said before the first request, in one sentence each.
func TestBasicForeignRefusals(t *testing.T) {
	w := watch(t, fakellm.Script{})
	harmful := foreignFile(t, "")
	text := strings.Replace(foreign, "limits: {ttft: 700ms, e2e: 3s}", "limits: {ttft: 700ms, e2e: 3s}\n  recovery: {hold: 100ms, horizon: 1s}", 1)
	require.NoError(t, os.WriteFile(harmful, []byte(text+oom), 0o600))
	plain := foreignFile(t, "")
	for name, tc := range map[string]struct {
		file, says string
		args       []string
	}{
		"unknown authority":   {plain, "--ca-file", []string{"--target", w.url}},
		"rate above the cap":  {plain, "the scenario sends up to 40 requests/s and --max-rate allows 10/s; lower it with --set load.arrivals.rate=10/s", []string{"--target", w.url, "--ca-file", w.ca, "--max-rate", "10/s"}},
		"cap without unit":    {plain, "--max-rate", []string{"--target", w.url, "--max-rate", "10"}},
		"secret in the open":  {plain, "--header X-Api-Key=env:NAME", []string{"--target", w.url, "--ca-file", w.ca, "--header", "X-Api-Key=hunter2"}},
		"no header":           {plain, "--header number 1", []string{"--target", w.url, "--header", "hunter2"}},
		"no body":             {plain, "--body is not one JSON object", []string{"--target", w.url, "--body", "hunter2"}},
		"body of the plan":    {plain, `--body sets "stream"`, []string{"--target", w.url, "--ca-file", w.ca, "--body", `{"stream":false}`}},
		"empty key":           {plain, "--key-env NO_SUCH_KEY", []string{"--target", w.url, "--ca-file", w.ca, "--key-env", "NO_SUCH_KEY"}},
		"no target":           {plain, "--max-rate describes a server that is already there", []string{"--max-rate", "10/s"}},
		"faults elsewhere":    {harmful, "confirm with --yes-break llm.invalid", []string{"--target", "http://llm.invalid:8000"}},
		"another host":        {harmful, "--yes-break llm is not a host of this target", []string{"--target", "http://llm.invalid:8000", "--yes-break", "llm"}},
		"no holder":           {harmful, "no fault holder", []string{"--target", w.url, "--ca-file", w.ca}},
		"confirmed, not here": {harmful, "nobody answers", []string{"--target", "http://llm.invalid:8000", "--yes-break", "llm.invalid"}},
	} {
		a := Call(t, time.Minute, nil, append([]string{"run", "--out", t.TempDir(), tc.file}, tc.args...)...)
		assert.Equal(t, 1, a.Code, "%s: %s", name, a.Stderr)
		assert.Contains(t, a.Stderr, tc.says, name)
		assert.NotContains(t, a.Stderr, "hunter2", name)
	}
	_, bodies := w.asked()
	assert.Empty(t, bodies, "nothing was sent")

	a, r := Settled(t, nil, plain, "--target", w.url, "--ca-file", w.ca, "--max-rate", "10/s", "--set", "load.arrivals.rate=10/s")
	assert.Equal(t, 0, a.Code, "lowered, it runs: %s", a.Stderr)
	assert.Equal(t, 30, r.Judgement.Run.Due)
}
