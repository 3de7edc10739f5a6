package spec

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/load"
)

// Every example of docs/load.md is a load that a scenario may have.
func TestDocumentedLoads(t *testing.T) {
	page, err := os.ReadFile("../../docs/load.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(load:\n.*?)```").FindAllStringSubmatch(string(page), -1)
	require.GreaterOrEqual(t, len(blocks), 8)
	dir := t.TempDir()
	var csv strings.Builder
	csv.WriteString("TIMESTAMP,ContextTokens,GeneratedTokens\n")
	for i := range 60 * 60 {
		fmt.Fprintf(&csv, "2023-11-16 18:%02d:%02d.5,300,20\n", i/60, i%60)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "AzureLLMInferenceTrace_conv.csv"), []byte(csv.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "conversation_trace.jsonl"),
		[]byte(`{"timestamp": 0, "input_length": 600, "output_length": 9, "hash_ids": [0, 1]}`+"\n"), 0o600))
	for _, b := range blocks {
		text := withLoad(strings.TrimPrefix(b[1], "load:\n"))
		s, err := Parse(filepath.Join(dir, "x.yaml"), []byte(text), nil)
		require.NoError(t, err, b[1])
		require.NoError(t, s.Load.Validate())
		assert.NoError(t, schema(t).Validate(instance(t, []byte(text))), b[1])
	}
}

// The table of fits says what the fits are.
func TestDocumentedFits(t *testing.T) {
	page, err := os.ReadFile("../../docs/load.md")
	require.NoError(t, err)
	thousandsOf := func(l load.Length) string { // median and cut
		p50 := int(math.Round(l.Mean * math.Exp(-l.Spread*l.Spread/2)))
		return thousands(p50) + ", " + thousands(l.Max)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(string(page), -1)
	var names []string
	for _, row := range rows {
		fit, ok := load.FitNamed(row[1])
		if !ok {
			continue
		}
		names = append(names, fit.Name)
		a := fit.Arrivals
		if a.Rate > 0 {
			assert.Equal(t, number(a.Rate)+"/s", row[2])
		}
		switch a.Process {
		case load.Gamma:
			assert.Equal(t, "gamma, cv "+strconv.FormatFloat(a.CV, 'g', -1, 64), row[3])
		case load.OnOff:
			assert.Equal(t, fmt.Sprintf("onoff, bursts of %s, pauses of %s", short(a.On), short(a.Off)), row[3])
		}
		assert.Equal(t, thousandsOf(fit.Prompt), row[4], fit.Name)
		assert.Equal(t, thousandsOf(fit.Output), row[5], fit.Name)
	}
	assert.Equal(t, load.FitNames(), names)
}
