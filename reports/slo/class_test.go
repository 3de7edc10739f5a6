package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/record"
)

// twoClasses is a run of chats that are answered at once and of every fourth request a batch job, whose
// first token comes after two seconds or never.
func twoClasses() *history {
	h := newHistory(100, 20)
	for i := range h.in.Records {
		r := &h.in.Records[i]
		r.Class = "chat"
		if i%4 != 0 {
			continue
		}
		r.Class = "batch"
		r.First, r.Last, r.End = r.Due+2e9, r.Due+3e9, r.Due+3e9
		if i%8 == 0 {
			broken(r, r.Due+10e6, record.RateLimited)
		}
	}
	return h
}

func TestAClassHasItsOwnLimitsAndExpectations(t *testing.T) {
	h := twoClasses()
	assert.InDelta(t, 0.75, Judge(h.in).Run.Goodput, 1e-9, "negative control: by the limits of all, batch jobs are bad")
	h.in.Spec.Classes = map[string]Class{"batch": {Limits: Limits{TTFT: 10 * time.Second}}}
	assert.InDelta(t, 0.875, Judge(h.in).Run.Goodput, 1e-9, "late is in time for a batch job, a 429 is not")
	h.in.Spec.Classes = map[string]Class{"batch": {Limits: Limits{TTFT: 10 * time.Second}, Expected: []record.Outcome{record.RateLimited}}}
	assert.InDelta(t, 1, Judge(h.in).Run.Goodput, 1e-9)
	h.in.Spec.Classes = map[string]Class{"batch": {}, "chat": {Limits: Limits{TTFT: time.Millisecond}}}
	assert.InDelta(t, 0.125, Judge(h.in).Run.Goodput, 1e-9, "a class's limits replace those of all, also by none")
	h.in.Spec.Classes, h.in.Spec.Expected = nil, []record.Outcome{record.RateLimited}
	assert.InDelta(t, 0.875, Judge(h.in).Run.Goodput, 1e-9)
}

func TestAGateOfAClassSeesItsRequestsOnly(t *testing.T) {
	h := twoClasses()
	h.in.Spec.Classes = map[string]Class{"batch": {Limits: Limits{TTFT: 10 * time.Second}}}
	for _, tc := range []struct {
		gate Gate
		want Verdict
		n    int
	}{
		{Gate{Scope: "all", Metric: "goodput", Op: ">=", Value: 0.99}, Fail, 2000},
		{Gate{Class: "chat", Scope: "all", Metric: "goodput", Op: ">=", Value: 0.99}, Pass, 1500},
		{Gate{Class: "batch", Scope: "all", Metric: "goodput", Op: ">=", Value: 0.5}, Pass, 500},
		{Gate{Class: "batch", Scope: "run", Metric: "goodput", Op: ">=", Value: 0.51}, Fail, 500},
		{Gate{Class: "batch", Scope: "run", Metric: "count", Of: "rate_limited", Op: "==", Value: 250}, Pass, 500},
		{Gate{Class: "chat", Scope: "run", Metric: "count", Of: "rate_limited", Op: "==", Value: 0}, Pass, 1500},
		{Gate{Class: "chat", Scope: "run", Metric: "ttft", P: 99, Op: "<=", Value: 0.1}, Pass, 1500},
		{Gate{Class: "batch", Scope: "run", Metric: "ttft", P: 99, Op: "<=", Value: 0.1}, Fail, 500},
		// The same share of the same run, but a fifth of the evidence: 500 cannot carry p99.9.
		{Gate{Class: "batch", Scope: "run", Metric: "sched_lag", P: 99.9, Op: "<=", Value: 0.1}, Unknown, 500},
		{Gate{Class: "nobody", Scope: "run", Metric: "goodput", Op: ">=", Value: 0}, Unknown, 0},
		{Gate{Class: "chat", Scope: "nowhere", Metric: "goodput", Op: ">=", Value: 0}, Unknown, 0},
		{Gate{Class: "chat", Scope: "run", Metric: "itl", P: 50, Op: "<=", Value: 1}, Unknown, 0},
	} {
		g := verdictOf(t, h, tc.gate)
		assert.Equal(t, tc.want, g.Verdict, "%s %s: %s", g.Place(), g.name(), g.Why)
		assert.Equal(t, tc.n, g.N, "%s", g.Why)
		if tc.gate.Class != "" && tc.gate.Scope == "run" {
			assert.Contains(t, g.Why, "class "+tc.gate.Class+" of the run")
		}
	}
	batch := Gate{Class: "batch", Scope: "run"}
	assert.Equal(t, "batch · run", batch.Place())
	all := Gate{Scope: "run"}
	assert.Equal(t, "run", all.Place())
}

func TestResultsByClass(t *testing.T) {
	assert.Empty(t, Judge(newHistory(100, 20).in).Classes, "without classes there is nothing to tell apart")
	h := twoClasses()
	// A failure of a class that does not stream is no failed stream.
	for i := range h.in.Records {
		if h.in.Records[i].Class == "batch" {
			h.in.Records[i].Streaming = false
		}
	}
	j := Judge(h.in)
	require.Len(t, j.Classes, 2)
	batch, chat := j.Classes[0], j.Classes[1]
	assert.Equal(t, []string{"batch", "chat"}, []string{batch.Class, chat.Class})
	assert.Equal(t, []int{500, 1500, 2000}, []int{batch.Run.Due, chat.Run.Due, j.Run.Due})
	assert.Equal(t, map[string]int{"ok": 250, "rate_limited": 250}, batch.Run.Outcomes)
	assert.Len(t, batch.Phases, 1)
	assert.Equal(t, []int{0, 250}, []int{j.Run.TTFT.Failed, j.Run.E2E.Failed})
	assert.Zero(t, batch.Run.ITL.N)
}

func TestCancelledPastALimitIsAnUnknownEndAndAKnownStart(t *testing.T) {
	h := newHistory(100, 20)
	for i := range 200 {
		r := &h.in.Records[i]
		r.Outcome, r.Last, r.End = record.Cancelled, 0, r.Due+900e6
		switch {
		case i < 50: // hung up in time
			r.First, r.End = 0, r.Due+400e6
		case i < 100: // waited past the limit, in vain
			r.First = 0
		case i < 150: // late, and then hung up
			r.First = r.Due + 600e6
		}
	}
	j := Judge(h.in)
	assert.Equal(t, []int{2000, 1800}, []int{j.Run.Due, j.Run.Good})
	assert.InDelta(t, 1800.0/1900, j.Run.Goodput, 1e-9, "100 of 200 cancels came too late to be nobody's fault")
	assert.Equal(t, []int{1850, 50}, []int{j.Run.TTFT.N, j.Run.TTFT.Failed})
	assert.Zero(t, j.Run.E2E.Failed)
}
