package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// withLoad is the base with another load block.
func withLoad(block string) string {
	from := strings.Index(base, "load:\n")
	to := strings.Index(base, "phases:\n")
	return base[:from] + "load:\n" + block + base[to:]
}

const lengths = "  prompt_tokens: 512\n  output_tokens: 64\n"

// tracePath writes a trace of n requests, ten a second, and says where.
func tracePath(t *testing.T, n int) string {
	t.Helper()
	text := "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	start := time.Date(2023, 11, 16, 18, 0, 0, 0, time.UTC)
	for i := range n {
		text += fmt.Sprintf("%s,%d,%d\n", start.Add(time.Duration(i)*100*time.Millisecond).Format("2006-01-02 15:04:05.0000000"), 100+i, i%50)
	}
	name := filepath.Join(t.TempDir(), "ten.csv")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestParseArrivals(t *testing.T) {
	trace := tracePath(t, 600)
	azure, _ := load.FitNamed("azure-2023-code")
	for block, want := range map[string]load.Arrivals{
		"  arrivals: {process: gamma, rate: 130/s, cv: 2}\n" + lengths:                       {Process: load.Gamma, Rate: 130, CV: 2},
		"  arrivals: {process: onoff, rate: 60/m, on: 5s, off: 20s, floor: 6/m}\n" + lengths: {Process: load.OnOff, Rate: 1, On: 5 * time.Second, Off: 20 * time.Second, Floor: 0.1},
		"  arrivals: {process: closed, concurrency: 32, think: 500ms}\n" + lengths:           {Process: load.Closed, Concurrency: 32, Think: 500 * time.Millisecond},
		"  arrivals:\n    rate: 50/s\n    stages: [{for: 10s, to: 150/s}, {for: 0s, to: 300/s}]\n    spikes: [{at: fault+1s, for: 2s, rate: 500/s}, {at: 3s, for: 1s, rate: 1/s}]\n" + lengths: {
			Process: load.Poisson, Rate: 50, Stages: []load.Stage{{For: 10 * time.Second, To: 150}, {To: 300}},
			Spikes: []load.Spike{{At: 18 * time.Second, For: 2 * time.Second, Rate: 500}, {At: 3 * time.Second, For: time.Second, Rate: 1}}},
		"  like: azure-2023-code\n":                                                        azure.Arrivals,
		"  like: azure-2023-code\n  arrivals: {rate: 20/s}\n":                              {Process: load.OnOff, Rate: 20, On: azure.Arrivals.On, Off: azure.Arrivals.Off},
		"  like: azure-2023-code\n  arrivals: {process: poisson}\n":                        {Process: load.Poisson, Rate: 2.57},
		"  like: mooncake-synthetic\n  arrivals: {rate: 2/s}\n":                            {Process: load.Gamma, Rate: 2, CV: 1.01},
		"  like: azure-2023-conversation\n  arrivals: {process: closed, concurrency: 3}\n": {Process: load.Closed, Concurrency: 3},
	} {
		s := parse(t, withLoad(block))
		assert.Equal(t, want, s.Load.Arrivals, block)
		require.NoError(t, s.Load.Validate(), block)
		require.NoError(t, schema(t).Validate(instance(t, []byte(withLoad(block)))), block)
	}
	s := parse(t, withLoad("  arrivals: {process: trace, trace: {file: "+trace+", speed: 2, from: 10s, jitter: 1s}}\n"))
	assert.Equal(t, trace, s.Load.Arrivals.Trace.File)
	assert.Len(t, s.Load.Arrivals.Trace.SHA256, 64, "the plan pins the file")
	assert.Equal(t, 500, s.Load.TraceInfo().Requests)
	assert.InDelta(t, 449.5, s.Load.Prompt.Mean, 0)
	require.NoError(t, s.Load.Validate())
	c := s.WithSeed(4)
	assert.NotEqual(t, s.Load.Expected(0, time.Second), c.Load.Expected(0, time.Second), "jitter draws anew")
	assert.Equal(t, s.Load.Arrivals, c.Load.Arrivals)
}

func TestATraceIsFoundBesideTheScenario(t *testing.T) {
	trace := tracePath(t, 100)
	text := withLoad("  arrivals: {process: trace, trace: {file: ten.csv}}\n")
	s, err := Parse(filepath.Join(filepath.Dir(trace), "x.yaml"), []byte(text), nil)
	require.NoError(t, err)
	assert.Equal(t, trace, s.Load.Arrivals.Trace.File)
}

func TestLikeFillsInLengths(t *testing.T) {
	fit, _ := load.FitNamed("mooncake-conversation")
	s := parse(t, withLoad("  like: mooncake-conversation\n"))
	assert.Equal(t, fit.Prompt, s.Load.Prompt)
	assert.Equal(t, fit.Output, s.Load.Output)
	s = parse(t, withLoad("  like: mooncake-conversation\n  output_tokens: 9\n"))
	assert.Equal(t, fit.Prompt, s.Load.Prompt)
	assert.InDelta(t, 9, s.Load.Output.Mean, 0, "what the file says wins")
}

func TestMaxInFlightFollowsTheLoad(t *testing.T) {
	for block, want := range map[string]int{
		"  arrivals: {process: closed, concurrency: 32}\n":                      32,
		"  arrivals: {rate: 60/s, spikes: [{at: 1s, for: 1s, rate: 340/s}]}\n":  8000,
		"  arrivals: {rate: 60/s, stages: [{for: 1s, to: 9/s}]}\n":              1200,
		"  arrivals: {process: onoff, rate: 60/s, on: 1s, off: 3s}\n":           4800,
		"  arrivals: {process: closed, concurrency: 32}\n  max_in_flight: 40\n": 40,
	} {
		assert.Equal(t, want, parse(t, withLoad(block+lengths)).Load.MaxInFlight, block)
	}
}

func TestWrongArrivals(t *testing.T) {
	trace := tracePath(t, 20)
	dir := filepath.Dir(trace)
	bad := filepath.Join(dir, "bad.csv")
	require.NoError(t, os.WriteFile(bad, []byte("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,1,1\nyesterday,1,1\n2023-11-16 18:15:46.68,x,1\n"), 0o600))
	var all strings.Builder
	for _, m := range [][2]string{
		{"gamma without cv", "  arrivals: {process: gamma, rate: 5/s}\n" + lengths},
		{"cv of zero", "  arrivals: {process: gamma, rate: 5/s, cv: 0}\n" + lengths},
		{"cv of a hundred", "  arrivals: {process: gamma, rate: 5/s, cv: 100}\n" + lengths},
		{"cv of Poisson", "  arrivals: {rate: 5/s, cv: 2}\n" + lengths},
		{"onoff without lengths", "  arrivals: {process: onoff, rate: 5/s}\n" + lengths},
		{"floor above the mean", "  arrivals: {process: onoff, rate: 5/s, on: 1s, off: 1s, floor: 6/s}\n" + lengths},
		{"closed with a rate", "  arrivals: {process: closed, rate: 5/s, concurrency: 3}\n" + lengths},
		{"closed without users", "  arrivals: {process: closed}\n" + lengths},
		{"closed with stages", "  arrivals: {process: closed, concurrency: 3, stages: [{for: 1s, to: 5/s}]}\n" + lengths},
		{"too few in flight for the users", "  arrivals: {process: closed, concurrency: 30}\n  max_in_flight: 3\n" + lengths},
		{"users of an open loop", "  arrivals: {rate: 5/s, concurrency: 3, think: 1s}\n" + lengths},
		{"stage without a rate", "  arrivals: {rate: 5/s, stages: [{for: 1s, to: fast}]}\n" + lengths},
		{"stage after the end", "  arrivals: {rate: 5/s, stages: [{for: 50s, to: 9/s}, {for: 1s, to: 5/s}]}\n" + lengths},
		{"stages that add up to too much", "  arrivals: {rate: 5/s, stages: [{for: 0s, to: 1000000/s}], spikes: [{at: 0s, for: 41s, rate: 1000000/s}]}\n" + lengths},
		{"nothing but zero", "  arrivals: {rate: 0/s, stages: [{for: 1s, to: 0/s}]}\n" + lengths},
		{"spike in an unknown phase", "  arrivals: {rate: 5/s, spikes: [{at: fualt, for: 1s, rate: 5/s}]}\n" + lengths},
		{"spike after the end", "  arrivals: {rate: 5/s, spikes: [{at: after+20s, for: 1s, rate: 5/s}]}\n" + lengths},
		{"spike of no length", "  arrivals: {rate: 5/s, spikes: [{at: fault, rate: 5/s}]}\n" + lengths},
		{"unknown likeness", "  like: azure-2023\n"},
		{"likeness without a rate", "  like: mooncake-synthetic\n"},
		{"trace of another process", "  arrivals: {rate: 5/s, trace: {file: ten.csv}}\n" + lengths},
		{"trace without a file", "  arrivals: {process: trace}\n"},
		{"trace with a rate", "  arrivals: {process: trace, rate: 5/s, trace: {file: ten.csv}}\n"},
		{"trace with lengths", "  arrivals: {process: trace, trace: {file: ten.csv}}\n" + lengths},
		{"trace that is not there", "  arrivals: {process: trace, trace: {file: /none/x.csv}}\n"},
		{"trace of another format", "  arrivals: {process: trace, trace: {file: ten.csv, format: mooncake}}\n"},
		{"trace of an unknown format", "  arrivals: {process: trace, trace: {file: ten.csv, format: otel}}\n"},
		{"trace at no speed", "  arrivals: {process: trace, trace: {file: ten.csv, speed: 0}}\n"},
		{"trace from behind its end", "  arrivals: {process: trace, trace: {file: ten.csv, from: 5m}}\n"},
		{"trace with wrong lines", "  arrivals: {process: trace, trace: {file: bad.csv}}\n"},
	} {
		_, err := Parse(filepath.Join(dir, "gpu-oom.yaml"), []byte(withLoad(m[1])), nil)
		require.Error(t, err, m[0])
		problems, ok := err.(yamlx.Problems) //nolint:errorlint // Parse promises the type
		require.True(t, ok, m[0])
		for _, p := range problems {
			assert.NotEmpty(t, p.Mend, "%s: %s", m[0], p)
			assert.NotZero(t, p.Line, "%s: %s", m[0], p)
		}
		fmt.Fprintf(&all, "# %s\n%s\n\n", m[0], strings.ReplaceAll(err.Error(), dir+"/", ""))
	}
	golden(t, "arrivals-mistakes.golden", all.String())
}

func TestExplainArrivals(t *testing.T) {
	trace := tracePath(t, 300)
	var all strings.Builder
	for _, block := range []string{
		"  arrivals: {process: gamma, rate: 130/s, cv: 2}\n" + lengths,
		"  arrivals: {process: onoff, rate: 130/s, on: 2s, off: 3s, floor: 40/s}\n" + lengths,
		"  arrivals: {rate: 50/s, stages: [{for: 10s, to: 150/s}, {for: 0s, to: 100/s}], spikes: [{at: fault+1s, for: 2s, rate: 500/s}]}\n" + lengths,
		"  arrivals: {process: closed, concurrency: 32, think: 500ms}\n" + lengths,
		"  arrivals: {process: trace, trace: {file: " + trace + ", speed: 1.5}}\n",
		"  like: azure-2023-code\n",
	} {
		text := Explain(parse(t, withLoad(block)), ExplainInfo{Saturation: 220, Minus1: 183})
		of := func(from, to string) string {
			_, text, ok := strings.Cut(text, "\n"+from)
			require.True(t, ok)
			text, _, _ = strings.Cut(from+text, to)
			return text
		}
		warnings := ""
		if _, all, ok := strings.Cut(text, "\n!"); ok {
			warnings = "!" + all
		}
		fmt.Fprintf(&all, "# %s\n%s%s\n%s\n", strings.ReplaceAll(block, filepath.Dir(trace), "DIR"), of("Load", "\nTimeline"), of("Gates", "\nRuns as"), warnings)
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, len(line), width+64, line)
		}
	}
	golden(t, "explain-arrivals.golden", all.String())
}
