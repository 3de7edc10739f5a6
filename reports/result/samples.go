package result

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Samples is what a later comparison needs of a run: the latencies of every request of the judged phases,
// by the second they were due in. Rounded to SampleUnit.
type Samples struct {
	Phases []PhaseSamples `json:"phases"`
}

// PhaseSamples is one judged phase.
type PhaseSamples struct {
	Phase  string         `json:"phase"`
	Blocks []BlockSamples `json:"blocks"`
}

// BlockSamples is one second of a phase. Lists are sorted and written as differences, so that they stay
// short: [4000, 12, 0] are 40 ms, 40.12 ms and 40.12 ms. Failed requests are in no list: they count as +∞.
type BlockSamples struct {
	Second  int   `json:"at_s"`
	Good    int   `json:"good"`
	Judged  int   `json:"judged"`
	Failed  int   `json:"failed,omitempty"`   // of e2e
	NoToken int   `json:"no_token,omitempty"` // of ttft and tpot
	TTFT    []int `json:"ttft_10us"`
	TPOT    []int `json:"tpot_10us"`
	E2E     []int `json:"e2e_10us"`
	// Gaps is a histogram of token gaps: pairs of (difference to the gap before, how many), µs. A gap stands
	// for its bucket, which is at most 0.8 % wide.
	Gaps []int `json:"gaps_us"`
}

// SampleUnit is the unit of the latencies, in seconds.
const SampleUnit = 1e-5

// GapUnit is the unit of the token gaps, in seconds.
const GapUnit = 1e-6

// MaxSamples is how many requests samples are kept of: with more, a result file would grow past its bound.
const MaxSamples = 500_000

// NewSamples rounds the blocks of a run; nil when there are more than MaxSamples requests in them.
func NewSamples(phases []slo.PhaseBlocks) *Samples {
	requests := 0
	for _, p := range phases {
		for _, b := range p.Blocks {
			requests += len(b.E2E)
		}
	}
	if requests > MaxSamples {
		return nil
	}
	s := &Samples{Phases: []PhaseSamples{}}
	for _, p := range phases {
		one := PhaseSamples{Phase: p.Phase, Blocks: []BlockSamples{}}
		for _, b := range p.Blocks {
			one.Blocks = append(one.Blocks, BlockSamples{
				Second: b.Second, Good: b.Good, Judged: b.Judged, Failed: b.Failed, NoToken: b.NoToken,
				TTFT: differences(b.TTFT), TPOT: differences(b.TPOT), E2E: differences(b.E2E), Gaps: gapPairs(b.Gaps),
			})
		}
		s.Phases = append(s.Phases, one)
	}
	return s
}

func differences(values []float64) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(math.Round(v / SampleUnit))
	}
	slices.Sort(out)
	for i := len(out) - 1; i > 0; i-- {
		out[i] -= out[i-1]
	}
	return out
}

func gapPairs(h *hdrhistogram.Histogram) []int {
	out := []int{}
	if h == nil {
		return out
	}
	last := 0
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			out = append(out, int(bar.To)-last, int(bar.Count))
			last = int(bar.To)
		}
	}
	return out
}

// Values undoes the differences: seconds, sorted.
func Values(list []int) []float64 {
	out := make([]float64, len(list))
	sum := 0
	for i, d := range list {
		sum += d
		out[i] = float64(sum) * SampleUnit
	}
	return out
}

// GapCounts undoes gaps_us: seconds, sorted, and how many each. An odd last number is dropped.
func GapCounts(pairs []int) (gaps []float64, counts []int) {
	sum := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		sum += pairs[i]
		gaps, counts = append(gaps, float64(sum)*GapUnit), append(counts, pairs[i+1])
	}
	return gaps, counts
}
