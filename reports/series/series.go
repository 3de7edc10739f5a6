// Package series is what several trials of one scenario say together: the file series.json, the
// statistics of recovery over trials, and the verdict of the whole. Its JSON Schema is schema.json
// beside this file; fields are added, never changed, within version 1.
//
// What may not live here: running trials, judging a single run (reports/slo), comparing two series,
// rendering.
package series

import (
	"time"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Version is the format's name, the first field of every file.
const Version = "brownout.series/v1"

// Series is trials of one scenario, in variants side by side.
type Series struct {
	Version  string    `json:"version"`
	Run      string    `json:"run"` // unique: "20261121T114801-gpu-oom-7f3a"
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"` // wall time, repeats included
	Tool     string    `json:"tool"`
	Scenario Scenario  `json:"scenario"`
	// Planned is how many trials each variant was to have.
	Planned int `json:"trials_planned"`
	// Period is what injections were spread over: each trial's faults come later by a drawn share of it.
	Period time.Duration `json:"period_ns"`

	Verdict  slo.Verdict  `json:"verdict"`
	ExitCode int          `json:"exit_code"`
	Reasons  []slo.Reason `json:"reasons"`
	Summary  []string     `json:"summary"` // sentences one can read aloud, verdict first
	// Stopped says why the series ended before all trials were run; empty when it did not.
	Stopped  string    `json:"stopped,omitempty"`
	Repeats  int       `json:"repeats"` // runs that were given up, because the machine was too busy, and run again
	Variants []Variant `json:"variants"`
}

// Scenario is what was run.
type Scenario struct {
	Name     string `json:"name"`
	File     string `json:"file"`
	Question string `json:"question"`
	// Published are figures of another system that the scenario wants read beside its own.
	Published string     `json:"published,omitempty"`
	Digest    string     `json:"digest"`
	Seed      uint64     `json:"seed"` // of the first trial; trial i has seed + i − 1
	Set       []string   `json:"set,omitempty"`
	Gates     []slo.Gate `json:"trial_gates,omitempty"` // over the trials of every variant under test
}

// Role is what a variant is for.
type Role string

// Roles.
const (
	Tested  Role = "test"    // every trial must pass
	Control Role = "control" // every trial must fail: if one passes, the scenario proves nothing
	Beside  Role = "beside"  // shown, not judged
)

// Variant is the trials of the scenario with some values changed.
type Variant struct {
	Name    string   `json:"name"`
	Role    Role     `json:"role"`
	Set     []string `json:"set,omitempty"` // its overrides
	Digest  string   `json:"digest"`
	Trials  []Trial  `json:"trials"`
	Passed  int      `json:"passed"`
	Failed  int      `json:"failed"`
	Unknown int      `json:"unknown"`
	// Faults are the statistics over trials of each fault, in the order they were injected.
	Faults []Recoveries `json:"faults"`
	// Goodput is over trials whose measurement can be trusted.
	Goodput Numbers          `json:"goodput"`
	Gates   []slo.GateResult `json:"gates"` // of slo.trials, for a variant under test
}

// Trial is one run.
type Trial struct {
	Number  int           `json:"number"` // from 1, the same in every variant for the same seed
	Seed    uint64        `json:"seed"`
	Delay   time.Duration `json:"delay_ns"` // of every fault against the scenario
	Order   int           `json:"order"`    // in which it was run, from 1, over all variants
	Dir     string        `json:"dir"`      // beside series.json
	Started time.Time     `json:"started"`
	Seconds float64       `json:"seconds"`

	Verdict  slo.Verdict  `json:"verdict"`
	ExitCode int          `json:"exit_code"`
	Reasons  []slo.Reason `json:"reasons"`
	// Trusted: no guard tripped and nothing was amiss but, perhaps, too few samples or an unproven fault.
	// What is not trusted is in no statistic.
	Trusted  bool     `json:"trusted"`
	Due      int      `json:"due"`
	Good     int      `json:"good"`
	Goodput  float64  `json:"goodput"`
	TTFTP99  *float64 `json:"ttft_p99_s,omitempty"` // failures as infinite, written -1; absent with too few samples
	Figures  *Figures `json:"figures,omitempty"`    // absent in files of earlier versions
	Gates    []Gate   `json:"gates"`
	Faults   []Fault  `json:"faults"`
	Repeated []Try    `json:"repeated,omitempty"` // runs of this trial that were given up before it
}

// Gate is one gate of one trial.
type Gate struct {
	Scope   string      `json:"scope"`
	Text    string      `json:"text"`
	Verdict slo.Verdict `json:"verdict"`
	Why     string      `json:"why"`
}

// Fault is how one fault of one trial ended. Seconds.
type Fault struct {
	Fault    string            `json:"fault"` // as planned
	Kind     string            `json:"kind"`
	Targets  []string          `json:"targets"`
	State    slo.RecoveryState `json:"state"`
	Felt     bool              `json:"felt"` // there was an impact
	TTD      *float64          `json:"ttd_s,omitempty"`
	TTM      *float64          `json:"ttm_s,omitempty"`
	TTR      *float64          `json:"ttr_s,omitempty"`
	Residual *float64          `json:"residual_s,omitempty"`
	Observed float64           `json:"observed_s,omitempty"` // of a censored one: how long it was looked for in vain
	OutOfSLO float64           `json:"out_of_slo_s"`
	Relapses int               `json:"relapses"`
	Lost     int               `json:"lost"`
	Late     int               `json:"late"`
	Burn     *float64          `json:"budget_burned,omitempty"` // share of the error budget
}

// Try is a run that was given up.
type Try struct {
	Dir     string       `json:"dir"`
	Reasons []slo.Reason `json:"reasons"`
}
