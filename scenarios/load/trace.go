package load

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/brownout-dev/brownout/internal/synth"
)

// TraceFile is a file of recorded requests, and what of it is replayed.
type TraceFile struct {
	File   string  `json:"file"`
	Format string  `json:"format,omitempty"` // "azure", "mooncake", "burstgpt"; "" or "auto": see the first line
	SHA256 string  `json:"sha256,omitempty"` // hexadecimal; a file that says something else is refused
	Speed  float64 `json:"speed,omitempty"`  // 2: twice as fast; 0 = 1
	// From is where in the trace the replay begins, in the trace's own time since its first request.
	From   time.Duration `json:"from_ns,omitempty"`
	Limit  int           `json:"limit,omitempty"`     // most requests; 0 = as many as fit the plan
	Jitter time.Duration `json:"jitter_ns,omitempty"` // each request is up to so much later, at the replay's speed
}

// TraceInfo is what the replayed part of a trace holds.
type TraceInfo struct {
	Format   string
	Requests int
	NoAnswer int           // recorded without an answer, or a failure; they ask for one token
	Last     time.Duration // when the last request is due
	Rate     float64       // requests/s between the first and the last
	CV       float64       // of the gaps
	Prompt   Quantiles
	Output   Quantiles
	Blocks   int     // named prompt blocks
	Reused   float64 // share of them that came before
}

// Quantiles of a length in tokens.
type Quantiles struct{ Mean, P50, P90, P99 float64 }

// BlockTokens is how many tokens one hash id of a Mooncake trace stands for (Qin et al., Mooncake,
// FAST 2025, 4.1).
const BlockTokens = 512

// trace is what is replayed, in order of time. It never changes once it was read.
type trace struct {
	rows   []traceRow
	format string
	exact  *trace // before it was jittered
}

type traceRow struct {
	due            time.Duration // at the replay's speed
	prompt, output int32
	noAnswer       bool
	blocks         []uint64
}

// replayed is when the rows are due.
func (p *Plan) replayed() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		if p.trace == nil {
			return
		}
		for i := range p.trace.rows {
			if !yield(p.trace.rows[i].due) {
				return
			}
		}
	}
}

// jittered is the trace with every row moved by a draw of its own. Who would move past the end of the plan
// is sent at its end.
func (t *trace) jittered(seed uint64, by, until time.Duration) *trace {
	rows := slices.Clone(t.rows)
	for i := range rows {
		move := (1 - unit(draw(seed, forJitter, uint64(i)))) * float64(by)
		rows[i].due = min(rows[i].due+time.Duration(move), until-1)
	}
	slices.SortStableFunc(rows, func(a, b traceRow) int { return cmp.Compare(a.due, b.due) })
	return &trace{rows: rows, format: t.format, exact: t}
}

// WithSeed is a deep copy of the plan with other draws.
func (p Plan) WithSeed(seed uint64) Plan {
	p = p.Clone()
	p.Seed = seed
	if p.trace != nil {
		p.setTrace(p.trace.exact)
	}
	return p
}

// setTrace takes what was read.
func (p *Plan) setTrace(t *trace) {
	if by := p.Arrivals.Trace.Jitter; by > 0 {
		t = t.jittered(p.Seed, by, p.Duration)
	}
	p.trace = t
}

// lengths are those of the row.
func (t *trace) lengths(index uint64) (prompt, output int) {
	row := &t.rows[index]
	return int(row.prompt), int(row.output)
}

func (p *Plan) blocks(index uint64) []uint64 {
	if p.trace == nil {
		return nil
	}
	return p.trace.rows[index].blocks
}

// appendBlocks writes the blocks that the row names: the same id is the same text in every prompt of a
// run, so that a prefix cache meets the reuse that was recorded. Tokens beyond the last id are the
// request's own.
func (p *Plan) appendBlocks(dst []byte, a Arrival, blocks []uint64) []byte {
	left := a.Prompt
	for _, id := range blocks {
		key := synth.Key(draw(p.Seed, forBlock, id))
		n := min(left, BlockTokens)
		dst = appendText(dst, key, n)
		left -= n
	}
	return appendText(dst, synth.Key(draw(p.Seed, forPrompt, a.Index)), left)
}

// count is how many requests are due in [from, to).
func (t *trace) count(from, to time.Duration) int {
	if t == nil {
		return 0
	}
	before := func(at time.Duration) int {
		return sort.Search(len(t.rows), func(i int) bool { return t.rows[i].due >= at })
	}
	return max(0, before(to)-before(from))
}

// busiest is the most requests due within any one second.
func (t *trace) busiest() float64 {
	if t == nil {
		return 0
	}
	most, first := 0, 0
	for i := range t.rows {
		for t.rows[i].due-t.rows[first].due >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return float64(most)
}

// TraceInfo describes the trace; nothing where there is none or Open was not called.
func (p Plan) TraceInfo() TraceInfo {
	t := p.trace
	if t == nil || len(t.rows) == 0 {
		return TraceInfo{}
	}
	info := TraceInfo{Format: t.format, Requests: len(t.rows), Last: t.rows[len(t.rows)-1].due}
	prompts, outputs := make([]int32, 0, len(t.rows)), make([]int32, 0, len(t.rows))
	seen, reused := map[uint64]bool{}, 0
	var gaps, squares float64
	for i := range t.rows {
		row := &t.rows[i]
		prompts, outputs = append(prompts, row.prompt), append(outputs, row.output)
		if row.noAnswer {
			info.NoAnswer++
		}
		for _, id := range row.blocks {
			info.Blocks++
			if seen[id] {
				reused++
			}
			seen[id] = true
		}
		if i > 0 {
			gap := (row.due - t.rows[i-1].due).Seconds()
			gaps, squares = gaps+gap, squares+gap*gap
		}
	}
	if info.Blocks > 0 {
		info.Reused = float64(reused) / float64(info.Blocks)
	}
	if n := float64(len(t.rows) - 1); gaps > 0 {
		mean := gaps / n
		info.Rate, info.CV = 1/mean, math.Sqrt(max(0, squares/n-mean*mean))/mean
	}
	info.Prompt, info.Output = quantiles(prompts), quantiles(outputs)
	return info
}

// quantiles sorts x. A quantile is the smallest value with at least that share at or below it.
func quantiles(x []int32) Quantiles {
	slices.Sort(x)
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	at := func(q float64) float64 {
		return float64(x[max(0, int(math.Ceil(q*float64(len(x))))-1)])
	}
	return Quantiles{Mean: sum / float64(len(x)), P50: at(0.5), P90: at(0.9), P99: at(0.99)}
}
