package faults

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// The holder's HTTP API, JSON, every call with "Authorization: Bearer <token>":
//
//	GET    /faults/clock            → event.Reading
//	GET    /faults/kinds            → []KindInfo
//	GET    /faults                  → []Held
//	GET    /faults/targets          → map[string][]string (candidates)
//	POST   /faults                  InjectRequest → Held        (201; 400 syntax; 409 too wide or conflicting; 404 selector matches nothing)
//	GET    /faults/{id}             → Held
//	POST   /faults/{id}/renew       RenewRequest → Held         (404/410 when the fault is gone)
//	DELETE /faults/{id}             → Held                      (idempotent; waits for the proof that it is gone)
//	POST   /faults/stop-all         → []Held
//	GET    /faults/journal          → []Entry
//	POST   /faults/check            InjectRequest → []string    (resolves the selector, injects nothing)

// InjectRequest asks the holder to arm a fault, prove it and hold it.
type InjectRequest struct {
	Fault  string        `json:"fault"`              // one-line syntax
	Lease  time.Duration `json:"lease_ns,omitempty"` // 0 = the fault's duration, no renewal expected
	Run    string        `json:"run,omitempty"`
	Actor  string        `json:"actor,omitempty"`
	Reason string        `json:"reason,omitempty"`
	// ProveWithin bounds the wait for the proof [2 s]. Unproven faults are still held and cleared.
	ProveWithin time.Duration `json:"prove_within_ns,omitempty"`
}

// RenewRequest extends the lease from now; never past the fault's own duration.
type RenewRequest struct {
	Lease time.Duration `json:"lease_ns"`
}

// Held is a fault as its holder knows it. Times are on the holder's clock; zero = not yet.
type Held struct {
	ID        string     `json:"id"`
	Fault     string     `json:"fault"`
	Step      Step       `json:"step"`
	Targets   []string   `json:"targets"`
	Armed     event.Time `json:"armed_ns"`
	Effective event.Time `json:"effective_ns,omitempty"`
	Cleared   event.Time `json:"cleared_ns,omitempty"`
	Expires   event.Time `json:"expires_ns,omitempty"` // end of the lease
	Evidence  string     `json:"evidence,omitempty"`
	Gone      string     `json:"gone,omitempty"`  // evidence that it is gone
	Cause     Cause      `json:"cause,omitempty"` // why it was cleared
	Error     string     `json:"error,omitempty"`
}

// KindInfo describes one kind for `brownout fault list`.
type KindInfo struct {
	Kind     string      `json:"kind"`
	Layer    Layer       `json:"layer"`
	Summary  string      `json:"summary"`
	On       string      `json:"on"` // the selector key it takes: "gpu"
	Params   []ParamInfo `json:"params"`
	Incident string      `json:"incident"` // the real incident it stands for
	Proof    string      `json:"proof"`    // how its effect is observed
	Gone     string      `json:"gone"`     // how its end is observed
	Healthy  string      `json:"healthy"`  // what a healthy system does
	Drivers  []string    `json:"drivers"`
}

// ParamInfo is one magnitude of a kind.
type ParamInfo struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"` // "%", "x" (a multiple), "duration", "word"
	Default string `json:"default"`
	Help    string `json:"help"`
	// Min and Max bound a "%" (in percent), an "x" and a "duration" (in seconds); Words are a "word"'s choices.
	Min   float64  `json:"min,omitempty"`
	Max   float64  `json:"max,omitempty"`
	Words []string `json:"words,omitempty"`
}

// Error is the body of every non-2xx answer.
type Error struct {
	Error string `json:"error"` // one sentence: what, where, how to mend
}
