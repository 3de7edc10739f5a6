package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

func p99(metric string, value float64) Gate {
	return Gate{Scope: "all", Metric: metric, P: 99, Op: "<=", Value: value}
}

func verdictOf(t *testing.T, h *history, g Gate) GateResult {
	t.Helper()
	h.in.Spec.Gates = []Gate{g}
	r := Judge(h.in).Gates[0]
	require.NotEmpty(t, r.Why)
	return r
}

// Goodput over survivors would read 100 %: half of the requests fail fast, and every answer is quick.
func TestGoodputCountsTheDead(t *testing.T) {
	h := newHistory(100, 20)
	h.outage(5, 15)
	g := verdictOf(t, h, Gate{Scope: "all", Metric: "goodput", Op: ">=", Value: 0.99})
	assert.Equal(t, Fail, g.Verdict)
	assert.InDelta(t, 0.5, g.Got, 1e-9)
	assert.Equal(t, 2000, g.N)
	a := verdictOf(t, h, Gate{Scope: "all", Metric: "availability", Op: ">=", Value: 0.5})
	assert.Equal(t, Pass, a.Verdict)
}

// The same lie in percentiles: the survivors' p99 is fine, with failures it is infinite.
func TestPercentilesWithFailuresAreInfinite(t *testing.T) {
	h := newHistory(100, 20)
	h.outage(5, 6)
	g := verdictOf(t, h, p99("ttft", 0.5))
	assert.Equal(t, Fail, g.Verdict)
	assert.InDelta(t, Infinite, g.Got, 0)
	d := Judge(h.in).Run.TTFT
	assert.InDelta(t, 0.02, d.Completed["p99"], 1e-9)
	assert.InDelta(t, Infinite, d.WithFailures["p99"], 0)
	assert.InDelta(t, 0.02, d.WithFailures["p90"], 1e-9)
	assert.Equal(t, 100, d.Failed)

	// Failures that never got as far as a stream flag are failures of a streaming load all the same.
	for i := range h.in.Records {
		if r := &h.in.Records[i]; r.Outcome != record.OK {
			r.Streaming = false
		}
	}
	assert.Equal(t, Fail, verdictOf(t, h, p99("ttft", 0.5)).Verdict)
	assert.Equal(t, Fail, verdictOf(t, h, p99("e2e", 5)).Verdict)
	assert.Equal(t, Pass, verdictOf(t, h, p99("sched_lag", 0.01)).Verdict, "they were sent in time")
}

func TestPercentileGateIsThreeValued(t *testing.T) {
	for _, row := range []struct {
		requests, late int
		want           Verdict
	}{
		{1560, 0, Pass}, {1560, 5, Pass}, {1560, 16, Unknown}, {1560, 60, Fail},
		{200, 0, Unknown}, // too few to certify, however good
		{368, 0, Pass},
		{50, 10, Fail}, // too few to certify, enough to refute
	} {
		h := newHistory(100, float64(row.requests)/100)
		for i := range row.late {
			h.in.Records[i*3].First = h.in.Records[i*3].Due + 450e6
			h.in.Records[i*3].Last, h.in.Records[i*3].End = h.in.Records[i*3].First, h.in.Records[i*3].First
		}
		g := verdictOf(t, h, p99("ttft", 0.4))
		assert.Equal(t, row.want, g.Verdict, "%+v: %s", row, g.Why)
	}
}

func TestUnfinished(t *testing.T) {
	h := newHistory(100, 20)
	for i := range 100 {
		r := &h.in.Records[len(h.in.Records)-1-i]
		r.Outcome, r.End = record.Unfinished, r.Due+200e6
	}
	j := Judge(h.in)
	assert.Equal(t, 100, j.Run.Excluded)
	assert.InDelta(t, 1.0, j.Run.Goodput, 1e-9, "inside every limit: excluded")
	assert.Equal(t, 1900, j.Run.E2E.N)
	for i := range 100 {
		r := &h.in.Records[len(h.in.Records)-1-i]
		r.End = r.Due + 6e9 // past the e2e limit of 5 s
	}
	j = Judge(h.in)
	assert.Zero(t, j.Run.Excluded)
	assert.InDelta(t, 0.95, j.Run.Goodput, 1e-9)
	assert.Equal(t, 100, j.Run.E2E.Failed)
}

