package result

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// played is a run of n requests over the judged 36 s of its 41 s, one in a hundred failed.
func played(n int) slo.Input {
	rng := rand.New(rand.NewPCG(1, 2))
	in := slo.Input{Start: 1 << 40, Spec: slo.DefaultSpec()}
	in.Spec.Limits.TTFT = time.Second
	in.Spec.Phases = []slo.Phase{
		{Name: "warmup", For: 5 * time.Second, Quiet: true}, {Name: "before", At: 5 * time.Second, For: 12*time.Second + 500*time.Millisecond},
		{Name: "after", At: 17*time.Second + 500*time.Millisecond, For: 23*time.Second + 500*time.Millisecond},
	}
	for i := range n {
		due := in.Start.Add(time.Duration(rng.Int64N(int64(41 * time.Second))))
		r := record.Record{Arrival: uint64(i), Due: due, Sent: due, Outcome: record.OK, Streaming: true, OutputTokens: 64}
		r.First = due.Add(time.Duration(20e6 + rng.ExpFloat64()*20e6))
		r.Last = r.First.Add(time.Duration(700e6 + rng.NormFloat64()*30e6))
		r.End = r.Last
		if i%100 == 0 {
			r.Outcome, r.Harmed = record.Reset, due
		}
		in.Records = append(in.Records, r)
		for range 63 {
			in.Gaps.Add(int(due.Sub(in.Start)/time.Second), time.Duration(8e6+rng.ExpFloat64()*5e6))
		}
	}
	return in
}

// What a comparison reads back is what the judge saw: counts exactly, latencies to 10 µs, the percentiles
// of a phase to half of that.
func TestSamplesSayWhatTheJudgeSaw(t *testing.T) {
	in := played(5000)
	j := slo.Judge(in)
	s := NewSamples(slo.Blocks(in))
	require.Len(t, s.Phases, 2, "quiet phases are left out")
	for i, p := range s.Phases {
		want := j.Phases[i+1]
		require.Equal(t, want.Name, p.Phase)
		var ttft, e2e []float64
		good, judged, failed, gaps := 0, 0, 0, 0
		for k, b := range p.Blocks {
			if k > 0 {
				require.Equal(t, p.Blocks[k-1].Second+1, b.Second)
			}
			ttft, e2e = append(ttft, Values(b.TTFT)...), append(e2e, Values(b.E2E)...)
			good, judged, failed = good+b.Good, judged+b.Judged, failed+b.Failed
			assert.Equal(t, b.Failed, b.NoToken)
			_, counts := GapCounts(b.Gaps)
			for _, c := range counts {
				gaps += c
			}
		}
		assert.InDelta(t, want.Goodput, float64(good)/float64(judged), 1e-12)
		assert.Equal(t, want.E2E.Failed, failed)
		assert.Equal(t, want.ITL.N, gaps)
		assert.Len(t, ttft, want.TTFT.N)
		slices.Sort(ttft)
		slices.Sort(e2e)
		assert.InDelta(t, want.TTFT.Completed["p50"], ttft[(len(ttft)+1)/2-1], SampleUnit/2+1e-12)
		assert.InDelta(t, want.E2E.Max, e2e[len(e2e)-1], SampleUnit/2+1e-12)
	}
}

func TestSamplesOfAUsualRunAreSmall(t *testing.T) {
	text, err := json.Marshal(NewSamples(slo.Blocks(played(5000))))
	require.NoError(t, err)
	t.Logf("%d bytes", len(text))
	assert.Less(t, len(text), 160_000)

	// And in the file they take a line a list.
	r := filled()
	r.Samples = NewSamples(slo.Blocks(played(5000)))
	file, err := encode(r)
	require.NoError(t, err)
	assert.Less(t, bytes.Count(file, []byte("\n")), 2000)
}

// A run of millions keeps a readable result file and goes without samples.
func TestSamplesAreBounded(t *testing.T) {
	block := func(n int) []slo.PhaseBlocks {
		return []slo.PhaseBlocks{{Phase: "p", Blocks: []slo.Block{{E2E: make([]float64, n)}}}}
	}
	assert.NotNil(t, NewSamples(block(MaxSamples)))
	assert.Nil(t, NewSamples(block(MaxSamples+1)))
}

func TestGapCountsDropAnOddEnd(t *testing.T) {
	gaps, counts := GapCounts([]int{100, 2, 50, 3, 9})
	assert.InDeltaSlice(t, []float64{100e-6, 150e-6}, gaps, 1e-12)
	assert.Equal(t, []int{2, 3}, counts)
}

func TestFlat(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"{\n  \"a\": [\n    1,\n    -2.5e3\n  ],\n  \"b\": 1\n}", "{\n  \"a\": [1,-2.5e3],\n  \"b\": 1\n}"},
		{"[\n  [\n    1\n  ],\n  [\n    \"1\"\n  ],\n  []\n]", "[\n  [1],\n  [\n    \"1\"\n  ],\n  []\n]"},
		{"[\n  true,\n  null\n]", "[\n  true,\n  null\n]"},
		{"{\n  \"a\": \"[\",\n  \"b\": [\n    7\n  ]\n}\n", "{\n  \"a\": \"[\",\n  \"b\": [7]\n}\n"},
	} {
		assert.Equal(t, tc.want, string(Flat([]byte(tc.in))))
	}
}

// Whatever the document: the layout changes, the content does not.
func FuzzFlat(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,[3,"["]],"b":["1"],"c":[{"d":[]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var doc any
		if json.Unmarshal(text, &doc) != nil {
			return
		}
		for _, indent := range []string{" ", "  "} {
			laid, err := json.MarshalIndent(doc, "", indent)
			require.NoError(t, err)
			var back any
			require.NoError(t, json.Unmarshal(Flat(laid), &back))
			require.Equal(t, doc, back)
		}
	})
}
