package saturation

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

func example() File {
	f := File{Version: Version, Run: "20261121T114801-saturate-steady-7f3a", Started: time.Date(2026, 11, 21, 11, 48, 1, 0, time.UTC),
		Seconds: 312, Tool: "brownout 0.1.0", Scenario: Scenario{Name: "steady", File: "steady.yaml (built-in)", Digest: "ab", Seed: 1},
		Target: Target{Kind: "refserver", URL: "http://127.0.0.1:1", Model: "llama-3.1-8b", Replicas: 6, Fingerprint: "cd"},
		Load:   Load{Process: "poisson", PromptMean: 512, OutputMean: 64}, Limits: slo.Limits{TTFT: time.Second, E2E: 10 * time.Second},
		Gates: []string{"goodput >= 99%"}, Status: "found", Why: "the interval is narrow enough",
		Best: 251.3, Low: 245.2, High: 257.4, Confidence: 0.95, Model: 256.6,
		Probes: []Probe{
			{Asked: 160, Rate: 158.2, Delivered: 158.2, Due: 2373, Good: 2373, Goodput: 1, TTFTP99: 0.081, E2EP99: 1.2, Verdict: slo.Pass, Trend: Trend{Due: 2373, PiledUp: 3}, Seconds: 25, Dir: "x"},
			{Asked: 320, Rate: 321, Delivered: 321, Due: 4815, Good: 400, Goodput: 0.083, TTFTP99: slo.Infinite, Verdict: slo.Fail, Why: "goodput >= 99% does not hold: 8.3 %"},
		},
		Environment: map[string]string{"cpus": "2"}}
	f.Summary = Summarize(f)
	return f
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	require.NoError(t, Write(path, example()))
	got, err := Read(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, example(), got)
	bears, err := got.Usable()
	require.NoError(t, err)
	assert.InDelta(t, 251.3, bears, 1e-9)

	require.NoError(t, Write(path, File{Run: "x", Status: "nothing", Target: Target{Kind: "foreign"}}), "nil lists are empty ones")
	got, err = Read(path)
	require.NoError(t, err)
	_, err = got.Usable()
	require.ErrorContains(t, err, "did not find")
}

func TestBadFilesAreRefused(t *testing.T) {
	good, err := encode(example())
	require.NoError(t, err)
	for text, says := range map[string]string{
		"":   "not JSON",
		"{}": "lacks",
		strings.Replace(string(good), Version, "brownout.result/v1", 1):                "its version is",
		strings.Replace(string(good), `"found"`, `"maybe"`, 1):                         "status",
		strings.Replace(string(good), `"rate_per_s": 251.3`, `"rate_per_s": -1`, 1):    "rate_per_s",
		strings.Replace(string(good), `"rate_per_s": 251.3`, `"rate_per_s": "251"`, 1): "rate_per_s",
		strings.Repeat(" ", MaxBytes) + string(good):                                   "larger than",
	} {
		_, err := Decode([]byte(text))
		require.ErrorContains(t, err, says)
	}
	_, err = Read(filepath.Join(t.TempDir(), "none.json"))
	require.ErrorContains(t, err, "brownout saturate --save")
	require.Error(t, Write(filepath.Join(t.TempDir(), FileName), File{Status: "maybe"}))
}

// Every field of the file is in the schema, by its name.
func TestSchemaKnowsEveryField(t *testing.T) {
	text, err := encode(example())
	require.NoError(t, err)
	var doc any
	require.NoError(t, json.Unmarshal(text, &doc))
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if key == "environment" || key == "limits" {
					continue
				}
				assert.Contains(t, string(Schema()), `"`+key+`"`)
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(doc)
}

func FuzzDecode(f *testing.F) {
	good, err := encode(example())
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Decode(text)
		if err != nil {
			return
		}
		if _, err := encode(file); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func TestSentences(t *testing.T) {
	f := example()
	assert.Equal(t, "Saturation: 251 requests/s (between 245 and 257) at 512/64 tokens inside ttft ≤ 1s, e2e ≤ 10s; 60 % of that is 151/s.", f.Summary[0])
	assert.Contains(t, f.Summary[1], "timing model says 257")
	for status, says := range map[string]string{"at-least": "at least 245 requests/s", "at-most": "less than 257 requests/s", "nothing": "not known", "unfinished": "between"} {
		f.Status = status
		assert.Contains(t, Summarize(f)[0], says)
		assert.Contains(t, Summarize(f)[1], "ended early")
	}
	f.Probes = append(f.Probes, Probe{Verdict: slo.Unknown, Word: "client-limited"})
	f.Status = "at-least"
	assert.Contains(t, Summarize(f)[1], "the load generator is the limit")
	for v, want := range map[float64]string{0.0667: "0.07", 3: "3", 42.83: "42.8", 251.3: "251", 12345.6: "12346"} {
		assert.Equal(t, want, number(v))
	}
}

func TestTables(t *testing.T) {
	f := example()
	assert.Equal(t, "   158/s      158/s   100.0%     81 ms         3  pass", Row(f.Probes[0]))
	assert.Contains(t, Row(f.Probes[1]), "∞")
	f.Target.Model = "a|<b>"
	var b bytes.Buffer
	require.NoError(t, Markdown(&b, f))
	assert.Contains(t, b.String(), `## Saturation of a\|&lt;b&gt;`)
	assert.Contains(t, b.String(), "| 158/s | 158/s | 100.0 % | 81 ms | 3 | pass |")
}
