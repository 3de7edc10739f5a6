package lies

import (
	"fmt"
	"strings"
)

// plan is the little that differs between the scenarios of the suite.
type plan struct {
	rate   int    // requests/s, in even gaps
	output int    // tokens an answer [8]
	phases string // [all: 4 s]
	fault  string // at and inject, if there is one
	limits string // [ttft: 300ms, e2e: 3s]
	gates  string
	load   string // more keys of load
	extra  string // more keys at the top
}

// yaml writes the scenario out.
func (p plan) yaml() string {
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	output := max(p.output, 8)
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: brownout/v1\nname: lie\nquestion: Is brownout fooled?\nload:\n")
	fmt.Fprintf(&b, "  arrivals: {process: constant, rate: %d/s}\n  prompt_tokens: 16\n  output_tokens: %d\n  stream: true\n", p.rate, output)
	if p.load != "" {
		fmt.Fprintf(&b, "  %s\n", p.load)
	}
	fmt.Fprintf(&b, "phases: %s\n", or(p.phases, "[{name: all, for: 4s}]"))
	if p.fault != "" {
		fmt.Fprintf(&b, "faults: [{%s}]\n", p.fault)
	}
	fmt.Fprintf(&b, "slo:\n  limits: {%s}\n  gates: {%s}\n", or(p.limits, "ttft: 300ms, e2e: 3s"), p.gates)
	b.WriteString("timeouts: {connect: 1s, ttft: 2s, stall: 2s, total: 4s}\n")
	if p.extra != "" {
		b.WriteString(p.extra + "\n")
	}
	return b.String()
}
