// Package slo judges a run: windows, membership, stamps, percentile gates, guards, verdict. Pure
// functions over records, events and the fault journal, all on one clock.
//
// What may not live here: files, YAML, presentation, clocks.
package slo

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// Spec is what was promised.
type Spec struct {
	Limits    Limits        `json:"limits"`
	Objective float64       `json:"objective"`  // SLI below it = out [0.9]
	MinBad    int           `json:"min_bad"`    // and at least so many bad requests in the window [3]
	Hold      time.Duration `json:"hold_ns"`    // H: must stay inside so long after cleared [3 s]
	Horizon   time.Duration `json:"horizon_ns"` // how long after cleared recovery is looked for; past it right-censored
	Gates     []Gate        `json:"gates"`
	Phases    []Phase       `json:"phases"`
	Guards    Guards        `json:"guards"`
	// DegradedIsGood counts degraded answers as goodput.
	DegradedIsGood bool `json:"degraded_is_good,omitempty"`
	// Expected outcomes that are not bad (a flooder's 429).
	Expected []record.Outcome `json:"expected,omitempty"`
	// Classes of the load that were promised something else, by name.
	Classes map[string]Class `json:"classes,omitempty"`
}

// Limits are per-request; zero = no such limit. Seconds from due, but TPOT and Gap.
type Limits struct {
	TTFT time.Duration `json:"ttft_ns,omitempty"`
	TPOT time.Duration `json:"tpot_ns,omitempty"`
	Gap  time.Duration `json:"max_gap_ns,omitempty"`
	E2E  time.Duration `json:"e2e_ns,omitempty"`
}

// Phase is a stretch of the plan; a request belongs to the phase its due falls in.
type Phase struct {
	Name  string        `json:"name"`
	At    time.Duration `json:"at_ns"` // from time zero
	For   time.Duration `json:"for_ns"`
	Quiet bool          `json:"quiet,omitempty"` // warm-up: not judged
}

// Gate is one limit on one number. Text is the line as written: "p99 ttft <= 500ms".
type Gate struct {
	Class  string  `json:"class,omitempty"` // over the requests of this class only; "" = over all
	Scope  string  `json:"scope"`           // a phase's name, "run" (all judged phases) or "recovery"
	Metric string  `json:"metric"`          // goodput, availability, ttft, itl, tpot, e2e, sched_lag, count, ttd, ttm, ttr, residual, out_of_slo, relapses
	Of     string  `json:"of,omitempty"`    // count: the outcome's word
	P      float64 `json:"p,omitempty"`     // percentile metrics: 99, 99.9
	Op     string  `json:"op"`              // "<=", ">=", "=="
	Value  float64 `json:"value"`           // seconds, shares (0…1) or counts
	Text   string  `json:"text"`
	File   string  `json:"file,omitempty"` // where it was written
	Line   int     `json:"line,omitempty"`
}

// Guards make a verdict unknown rather than wrong. Chosen from measured distributions; docs/verdict.md.
type Guards struct {
	LagP99       time.Duration `json:"lag_p99_ns"`          // client-limited above
	DroppedShare float64       `json:"dropped_share"`       // client-limited above
	TimerLateP99 time.Duration `json:"timer_late_p99_ns"`   // machine starved above (client side)
	StepLateP99  time.Duration `json:"step_late_p99_ns"`    // simulator-limited above, and
	StepLateRel  float64       `json:"step_late_relative"`  // above this share of the step
	MaxOffset    time.Duration `json:"max_offset_error_ns"` // clock not resolved above
}

// Input is everything the judge looks at. All Times are on the harness's clock.
type Input struct {
	Spec    Spec
	Start   event.Time // time zero of the plan
	Records []record.Record
	Gaps    record.Gaps // token gaps, by second
	Events  []event.Event
	Faults  []Fault
	Client  record.ClientStats
	Steps   StepStats
	Clocks  []event.Offset
	Load    Load
	// Problems found before judging: "target unreachable", "shard without footer" … each makes it unknown.
	Problems []Reason
}

// Load is what was planned.
type Load struct {
	Rate float64 // requests/s
}

// Fault is one injected fault with the holder's proven stamps.
type Fault struct {
	ID        string        `json:"id"`
	Fault     string        `json:"fault"` // one-line syntax
	Kind      string        `json:"kind"`
	Targets   []string      `json:"targets"`
	Point     bool          `json:"point,omitempty"` // kill, Xid: cleared = restart permitted
	Planned   time.Duration `json:"planned_ns"`      // from time zero
	Armed     event.Time    `json:"armed_ns"`
	Effective event.Time    `json:"effective_ns,omitempty"` // proven; never = unproven
	Cleared   event.Time    `json:"cleared_ns,omitempty"`   // proven gone
	Evidence  string        `json:"evidence,omitempty"`
	Gone      string        `json:"gone,omitempty"`
	LeaseLost bool          `json:"lease_lost,omitempty"`
	Error     string        `json:"error,omitempty"`
}

// StepStats is the simulator's own lateness over the run: how late engine steps ended against plan.
type StepStats struct {
	Steps   uint64  `json:"steps"`
	LateP50 float64 `json:"late_p50_s"`
	LateP99 float64 `json:"late_p99_s"`
	StepP50 float64 `json:"step_p50_s"` // length of a step
	Known   bool    `json:"known"`      // false: not our simulator
}
