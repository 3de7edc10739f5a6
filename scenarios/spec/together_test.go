package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Every way to say when, with every way to say what.
func TestContentOfEveryProcess(t *testing.T) {
	const what = lengths + "  prefix: {tokens: 64, pool: 3}\n  cancel: {share: 5%, after: 500ms}\n" +
		"  mix: [{class: chat, weight: 3}, {class: batch, prompt_tokens: 4096, prefix: {tokens: 0}}]\n"
	const talk = "  conversation: {turns: 3, think: 2s}\n"
	for _, block := range []string{
		"  arrivals: {process: gamma, rate: 130/s, cv: 2}\n" + what + talk,
		"  arrivals: {process: onoff, rate: 130/s, on: 2s, off: 3s, floor: 40/s}\n" + what + talk,
		"  arrivals: {rate: 50/s, stages: [{for: 10s, to: 150/s}], spikes: [{at: fault+1s, for: 2s, rate: 500/s}]}\n" + what + talk,
		"  arrivals: {process: closed, concurrency: 32, think: 500ms}\n" + what,
		"  arrivals: {process: trace, trace: {file: " + tracePath(t, 300) + "}}\n  cancel: {share: 5%, after_tokens: 10}\n",
		"  like: azure-2023-conversation\n  mix: [{class: chat}, {class: batch, output_tokens: 9}]\n" + talk,
	} {
		text := withLoad(block)
		s := parse(t, text)
		require.NoError(t, s.Load.Validate(), block)
		require.NoError(t, schema(t).Validate(instance(t, []byte(text))), block)
		said := Explain(s, ExplainInfo{Saturation: 220})
		assert.NotContains(t, said, "NaN", block)
		assert.NotContains(t, said, "+Inf", block)
	}
	fit, _ := load.FitNamed("azure-2023-conversation")
	s := parse(t, withLoad("  like: azure-2023-conversation\n  mix: [{class: chat}, {class: batch, output_tokens: 9}]\n"))
	assert.Equal(t, fit.Prompt, s.Load.Classes()[1].Prompt, "a class takes what the load is like")
	assert.InDelta(t, 9, s.Load.Classes()[1].Output.Mean, 0)
}

func TestExplainContentOfEveryProcess(t *testing.T) {
	var all strings.Builder
	trace := tracePath(t, 300)
	for _, block := range []string{
		"  arrivals: {rate: 50/s, stages: [{for: 10s, to: 150/s}]}\n" + lengths + "  conversation: {turns: 3, think: 2s}\n",
		"  arrivals: {process: closed, concurrency: 32}\n" + lengths + "  cancel: {share: 5%, after: 500ms}\n  mix: [{class: chat, weight: 3}, {class: batch, prompt_tokens: 4096}]\n",
		"  arrivals: {process: trace, trace: {file: " + trace + "}}\n  cancel: {share: 5%, after_tokens: 10}\n",
		"  like: azure-2023-conversation\n  mix: [{class: chat}, {class: batch, output_tokens: 9}]\n",
	} {
		said := Explain(parse(t, withLoad(block)), ExplainInfo{Saturation: 220})
		from, to := strings.Index(said, "Load "), strings.Index(said, "Timeline")
		guard := ""
		for line := range strings.Lines(said) {
			if strings.Contains(line, "known stream") {
				guard = line
			}
		}
		fmt.Fprintf(&all, "# %s\n%s%s\n", strings.ReplaceAll(block, trace, "DIR/ten.csv"), said[from:to], guard)
	}
	golden(t, "explain-together.golden", all.String())
}

// What cannot be together is refused at its line, with a mend.
func TestWhatCannotBeTogether(t *testing.T) {
	trace := "  arrivals: {process: trace, trace: {file: " + tracePath(t, 300) + "}}\n"
	const closed = "  arrivals: {process: closed, concurrency: 3}\n" + lengths
	const talk = "  conversation: {turns: 3, think: 2s}\n"
	for _, tc := range []struct {
		block string
		says  []string
	}{
		{trace + talk, []string{"8: load.conversation: stands beside a trace, which has the turns as requests of their own; remove it, or write another arrivals.process"}},
		{trace + "  prefix: {tokens: 64, pool: 3}\n", []string{"8: load.prefix: stands beside a trace"}},
		{trace + "  mix: [{class: a}]\n", []string{"8: load.mix: stands beside a trace"}},
		{trace + talk + "  prefix: {tokens: 64, pool: 3}\n  mix: [{class: a, conversation: {turns: 3, think: 2s}}]\n",
			[]string{"8: load.conversation", "9: load.prefix", "10: load.mix"}},
		{closed + talk, []string{"10: load.conversation: stands beside a closed loop"}},
		{closed + "  mix:\n    - {class: a}\n    - class: b\n      conversation: {turns: 3, think: 2s}\n", []string{"13: load.mix[1].conversation: stands beside a closed loop"}},
	} {
		_, err := Parse("x.yaml", []byte(withLoad(tc.block)), nil)
		require.Error(t, err, tc.block)
		problems, ok := errors.AsType[yamlx.Problems](err)
		require.True(t, ok)
		require.Len(t, problems, len(tc.says), "%s: %v", tc.block, err)
		for i, want := range tc.says {
			p := problems[i]
			assert.Contains(t, fmt.Sprintf("%d: %s: %s; %s", p.Line, p.Path, p.What, p.Mend), want)
		}
	}
}
