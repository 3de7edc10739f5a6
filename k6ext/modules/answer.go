package modules

import (
	"slices"
	"time"

	"github.com/brownout-dev/brownout/reports/record"
)

// Answer is what chat returns. Times are milliseconds, as k6's own; null where there is none.
type Answer struct {
	ID         string   `js:"id"`
	OK         bool     `js:"ok"` // outcome ok and every limit kept
	Outcome    string   `js:"outcome"`
	Status     int      `js:"status"` // HTTP; 0 without an answer
	Text       string   `js:"text"`
	Note       string   `js:"note"`
	Violated   string   `js:"violated"` // the limit that was passed first: ttft, tpot, max_gap, e2e
	TTFT       *float64 `js:"ttft"`
	TPOT       *float64 `js:"tpot"`
	E2E        *float64 `js:"e2e"`
	ITL        *Gaps    `js:"itl"`
	Tokens     Tokens   `js:"tokens"`
	Chunks     int      `js:"chunks"`
	Node       string   `js:"node"`
	Attempts   int      `js:"attempts"` // as the server reports them; 0 unknown
	Model      string   `js:"model"`
	TokensKind string   `js:"tokensBy"` // usage or chunks
}

// Tokens are counts.
type Tokens struct {
	Prompt int `js:"prompt"`
	Output int `js:"output"`
}

// Gaps are the gaps between content chunks of one answer, in milliseconds.
type Gaps struct {
	N    int     `js:"n"`
	Mean float64 `js:"mean"`
	P50  float64 `js:"p50"`
	P95  float64 `js:"p95"`
	P99  float64 `js:"p99"`
	Max  float64 `js:"max"`
}

func answerOf(r *record.Record, gaps []time.Duration, text string) *Answer {
	a := &Answer{
		ID: r.ID, OK: r.Good(), Outcome: r.Outcome.String(), Status: r.Status, Text: text, Note: r.Note,
		Violated: r.Violated.String(), ITL: gapsOf(gaps), Tokens: Tokens{Prompt: r.PromptTokens, Output: r.OutputTokens},
		Chunks: r.Chunks, Node: r.Node, Attempts: r.Attempts, Model: r.Model, TokensKind: "chunks",
	}
	if r.TokensBy == record.TokensByUsage {
		a.TokensKind = "usage"
	}
	set := func(to **float64, d time.Duration, ok bool) {
		if ok {
			*to = new(milliseconds(d))
		}
	}
	ttft, ok := r.TTFT()
	set(&a.TTFT, ttft, ok)
	tpot, ok := r.TPOT()
	set(&a.TPOT, tpot, ok)
	e2e, ok := r.E2E()
	set(&a.E2E, e2e, ok)
	return a
}

// gapsOf are nearest-rank percentiles; nil without a gap.
func gapsOf(gaps []time.Duration) *Gaps {
	if len(gaps) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(gaps))
	var sum time.Duration
	for _, g := range sorted {
		sum += g
	}
	n := len(sorted)
	rank := func(percent int) float64 { return milliseconds(sorted[(n*percent+99)/100-1]) }
	return &Gaps{
		N: n, Mean: milliseconds(sum) / float64(n), P50: rank(50), P95: rank(95), P99: rank(99), Max: milliseconds(sorted[n-1]),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
