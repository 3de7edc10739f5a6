// Package record is the unit of measurement: one Record a request, written by the load generator
// into a shard file and read back by the judge. The codec, the merge of shards and the token-gap
// histograms live here.
//
// What may not live here: judging, percentiles, presentation.
package record

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Record is one request from its intended start to its end. Times are on the shard's clock until
// the merge maps them onto the harness's; zero means "never".
type Record struct {
	Arrival uint64 // global arrival index: with the seed it fixes prompt, lengths and request id
	ID      string // x-request-id sent
	Tenant  string
	Model   string
	Class   string // of the load plan; "" is the only one so far

	Due    event.Time // intended send
	Sent   event.Time // actual send
	First  event.Time // first chunk with content
	Last   event.Time // last chunk with content
	End    event.Time // end of the answer, or of our patience
	Harmed event.Time // when a limit was passed, the stream broke or the error came; never = good

	Outcome   Outcome
	Violated  Limit         // which per-request limit was passed first; LimitNone if none
	Status    int           // HTTP status; 0 without an answer
	MaxGap    time.Duration // longest gap between content chunks
	Streaming bool

	PromptTokens int
	OutputTokens int
	TokensBy     TokenSource
	Chunks       int // with content

	Attempts int    // as the server reports them (x-brownout-attempts); 0 unknown
	Node     string // as the server reports it (x-brownout-node)
	Note     string // one bounded sentence: error text, "missing [DONE]" …
}

// Limit names a per-request limit.
type Limit uint8

// Limits. The order is part of the shard format: append only.
const (
	LimitNone Limit = iota
	LimitTTFT
	LimitTPOT
	LimitGap
	LimitE2E
	NumLimits
)

var limitNames = [NumLimits]string{"", "ttft", "tpot", "max_gap", "e2e"}

// String is the limit's word; empty for none.
func (l Limit) String() string {
	if l >= NumLimits {
		return "invalid"
	}
	return limitNames[l]
}

// TokenSource says where OutputTokens comes from.
type TokenSource uint8

// Token sources.
const (
	TokensByChunks TokenSource = iota // content chunks counted: an estimate
	TokensByUsage                     // the server's usage object
)

// TTFT is due → first content; ok is false when none came.
func (r *Record) TTFT() (time.Duration, bool) {
	if r.First == 0 {
		return 0, false
	}
	return r.First.Sub(r.Due), true
}

// TPOT is (last content − first content) / (output tokens − 1); one-token answers have none.
func (r *Record) TPOT() (time.Duration, bool) {
	if r.First == 0 || r.OutputTokens < 2 {
		return 0, false
	}
	return r.Last.Sub(r.First) / time.Duration(r.OutputTokens-1), true
}

// E2E is due → end, for complete answers only.
func (r *Record) E2E() (time.Duration, bool) {
	if r.Outcome != OK && r.Outcome != Degraded {
		return 0, false
	}
	return r.End.Sub(r.Due), true
}

// Lag is sent − due: the client's own delay. ok is false for what was never sent.
func (r *Record) Lag() (time.Duration, bool) {
	if r.Sent == 0 {
		return 0, false
	}
	return r.Sent.Sub(r.Due), true
}

// Good reports whether the request was complete, intact and inside every limit.
func (r *Record) Good() bool { return r.Outcome == OK && r.Harmed == 0 }
