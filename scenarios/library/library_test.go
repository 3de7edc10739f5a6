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

	"github.com/brownout-dev/brownout/refserver"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

var update = flag.Bool("update", false, "write golden files")

// info is what the real server says its saturation is for the scenario's load.
func info(t *testing.T, s *spec.Spec) spec.ExplainInfo {
	t.Helper()
	name, data, err := target.ServerConfig(s.Target.Preset, s.Target.ConfigFile, s.Target.Settings)
	require.NoError(t, err)
	cfg, err := refserver.Parse(name, data)
	require.NoError(t, err)
	all, minus1 := refserver.Saturation(cfg, int(s.Load.Prompt.Mean), int(s.Load.Output.Mean))
	return spec.ExplainInfo{Saturation: all, Minus1: minus1}
}

func TestEveryScenario(t *testing.T) {
	entries := List()
	require.NotEmpty(t, entries)
	for _, e := range entries {
		t.Run(e.Name, func(t *testing.T) {
			data, ok := Read(e.Name)
			require.True(t, ok, "the file is called as the scenario")
			s, err := spec.ParseWith(e.Name+".yaml", data, nil, refserverSays)
			require.NoError(t, err)
			assert.Equal(t, e.Question, s.Question)
			assert.True(t, strings.HasSuffix(s.Question, "?"), "it asks")
			assert.LessOrEqual(t, s.Length()+s.Drain(), time.Minute, "it fits a minute")
			for _, chapter := range []string{"# What happens", "# What a healthy server does", "# How to read the result", "# The control"} {
				assert.Contains(t, string(data), chapter)
			}
			text := spec.Explain(s, info(t, s))
			assert.NotContains(t, text, "\n!", "nothing to warn of")
			golden(t, e.Name+".golden", text)
		})
	}
}

// refserverSays is what the real server says of the settings of a scenario, and of its variants.
func refserverSays(t spec.Target) error {
	name, data, err := target.ServerConfig(t.Preset, t.ConfigFile, t.Settings)
	if err != nil {
		return err
	}
	_, err = refserver.Parse(name, data)
	return err
}

// A check that nothing could fail would prove nothing.
func TestSettingsAreChecked(t *testing.T) {
	data, _ := Read("ablation-resume")
	text := strings.Replace(string(data), "router.resumes=0", "router.resume=0", 1)
	_, err := spec.ParseWith("x.yaml", []byte(text), nil, refserverSays)
	assert.ErrorContains(t, err, `did you mean "resumes"?`)
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
