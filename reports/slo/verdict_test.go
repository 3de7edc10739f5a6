package slo

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

var update = flag.Bool("update", false, "rewrite golden files")

func passing() *history {
	h := newHistory(100, 40)
	h.fault(10, 20)
	h.outage(10.2, 10.5)
	h.event(10.25, event.OOM, "n2/g1")
	h.event(10.3, event.RequestResumed, "n2/g1/llama")
	h.gate(Gate{Scope: "run", Metric: "goodput", Op: ">=", Value: 0.99, Text: "goodput >= 99%"})
	h.gate(Gate{Scope: "all", Metric: "ttft", P: 95, Op: "<=", Value: 0.5, Text: "p95 ttft <= 500ms"})
	h.gate(Gate{Scope: "recovery", Metric: "ttr", Op: "<=", Value: 5, Text: "ttr <= 5s"})
	h.in.Client.Calibration = &record.Calibration{TTFTError: record.Spread{P99: 0.019}, GapError: record.Spread{P99: 0.019}, Headroom: 2}
	h.in.Steps = StepStats{Known: true, Steps: 1000, LateP99: 0.001, StepP50: 0.02}
	h.in.Clocks = []event.Offset{{Clock: "c", Error: 100 * time.Microsecond}}
	return h
}

// Each guard, planted and taken away. A guard wins over gates both ways.
func TestGuards(t *testing.T) {
	require.Equal(t, Pass, Judge(passing().in).Verdict)
	for name, row := range map[string]struct {
		plant func(in *Input)
		word  string
	}{
		"late sends": {func(in *Input) {
			for i := range len(in.Records) / 50 {
				in.Records[i*50].Sent += event.Time(200 * time.Millisecond)
			}
		}, "client-limited"},
		"never sent": {func(in *Input) {
			for i := range 5 {
				in.Records[i*100] = record.Record{Arrival: uint64(i * 100), Due: in.Records[i*100].Due, Outcome: record.Dropped}
			}
		}, "client-limited"},
		"client sees first tokens late": {func(in *Input) { in.Client.Calibration.TTFTError.P99 = 0.021 }, "client-limited"},
		"client sees gaps wrong":        {func(in *Input) { in.Client.Calibration.GapError.P99 = 0.021 }, "client-limited"},
		"no head-room":                  {func(in *Input) { in.Client.Calibration.Headroom = 1.9 }, "client-limited"},
		"starved machine":               {func(in *Input) { in.Client.TimerLateP99 = 0.05 }, "client-limited"},
		"late engine steps":             {func(in *Input) { in.Steps.LateP99 = 0.006 }, "simulator-limited"},
		"coarse clock":                  {func(in *Input) { in.Clocks[0].Error = 6 * time.Millisecond }, "clock"},
		"unproven":                      {func(in *Input) { in.Faults[0].Effective = 0 }, "unproven"},
		"never proven gone":             {func(in *Input) { in.Faults[0].Cleared = 0 }, "unproven"},
		"a replica that serves nobody": {func(in *Input) {
			in.Faults[0].Serving = true
			in.Events = nil
			for i := range in.Records {
				in.Records[i].Node = "n1/g0"
			}
		}, "idle"},
		"lease lost":           {func(in *Input) { in.Faults[0].LeaseLost = true }, "lease-lost"},
		"problem from outside": {func(in *Input) { in.Problems = []Reason{{Word: "unreachable", Text: "The target went away."}} }, "unreachable"},
	} {
		h := passing()
		row.plant(&h.in)
		j := Judge(h.in)
		assert.Equal(t, Unknown, j.Verdict, name)
		assert.Equal(t, row.word, j.Reasons[0].Word, name)

		h.outage(20, 30)
		j = Judge(h.in)
		assert.Equal(t, Unknown, j.Verdict, "%s: no false fail either", name)
		assert.Contains(t, words(j), "gate", "%s: but the failed gates are told", name)
	}
	// Both limits of the simulator's guard must be passed: 6 ms of a 40 ms step are 15 %.
	h := passing()
	h.in.Steps.LateP99, h.in.Steps.StepP50 = 0.006, 0.04
	assert.Equal(t, Pass, Judge(h.in).Verdict)
	h.in.Steps.Known, h.in.Steps.LateP99 = false, 1
	assert.Equal(t, Pass, Judge(h.in).Verdict, "a foreign target has no simulator")
}

func words(j Judgement) (list []string) {
	for _, r := range j.Reasons {
		list = append(list, r.Word)
	}
	return list
}

