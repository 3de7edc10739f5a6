// Package engine holds the words between those who generate tokens and those who route requests:
// Engine, Request, Chunk, Finish, Load. Simulated and upstream engines implement them; the router,
// the pool and the API know engines only through them.
//
// What may not live here: any behaviour of one kind of engine, HTTP, retry policy.
package engine

import (
	"context"
	"errors"
	"fmt"
)

// Engine generates tokens for one replica of one model. Safe for concurrent use.
type Engine interface {
	// Generate admits the request and returns its stream, or an *Error at once. Cancelling ctx ends
	// the request and frees its slot and KV blocks within one engine step; the stream then closes
	// without a terminal chunk. Generate itself does not wait for a slot: waiting is the engine's queue.
	Generate(ctx context.Context, req Request) (*Stream, error)
	// Load is a cheap snapshot for balancing. It takes no contended lock.
	Load() Load
}

// Request is one generation, already validated.
type Request struct {
	ID     string
	Model  string
	Prompt string // the whole conversation, flattened by the API
	Seed   uint64

	PromptTokens int  // counted by the API
	MaxTokens    int  // of the whole answer, those before ResumeAt included; ≥ 1
	IgnoreEOS    bool // generate exactly MaxTokens
	Stop         []string

	// ResumeAt is how many tokens of the answer the caller already has; Sent is their text.
	// The engine continues with token ResumeAt and never repeats one. Zero for a fresh request.
	ResumeAt int
	Sent     string
}

// Stream is one answer on its way. The reader owns C until it is closed.
//
// The engine sends zero or more content chunks and then exactly one terminal chunk
// (Finish or Err set), and closes C. After the request's ctx is cancelled it closes C at once.
// C is bounded; an engine whose reader lags pauses that request alone, never the batch.
type Stream struct {
	C <-chan Chunk
}

// Chunk is one delta of the answer.
type Chunk struct {
	Text   string // content; whole UTF-8 runes
	Index  int    // of the first token in Text, counted from the start of the answer
	Tokens int    // how many tokens Text holds
	Finish Finish // set on the terminal chunk of a complete answer
	Err    *Error // set on the terminal chunk of a broken one
}

// Finish is the OpenAI finish_reason of a complete answer.
type Finish string

// Finish reasons.
const (
	FinishStop   Finish = "stop"   // end of sequence, or a stop string
	FinishLength Finish = "length" // MaxTokens reached
)

// Reason is why an engine refused or broke a request: one word, used in metrics, events and traces.
type Reason string

// Reasons.
const (
	ReasonDead        Reason = "engine_dead"  // the engine (or its node) is gone; its streams broke
	ReasonLoading     Reason = "loading"      // weights are not in yet
	ReasonOOM         Reason = "oom"          // memory ran out for this request; the engine lives
	ReasonMigrate     Reason = "migrate"      // healthy hand-back: continue elsewhere
	ReasonOverloaded  Reason = "overloaded"   // the engine's queue is full
	ReasonTooLong     Reason = "too_long"     // prompt + max_tokens can never fit this engine
	ReasonUnknown     Reason = "unknown"      // an upstream said something else
	ReasonUnreachable Reason = "unreachable"  // no connection
	ReasonBadRequest  Reason = "bad_request"  // the upstream blames the caller
	ReasonProtocol    Reason = "bad_protocol" // the upstream broke the wire format
)

// Error is the only error type an Engine returns or sends.
type Error struct {
	Reason Reason
	Text   string // for people
	// Killed: this request was running when the engine died, so it may be the cause (poison).
	Killed bool
}

func (e *Error) Error() string { return fmt.Sprintf("engine: %s: %s", e.Reason, e.Text) }

// Retryable reports whether another replica may do better.
func (e *Error) Retryable() bool {
	return e.Reason != ReasonTooLong && e.Reason != ReasonBadRequest
}

// AsError finds the *Error in err, wrapping anything else as ReasonUnknown.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Reason: ReasonUnknown, Text: err.Error()}
}

// State is where an engine is in its life.
type State string

// States.
const (
	Loading State = "loading"
	Ready   State = "ready"
	Dead    State = "dead"
)

// Load is what a balancer may know.
type Load struct {
	State      State
	Running    int     // sequences in the batch
	Waiting    int     // admitted, not yet scheduled
	KVUsage    float64 // share of KV blocks in use, 0…1
	TokenDebt  int     // prompt tokens not yet prefilled
	Generation uint64  // counts loads of this engine: a new process or reload is a new generation
}
