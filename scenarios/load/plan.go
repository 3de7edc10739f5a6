// Package load is what a run sends and when: arrivals, lengths, prompts, request ids, all derived
// from (seed, global arrival index) so that any process, at any time, makes the same request.
//
// scenarios parses a Plan out of the scenario file; k6ext runs it. What may not live here: sending,
// measuring, YAML.
package load

import "time"

// Plan is a whole load. It is the JSON option "plan" of the k6 executor brownout-arrivals.
type Plan struct {
	Seed     uint64        `json:"seed"`
	Arrivals Arrivals      `json:"arrivals"`
	Prompt   Length        `json:"prompt_tokens"`
	Output   Length        `json:"output_tokens"`
	Duration time.Duration `json:"duration_ns"` // arrivals fall in [0, Duration)
	Model    string        `json:"model"`
	Tenant   string        `json:"tenant,omitempty"`
	Stream   bool          `json:"stream"`
	// What is sent beside lengths; docs/load.md. With a mix, a class takes from here what it leaves out.
	Prefix       *Prefix       `json:"prefix,omitempty"`
	Conversation *Conversation `json:"conversation,omitempty"`
	Cancel       *Cancel       `json:"cancel,omitempty"`
	Mix          []Class       `json:"mix,omitempty"`
	// MaxInFlight bounds the client's memory; an arrival beyond it is dropped, recorded and failed.
	MaxInFlight int `json:"max_in_flight"`

	trace *trace // what Open read; nil unless Arrivals.Trace is set
}

// Process is an arrival process.
type Process string

// Arrival processes. All but Closed are open loop: no answer, however late, moves a request.
const (
	Constant Process = "constant" // gap = 1/rate, exactly
	Poisson  Process = "poisson"  // exponential gaps
	Gamma    Process = "gamma"    // gamma-distributed gaps of a given coefficient of variation
	OnOff    Process = "onoff"    // bursts and pauses of exponential length, Poisson inside both
	Replay   Process = "trace"    // as a file of recorded arrivals says
	Closed   Process = "closed"   // virtual users who wait for their answers
)

// Processes are all there are.
func Processes() []Process { return []Process{Constant, Poisson, Gamma, OnOff, Replay, Closed} }

// Arrivals is when requests are due.
type Arrivals struct {
	Process Process `json:"process"`
	// Rate is the long-run mean at time zero; Stages change it. None with Replay and Closed.
	Rate float64 `json:"rate_per_s,omitempty"`

	CV float64 `json:"cv,omitempty"` // Gamma: standard deviation of the gaps ÷ their mean

	On    time.Duration `json:"on_ns,omitempty"`       // OnOff: mean length of a burst
	Off   time.Duration `json:"off_ns,omitempty"`      // and of a pause
	Floor float64       `json:"floor_per_s,omitempty"` // rate during pauses, while the mean is Rate

	Stages []Stage `json:"stages,omitempty"`
	Spikes []Spike `json:"spikes,omitempty"`

	Concurrency int           `json:"concurrency,omitempty"` // Closed: virtual users
	Think       time.Duration `json:"think_ns,omitempty"`    // between an answer and the user's next request

	Trace *TraceFile `json:"trace,omitempty"`
}

// Arrival is one planned request, before its prompt is written out.
type Arrival struct {
	Index  uint64        // global, over all execution segments, in order of Due
	Due    time.Duration // from time zero
	ID     string        // request id, from (seed, index)
	Prompt int           // tokens sent, the history of a conversation included
	Output int           // tokens
	Seed   uint64        // the request's own "seed" field

	Class int    // of Plan.Classes
	Item  uint64 // what its content is drawn from: the index, or conversation << 10 | turn
	Turn  int    // of its conversation, from 0
	Rank  int    // of the shared prefix in its pool, from 1; 0 = none

	CancelAfter  time.Duration // from due: the client hangs up then; 0 = it does not
	CancelTokens int           // the client hangs up after so many tokens of the answer; 0 = it does not
}
