package slo

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// PhaseBlocks is one judged phase, second by second: what a later comparison of two runs needs.
type PhaseBlocks struct {
	Phase  string
	Blocks []Block // in order of Second; seconds without a request are there too
}

// Block is the requests of one phase that were due in one second of the plan. Latencies are sorted, in
// seconds. A request that failed has none and is counted as +∞, as gates count it.
type Block struct {
	Second          int // from time zero
	Good, Judged    int // good and expected ones; the denominator of goodput
	TTFT, TPOT, E2E []float64
	Failed          int                     // of e2e
	NoToken         int                     // of ttft and tpot: failures of a load that streams
	Gaps            *hdrhistogram.Histogram // token gaps whose later chunk came in this second; nil for none
}

// Blocks cuts the judged phases of a run into seconds. The very rules of the gates say what counts.
func Blocks(in Input) []PhaseBlocks {
	j := newJudge(in)
	var out []PhaseBlocks
	cohorts := make([][]cohort, len(j.phases))
	for i, p := range j.phases {
		if !p.Quiet {
			cohorts[i] = make([]cohort, seconds(p))
		}
	}
	for i := range j.in.Records {
		r := &j.in.Records[i]
		p := j.phaseOf(r)
		if p < 0 || cohorts[p] == nil {
			continue
		}
		c := &cohorts[p][j.second(r.Due)-firstSecond(j.phases[p])]
		if c.outcomes == nil {
			c.outcomes = map[string]int{}
		}
		c.add(r, j.classes[i], j.streams[r.Class])
	}
	for i, p := range j.phases {
		if p.Quiet {
			continue
		}
		one := PhaseBlocks{Phase: p.Name}
		from, to := wholeSecond(p.At), wholeSecond(p.At+p.For)
		for k := range cohorts[i] {
			b := cohorts[i][k].block(firstSecond(p) + k)
			if b.Second >= from && b.Second < to {
				b.Gaps = in.Gaps.Seconds[b.Second]
			}
			one.Blocks = append(one.Blocks, b)
		}
		out = append(out, one)
	}
	return out
}

// firstSecond is the second a phase begins in; it may begin in its middle.
func firstSecond(p Phase) int { return int(p.At / time.Second) }

// seconds is how many seconds of the plan a phase touches.
func seconds(p Phase) int {
	end := int(math.Ceil((p.At + p.For).Seconds()))
	return max(end-firstSecond(p), 0)
}

func (c *cohort) block(second int) Block {
	c.seal()
	return Block{
		Second: second, Good: c.good + c.expected, Judged: c.judged(),
		TTFT: slices.Clone(c.ttft.values), TPOT: slices.Clone(c.tpot.values), E2E: slices.Clone(c.e2e.values),
		Failed: c.e2e.failed, NoToken: max(c.ttft.failed, c.tpot.failed),
	}
}
