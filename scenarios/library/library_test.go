package library

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/spec"
)

var update = flag.Bool("update", false, "write golden files")

// saturation of the preset chat-8b at 512/64 tokens, all six GPUs and five of them: the shares that the
// files' comments speak of.
const saturation, minus1 = 256.6, 213.8

func TestEveryScenario(t *testing.T) {
	entries := List()
	require.NotEmpty(t, entries)
	for _, e := range entries {
		t.Run(e.Name, func(t *testing.T) {
			data, ok := Read(e.Name)
			require.True(t, ok, "the file is called as the scenario")
			s, err := spec.Parse(e.Name+".yaml", data, nil)
			require.NoError(t, err)
			assert.Equal(t, e.Question, s.Question)
			assert.True(t, strings.HasSuffix(s.Question, "?"), "it asks")
			assert.LessOrEqual(t, s.Length()+s.Drain(), time.Minute, "it fits a minute")
			for _, chapter := range []string{"# What happens", "# What a healthy server does", "# How to read the result", "# The control"} {
				assert.Contains(t, string(data), chapter)
			}
			text := spec.Explain(s, spec.ExplainInfo{Saturation: saturation, Minus1: minus1})
			assert.NotContains(t, text, "\n!", "nothing to warn of")
			golden(t, e.Name+".golden", text)
		})
	}
}

// A file that went through a map, and so lost its order and comments, is the same scenario.
func TestDigestIsStableAcrossOrder(t *testing.T) {
	for _, e := range List() {
		data, _ := Read(e.Name)
		want, err := spec.Parse("x.yaml", data, nil)
		require.NoError(t, err)
		var m map[string]any
		require.NoError(t, yaml.Unmarshal(data, &m))
		for range 5 {
			shuffled, err := yaml.Marshal(m)
			require.NoError(t, err)
			got, err := spec.Parse("x.yaml", shuffled, nil)
			require.NoError(t, err)
			assert.Equal(t, want.Digest, got.Digest)
		}
	}
}

// The control group of a scenario is the scenario: only the protections differ.
func TestControlDiffersOnlyInResilience(t *testing.T) {
	data, _ := Read("gpu-oom")
	full, err := spec.Parse("gpu-oom.yaml", data, nil)
	require.NoError(t, err)
	none, err := spec.Parse("gpu-oom.yaml", data, []string{"target.refserver.resilience=none"})
	require.NoError(t, err)
	assert.Equal(t, "none", none.Target.Resilience)
	assert.NotEqual(t, full.Digest, none.Digest)
	none.Target.Resilience = full.Target.Resilience
	assert.Equal(t, []any{full.Target, full.Load, full.SLO, full.Faults, full.Client}, []any{none.Target, none.Load, none.SLO, none.Faults, none.Client})
}

// The rate that provokes the client's own guard must be accepted.
func TestAbsurdRateParses(t *testing.T) {
	data, _ := Read("steady")
	s, err := spec.Parse("steady.yaml", data, []string{"load.arrivals.rate=200000/s"})
	require.NoError(t, err)
	assert.InDelta(t, 200_000, s.Load.Arrivals.Rate, 0)
}

func TestReadUnknown(t *testing.T) {
	for _, name := range []string{"", "nope", "../library", "steady.yaml", "./steady", "a/b"} {
		_, ok := Read(name)
		assert.False(t, ok, name)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update and read the difference")
}
