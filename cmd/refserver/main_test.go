package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
)

func noEnvironment(string) string { return "" }

func TestServesUntilStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--listen", "127.0.0.1:0", "--admin-listen", "off", "--print-ready"}, noEnvironment, w, io.Discard)
	}()
	line, err := bufio.NewReader(r).ReadBytes('\n')
	require.NoError(t, err)
	var where admin.Listening
	require.NoError(t, json.Unmarshal(line, &where))
	assert.Empty(t, where.Admin)
	assert.Equal(t, os.Getpid(), where.PID)
	resp, err := http.Get(where.API + "/healthz")
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)
	cancel()
	assert.NoError(t, <-done)
}

func TestNodeServesUntilStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"node", "--id", "n2", "--listen", "127.0.0.1:0"}, noEnvironment, io.Discard, w)
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "node=n2 address=127.0.0.1:")
	go func() { _, _ = io.Copy(io.Discard, r) }()
	cancel()
	assert.NoError(t, <-done)
}

func TestMistakesAreOneSentence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	require.NoError(t, os.WriteFile(file, []byte("resilience: half\n"), 0o600))
	for want, args := range map[string][]string{
		"see --help":                 {"--no-such-flag"},
		"takes flags only":           {"serve"},
		`there is no preset "x"`:     {"--preset", "x"},
		"control calls need a token": {"--control"},
		"s.yaml:1":                   {"--config", file},
		"is not a resilience":        {"--resilience", "half"},
		"see node --help":            {"node", "--no-such-flag"},
		"node takes flags only":      {"node", "n1"},
		"nodes are n1 to n3":         {"node", "--id", "n4"},
		"BROWNOUT_NODE_TOKEN":        {"node", "--id", "n1", "--listen", "0.0.0.0:0"},
	} {
		err := run(t.Context(), args, noEnvironment, io.Discard, io.Discard)
		require.Error(t, err, args)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
	}
	assert.NoError(t, run(t.Context(), []string{"--help"}, noEnvironment, io.Discard, io.Discard))
}