func TestCancelledAndExpectedAreNotBad(t *testing.T) {
	h := newHistory(100, 20)
	for i := range 100 {
		broken(&h.in.Records[i], s(1), record.Cancelled)
		h.in.Records[i].Harmed = 0 // a plan harms nobody
		broken(&h.in.Records[100+i], s(1.5), record.RateLimited)
	}
	j := Judge(h.in)
	assert.InDelta(t, 1800.0/1900, j.Run.Goodput, 1e-9)
	h.in.Spec.Expected = []record.Outcome{record.RateLimited}
	j = Judge(h.in)
	assert.InDelta(t, 1.0, j.Run.Goodput, 1e-9)
	assert.Zero(t, j.Run.TTFT.Failed)
}

func TestOneTokenAnswersKeepTPOT(t *testing.T) {
	h := newHistory(100, 20)
	for i := range h.in.Records {
		h.in.Records[i].OutputTokens = 1
	}
	g := verdictOf(t, h, p99("tpot", 0.001))
	assert.Equal(t, Pass, g.Verdict)
	assert.Equal(t, 2000, g.N)
	assert.Zero(t, Judge(h.in).Run.TPOT.N, "but they are no samples of it")
}

func TestGapGate(t *testing.T) {
	h := newHistory(100, 20)
	for sec := range 20 {
		for range 100 {
			h.in.Gaps.Add(sec, 20*time.Millisecond)
		}
	}
	assert.Equal(t, Pass, verdictOf(t, h, p99("itl", 0.05)).Verdict)
	for range 100 {
		h.in.Gaps.Add(3, 80*time.Millisecond)
	}
	assert.Equal(t, Fail, verdictOf(t, h, p99("itl", 0.05)).Verdict)
	assert.Equal(t, 2100, Judge(h.in).Run.ITL.N)
}

func TestCountAndEmptyScopes(t *testing.T) {
	h := newHistory(100, 20)
	broken(&h.in.Records[7], s(1), record.Corrupt)
	none := Gate{Scope: "all", Metric: "count", Of: "corrupt", Op: "=="}
	assert.Equal(t, Fail, verdictOf(t, h, none).Verdict)
	none.Of = "truncated"
	assert.Equal(t, Pass, verdictOf(t, h, none).Verdict)

	h.in.Spec.Phases = append(h.in.Spec.Phases, Phase{Name: "empty", At: time.Minute, For: time.Second})
	for _, metric := range []string{"goodput", "availability", "ttft", "itl", "count"} {
		for _, scope := range []string{"empty", "no-such-phase"} {
			g := verdictOf(t, h, Gate{Scope: scope, Metric: metric, P: 99, Op: "<=", Value: 1, Of: "corrupt"})
			assert.Equal(t, Unknown, g.Verdict, "%s %s", scope, metric)
			assert.True(t, g.Missing)
		}
	}
	assert.Equal(t, Unknown, verdictOf(t, h, p99("ttfb", 1)).Verdict)
}

func TestQuietPhasesAreNotJudged(t *testing.T) {
	h := newHistory(100, 20)
	h.outage(0, 5)
	h.in.Spec.Phases = []Phase{{Name: "warmup", For: 5 * time.Second, Quiet: true}, {Name: "steady", At: 5 * time.Second, For: 15 * time.Second}}
	g := verdictOf(t, h, Gate{Scope: "run", Metric: "goodput", Op: ">=", Value: 1})
	assert.Equal(t, Pass, g.Verdict)
	assert.Equal(t, 1500, g.N)
	j := Judge(h.in)
	assert.InDelta(t, 0, j.Phases[0].Goodput, 0)
	assert.InDelta(t, 100, j.Run.Rate, 1e-9)
	assert.Equal(t, 5*time.Second, j.Run.At)
}