func TestVerdictPrecedence(t *testing.T) {
	gate := func(v Verdict) GateResult { return GateResult{Verdict: v, Why: "because"} }
	guard := GuardResult{Word: "clock", Unit: "s", Tripped: true}
	for _, row := range []struct {
		guards []GuardResult
		gates  []GateResult
		want   Verdict
	}{
		{nil, []GateResult{gate(Pass)}, Pass},
		{nil, []GateResult{gate(Pass), gate(Fail)}, Fail},
		{nil, []GateResult{gate(Pass), gate(Unknown)}, Unknown},
		{nil, []GateResult{gate(Fail), gate(Unknown)}, Fail}, // more samples would not mend it
		{[]GuardResult{guard}, []GateResult{gate(Pass)}, Unknown},
		{[]GuardResult{guard}, []GateResult{gate(Fail)}, Unknown},
		{nil, nil, Unknown},
	} {
		got, reasons := verdict(nil, row.guards, row.gates)
		assert.Equal(t, row.want, got)
		assert.Equal(t, row.want == Pass, len(reasons) == 0)
	}
}

// A run without a single request must not pass.
func TestEmptyRun(t *testing.T) {
	in := passing().in
	in.Records = nil
	j := Judge(in)
	assert.Equal(t, Unknown, j.Verdict)
	assert.NotEmpty(t, Summary(in, j))
	assert.Equal(t, Unknown, Judge(Input{}).Verdict)
}

// What is written must be readable as JSON: no infinity, no NaN.
func TestJudgementIsJSON(t *testing.T) {
	h := passing()
	h.outage(12, 30)
	b, err := json.Marshal(Judge(h.in))
	require.NoError(t, err)
	var back Judgement
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, Fail, back.Verdict)
}

func TestSeriesAddsUp(t *testing.T) {
	h := passing()
	j := Judge(h.in)
	due, good, bad, tokens := 0, 0, 0, 0
	for _, sec := range j.Series {
		due, good, bad, tokens = due+sec.Due, good+sec.Good, bad+sec.Bad, tokens+sec.Tokens
	}
	assert.Equal(t, [3]int{4000, 3970, 30}, [3]int{due, good, bad})
	assert.InDelta(t, 39_700, tokens, 40)
}

func TestWindowsAreThinned(t *testing.T) {
	j := Judge(passing().in)
	assert.Less(t, len(j.Windows), 40)
	assert.Zero(t, j.Windows[0].At)
	out := 0
	for _, w := range j.Windows {
		if w.Out {
			out++
		}
	}
	assert.Positive(t, out)
}

func TestSummary(t *testing.T) {
	oom := passing()
	broken := passing()
	broken.outage(12, 40)
	quiet := newHistory(100, 20)
	quiet.gate(Gate{Scope: "run", Metric: "ttft", P: 99.9, Op: "<=", Value: 0.5, Text: "p99.9 ttft <= 500ms"})
	absorbed := newHistory(100, 40)
	absorbed.fault(10, 20)
	absorbed.gate(Gate{Scope: "recovery", Metric: "ttr", Op: "<=", Value: 5, Text: "ttr <= 5s"})
	starved := passing()
	starved.in.Client.TimerLateP99 = 0.05
	unproven := passing()
	unproven.in.Faults[0].Effective = 0

	var b strings.Builder
	for _, one := range []struct {
		name string
		h    *history
	}{{"recovered", oom}, {"not recovered", broken}, {"too few samples", quiet}, {"absorbed", absorbed}, {"starved", starved}, {"unproven", unproven}} {
		b.WriteString("# " + one.name + "\n" + strings.Join(Summary(one.h.in, Judge(one.h.in)), "\n") + "\n\n")
	}
	golden := "testdata/summary.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
}

func TestWordsForNumbers(t *testing.T) {
	for got, want := range map[string]string{
		duration(0.0931): "93.1 ms", duration(2.1): "2.1 s", duration(0.5): "500 ms", duration(200): "3 min 20 s", duration(Infinite): "infinite (failed)",
		duration(0.9999): "1 s", duration(0.00001): "10 µs", duration(0): "0 s",
		percent(1): "100 %", percent(0.99999): "99.999 %", percent(0.9944): "99.4 %", percent(0): "0 %", percent(0.00004): "0.004 %",
		percent(0.9999999999): "just under 100 %",
		count(1234567):        "1,234,567", count(999): "999", count(-1000): "-1,000",
	} {
		assert.Equal(t, want, got)
	}
}

func BenchmarkJudge200k(b *testing.B) {
	h := newHistory(2000, 100)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range h.in.Records {
		r := &h.in.Records[i]
		r.First = r.Due + event.Time(rng.Int64N(4e8))
		r.Last = r.First + event.Time(rng.Int64N(2e9))
		r.End = r.Last
	}
	h.fault(30, 40)
	h.outage(30.5, 33)
	for sec := range 100 {
		for range 100 {
			h.in.Gaps.Add(sec, 20*time.Millisecond)
		}
	}
	h.gate(p99("ttft", 0.5))
	h.gate(p99("itl", 0.05))
	h.gate(Gate{Scope: "recovery", Metric: "ttr", Op: "<=", Value: 5})
	b.ReportAllocs()
	for b.Loop() {
		Judge(h.in)
	}
}
