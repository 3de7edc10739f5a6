package render

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/slo"
)

// comparison has a metric of every answer.
func comparison() compare.Comparison {
	interval := func(m compare.Metric, low, high float64) compare.Metric {
		m.Low, m.High = &low, &high
		return m
	}
	return compare.Comparison{
		Version: compare.Version, Answer: slo.Fail, ExitCode: 99, Paired: true,
		A:        compare.SideInfo{Name: ".brownout/baselines/gpu-oom.json", Scenario: "gpu-oom", Runs: 5},
		B:        compare.SideInfo{Name: "this run", Scenario: "gpu-oom", Runs: 1},
		Min:      compare.MinEffect{Relative: 0.05, Request: 1e-3, Token: 0.2e-3, Share: 0.01},
		Reasons:  []string{"Fail: this run is worse than .brownout/baselines/gpu-oom.json in 2 of 8 metrics: p99 ttft in after, p99 e2e in after.", "Better: p50 ttft in before."},
		Warnings: []string{`.brownout/baselines/gpu-oom.json was made on kernel "6.1" and this run on "6.18".`},
		Metrics: []compare.Metric{
			interval(compare.Metric{Scope: "after", Name: "p99 ttft", A: 0.046, B: 0.052, Difference: 0.006, Answer: compare.Worse}, 0.00414, 0.00782),
			{Scope: "after", Name: "p99 e2e", A: 0.8, B: slo.Infinite, Answer: compare.Worse},
			interval(compare.Metric{Scope: "before", Name: "p50 ttft", A: 0.03, B: 0.02, Difference: -0.01, Answer: compare.Better}, -0.011, -0.009),
			interval(compare.Metric{Scope: "before", Name: "p50 itl", A: 0.0075, B: 0.0075, Answer: compare.Same}, -0.0001, 0.0001),
			interval(compare.Metric{Scope: "run", Name: "p99 itl", A: 0.04, B: 0.036, Difference: -0.004, Answer: compare.NotWorse}, -0.009, 0.001),
			interval(compare.Metric{Scope: "fault", Name: "p99 tpot", A: 0.02, B: 0.023, Difference: 0.003, Answer: compare.Unknown, Why: "the interval is too wide", NeedRuns: 9}, -0.002, 0.008),
			interval(compare.Metric{Scope: "fault", Name: "goodput", A: 0.998, B: 0.9975, Difference: -0.0005, Answer: compare.Same}, -0.004, 0.003),
		},
		Recovery: []compare.Metric{{Scope: "gpu.oom on gpu=n2/g1 for 10s", Name: "ttr", NA: 5, NB: 1, A: 0, B: 1.2, Difference: 1.2, Answer: compare.Unknown, Shown: true, Why: "it takes five runs a side"}},
	}
}

func TestComparison(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Comparison(&b, comparison(), TerminalOptions{}))
	golden(t, "comparison.txt", b.String())
	assert.NotContains(t, b.String(), "\x1b")
	b.Reset()
	require.NoError(t, Comparison(&b, comparison(), TerminalOptions{Color: true, Width: 60}))
	assert.Contains(t, b.String(), "\x1b[31m")
	b.Reset()
	require.NoError(t, ComparisonMarkdown(&b, comparison()))
	golden(t, "comparison.md", b.String())
}

func TestMetricSentence(t *testing.T) {
	assert.Equal(t, "p99 ttft in phase after: 46.0 ms → 52.0 ms (+13 %, 95 % interval +9.0 … +17 %): worse", metricSentence(comparison().Metrics[0]))
	assert.Equal(t, "p99 e2e in phase after: 800.0 ms → ∞ (failed): worse", metricSentence(comparison().Metrics[1]))
}

// Names come from file names and files: they cannot become markup, nor steer the terminal.
func TestComparisonOfHostileNames(t *testing.T) {
	c := comparison()
	hostile := "<script>alert(1)</script>|[x](http://evil)@all\x1b[2J\u202e"
	c.A.Name, c.B.Scenario = hostile, hostile
	c.Reasons, c.Warnings = []string{hostile}, []string{hostile}
	c.Metrics[0].Scope, c.Recovery[0].Scope = hostile, hostile
	var b bytes.Buffer
	require.NoError(t, ComparisonMarkdown(&b, c))
	tags, _ := seen(t, b.String())
	assert.Zero(t, tags["script"])
	assert.Zero(t, tags["a"])
	assert.NotContains(t, b.String(), "@all")
	b.Reset()
	require.NoError(t, Comparison(&b, c, TerminalOptions{}))
	assert.NotContains(t, b.String(), "\x1b")
	assert.NotContains(t, b.String(), "\u202e")
}
