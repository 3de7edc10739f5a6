package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A user of plain k6: the examples, as they are in the tree.

// k6Run is one run of a k6 command (name and arguments before "run").
func k6Run(t *testing.T, k6, env []string, args ...string) (code int, text string) {
	t.Helper()
	all := append(append(append([]string{}, k6[1:]...), "run", "--no-color"), args...)
	c := exec.CommandContext(t.Context(), k6[0], all...)
	c.Env = append(append(os.Environ(), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "HOME="+t.TempDir()), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		require.NoError(t, err)
	}
	return c.ProcessState.ExitCode(), out.String()
}

func example(name string) string { return filepath.Join("../k6ext/examples", name) }

// allExamples runs every example under one k6.
func allExamples(t *testing.T, k6 []string) {
	t.Helper()
	s := Serve(t)
	for _, tc := range []struct {
		script string
		args   []string
		code   int
		says   []string
	}{
		{"chat.js", nil, 0, []string{"'p(95)<5000'", "{ class:short }", "both answered"}},
		{"arrivals.js", nil, 0, []string{"{ outcome:ok }"}},
		{"faults.js", nil, 0, []string{"gpu.oom on gpu=n1/g0 for 8s: ", "'count==1'"}},
		{"thresholds.js", nil, 0, []string{"brownout_unrecovered"}},
		{"thresholds.js", []string{"-e", "STRICT=1"}, 99, []string{"thresholds on metrics 'brownout_e2e' have been crossed"}},
	} {
		t.Run(strings.Join(append([]string{tc.script}, tc.args...), " "), func(t *testing.T) {
			code, text := k6Run(t, k6, s.Env(), append(tc.args, example(tc.script))...)
			require.Equal(t, tc.code, code, text)
			for _, want := range tc.says {
				assert.Contains(t, text, want)
			}
		})
	}
}

func TestBasicK6Examples(t *testing.T) {
	allExamples(t, []string{Binary(t), "k6"})
}

// The control: without its protections the engine that died stays dead, and the thresholds say so.
func TestE2EK6ThresholdsSeeAnUnprotectedServer(t *testing.T) {
	s := Serve(t, "--resilience", "none")
	code, text := k6Run(t, []string{Binary(t), "k6"}, s.Env(), example("thresholds.js"))
	require.Equal(t, 99, code, text)
	assert.Regexp(t, `thresholds on metrics '.*brownout_unrecovered`, text)
}

// xk6 builds a k6 of its own with our module: the same examples, the same exit codes.
func TestE2EXk6BuildRunsTheExamples(t *testing.T) {
	k6 := xk6Build(t)
	version, err := exec.CommandContext(t.Context(), k6, "version").CombinedOutput()
	require.NoError(t, err, "%s", version)
	for _, want := range []string{"k6/x/brownout", "brownout [output]"} {
		assert.Contains(t, string(version), want)
	}
	allExamples(t, []string{k6})
}

// xk6Build makes xk6 in a module of its own, because its dependencies are no concern of ours, and a k6 with it.
func xk6Build(t *testing.T) string {
	t.Helper()
	const xk6, k6 = "go.k6.io/xk6@v1.4.11", "v2.2.0"
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	in := func(name string, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		out, err := c.CombinedOutput()
		if err != nil && strings.Contains(string(out), "proxy") {
			t.Skipf("the Go module proxy does not give xk6: %s", out)
		}
		require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	}
	in("go", "mod", "init", "scratch")
	in("go", "get", "-tool", xk6)
	in("go", "build", "-o", "xk6", "go.k6.io/xk6")
	// Neither -trimpath nor another cgo setting than ours: k6 is compiled once on this machine.
	in("./xk6", "build", k6, "--cgo=1", "--build-flags=-buildvcs=false", "--output", filepath.Join(dir, "k6"),
		"--with", "github.com/brownout-dev/brownout="+root)
	return filepath.Join(dir, "k6")
}

// Prometheus remote write beside our output: both see every request.
func TestE2EK6PrometheusRemoteWrite(t *testing.T) {
	prometheus, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus here (Debian: apt-get install prometheus)")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte("global: {}\n"), 0o600))
	address := freePorts(t, 1)[0]
	c := exec.Command(prometheus, "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"),
		"--web.listen-address", address, "--web.enable-remote-write-receiver")
	log := &buffer{}
	c.Stdout, c.Stderr = log, log
	start(t, c)
	ready(t, "http://"+address+"/-/ready", log)

	s := Serve(t)
	shard := filepath.Join(dir, "shard")
	code, text := k6Run(t, []string{Binary(t), "k6"}, append(s.Env(), "K6_PROMETHEUS_RW_SERVER_URL=http://"+address+"/api/v1/write"),
		"--out", "experimental-prometheus-rw", "--out", "brownout="+shard, example("thresholds.js"))
	require.Equal(t, 0, code, text)

	sent := query(t, address, `sum(max_over_time(k6_brownout_requests_total[5m]))`)
	assert.Greater(t, sent, 1000.0)
	assert.InDelta(t, sent, query(t, address, `sum(max_over_time(k6_brownout_requests_total{outcome="ok"}[5m]))`), 0.1*sent, "the outcome is a label")
	assert.InDelta(t, 1, query(t, address, `sum(max_over_time(k6_brownout_faults_total{fault="gpu.oom",target="n1/g0"}[5m]))`), 0)
	assert.Positive(t, query(t, address, `max(max_over_time(k6_brownout_ttft_p99[5m]))`))
	info, err := os.Stat(shard)
	require.NoError(t, err)
	assert.Greater(t, info.Size(), int64(1000), "our output wrote its shard beside it")
}

// query is the one number that a PromQL expression gives.
func query(t *testing.T, address, expr string) float64 {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + address + "/api/v1/query?query=" + url.QueryEscape(expr))
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Len(t, answer.Data.Result, 1, "%s has no value", expr)
	v, err := strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
	require.NoError(t, err)
	return v
}