func TestRecoveryGates(t *testing.T) {
	gate := func(metric string, value float64) Gate {
		return Gate{Scope: "recovery", Metric: metric, Op: "<=", Value: value}
	}
	hurt := func() *history {
		h := newHistory(100, 40)
		h.fault(10, 20)
		h.outage(10.2, 12.2)
		h.event(10.5, event.BreakerOpened, "n2/g1")
		return h
	}
	absorbed := newHistory(100, 40)
	absorbed.fault(10, 20)
	absorbed.event(1, event.EngineReady, "n1")
	still := newHistory(100, 45)
	still.fault(10, 20)
	still.outage(12, 45)
	still.event(1, event.EngineReady, "n1")
	cut := newHistory(100, 21)
	cut.fault(10, 20)
	cut.outage(12, 21)
	mute := newHistory(100, 40)
	mute.fault(10, 20)
	mute.outage(10.2, 12.2)
	unproven := hurt()
	unproven.in.Faults[0].Effective = 0
	coarse := hurt()
	coarse.in.Clocks = []event.Offset{{Error: 60 * time.Millisecond}}
	two := hurt()
	two.fault(30, 31)
	two.outage(30.5, 34)
	for name, row := range map[string]struct {
		h    *history
		g    Gate
		want Verdict
	}{
		"ttr":                       {hurt(), gate("ttr", 2), Pass},
		"ttr broken":                {hurt(), gate("ttr", 1.9), Fail},
		"ttm":                       {hurt(), gate("ttm", 2), Pass},
		"ttd":                       {hurt(), gate("ttd", 0.5), Pass},
		"ttd broken":                {hurt(), gate("ttd", 0.49), Fail},
		"ttd within clock error":    {coarse, gate("ttd", 0.45), Unknown},
		"residual":                  {hurt(), gate("residual", 0), Pass},
		"out_of_slo":                {hurt(), gate("out_of_slo", 2), Pass},
		"out_of_slo broken":         {hurt(), gate("out_of_slo", 1), Fail},
		"relapses":                  {hurt(), gate("relapses", 0), Pass},
		"absorbed ttr":              {absorbed, gate("ttr", 0), Pass},
		"absorbed ttm":              {absorbed, gate("ttm", 0), Pass},
		"absorbed residual":         {absorbed, gate("residual", 0), Pass},
		"absorbed ttd":              {absorbed, gate("ttd", 1), Pass},
		"censored ttr":              {still, gate("ttr", 60), Fail},
		"censored ttm":              {still, gate("ttm", 60), Fail},
		"never noticed":             {still, gate("ttd", 60), Fail},
		"cut short":                 {cut, gate("ttr", 60), Unknown},
		"cut short, already over":   {cut, gate("ttr", 5), Fail},
		"cut short, out too long":   {cut, gate("out_of_slo", 5), Fail},
		"cut short, out so far":     {cut, gate("out_of_slo", 60), Unknown},
		"target without events":     {mute, gate("ttd", 60), Unknown},
		"unproven":                  {unproven, gate("ttr", 60), Unknown},
		"no such metric":            {hurt(), gate("tta", 60), Unknown},
		"no fault":                  {newHistory(100, 10), gate("ttr", 60), Unknown},
		"the worst of two faults":   {two, gate("ttr", 3), Fail},
		"both faults inside":        {two, gate("ttr", 4), Pass},
		"residual of the worse":     {two, gate("residual", 2.9), Fail},
		"relapses are by the fault": {two, gate("relapses", 0), Pass},
	} {
		g := verdictOf(t, row.h, row.g)
		assert.Equal(t, row.want, g.Verdict, "%s: %s", name, g.Why)
	}
}
