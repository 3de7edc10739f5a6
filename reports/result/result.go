// Package result is the result file, version 1: everything a report needs, nothing it has to compute.
// Its JSON Schema is schema.json beside this file; fields are added, never changed, within v1.
//
// What may not live here: judging, rendering.
package result

import (
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Version is the format's name, the first field of every file.
const Version = "brownout.result/v1"

// Result is one run.
type Result struct {
	Version  string    `json:"version"`
	Run      string    `json:"run"` // unique: "20261121T114801-gpu-oom-7f3a"
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"` // wall time of the load, drain included
	Tool     string    `json:"tool"`    // "brownout v0.1.0 (commit)"
	Scenario Scenario  `json:"scenario"`
	Target   Target    `json:"target"`
	Load     LoadInfo  `json:"load"`

	ExitCode  int            `json:"exit_code"`
	Summary   []string       `json:"summary"` // sentences one can read aloud, verdict first
	Spec      slo.Spec       `json:"spec"`
	Start     event.Time     `json:"start_ns"` // time zero on the harness's clock; other times in this file are on it too
	Judgement slo.Judgement  `json:"judgement"`
	Events    []event.Event  `json:"events"`               // merged onto the harness's clock; bounded, see EventsCut
	EventsCut int            `json:"events_cut,omitempty"` // how many more there were
	Journal   []faults.Entry `json:"journal"`
	Clocks    []ClockInfo    `json:"clocks"`

	Client      ClientInfo        `json:"client"`
	Injector    *Injector         `json:"injector,omitempty"` // nil: nothing was to be injected
	Simulator   slo.StepStats     `json:"simulator"`
	Environment map[string]string `json:"environment"`       // cpus, gomaxprocs, os, kernel, go, commit, memory …
	Samples     *Samples          `json:"samples,omitempty"` // for comparisons; absent in files of older programs
}

// Scenario is what was run.
type Scenario struct {
	Name     string   `json:"name"`
	File     string   `json:"file"` // or "built-in"
	Question string   `json:"question"`
	Digest   string   `json:"digest"`        // sha256 of the effective scenario
	Set      []string `json:"set,omitempty"` // --set overrides
	// LoadDigest is the sha256 of what was asked: load, phases, faults, limits, timeouts; not the seed, not the
	// target. Runs compare only where it agrees. Empty in files of older programs.
	LoadDigest string `json:"load_digest,omitempty"`
	// Delay is how much later than the scenario says its faults came, in a trial of a series.
	Delay time.Duration `json:"delay_ns,omitempty"`
	YAML  string        `json:"yaml"` // effective, after overrides
	Seed  uint64        `json:"seed"`
}

// Target is what it was run against.
type Target struct {
	Kind       string         `json:"kind"` // "refserver", "foreign"
	URL        string         `json:"url"`
	Resilience string         `json:"resilience,omitempty"`
	Model      string         `json:"model"`
	Replicas   int            `json:"replicas,omitempty"`
	State      map[string]any `json:"state,omitempty"` // /admin/state at the end
	// Settings are what the scenario changed in the config of a server of ours: "router.resumes=0".
	Settings []string `json:"settings,omitempty"`

	// Of a server that was there already; secrets are the names of their environment variables.
	KeyEnv    string            `json:"key_env,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"` // values, or "env:NAME"
	CAFile    string            `json:"ca_file,omitempty"`
	ExtraBody map[string]any    `json:"extra_body,omitempty"`
	MaxRate   float64           `json:"max_rate_per_s,omitempty"`

	Tokens TokenSources `json:"tokens"`
}

// TokenSources says where the output tokens of complete answers come from, in answers.
type TokenSources struct {
	Usage  int `json:"by_usage"`  // the server's usage object
	Chunks int `json:"by_chunks"` // content chunks counted: an estimate
}

// LoadInfo is the load in numbers.
type LoadInfo struct {
	Process      string  `json:"process"`
	Rate         float64 `json:"rate_per_s"`
	Written      string  `json:"rate_written,omitempty"` // "60%" of saturation, where it was written so
	Delivered    float64 `json:"delivered_per_s"`
	PromptMean   float64 `json:"prompt_tokens_mean"`
	OutputMean   float64 `json:"output_tokens_mean"`
	Saturation   float64 `json:"saturation_per_s,omitempty"`    // the model's estimate; 0 unknown
	Share        float64 `json:"share_of_saturation,omitempty"` //
	ShareNMinus1 float64 `json:"share_of_n_minus_1,omitempty"`  // what N−1 capacity would bear

	Peak        float64    `json:"peak_per_s,omitempty"`  // where the rate changes: the highest planned
	Concurrency int        `json:"concurrency,omitempty"` // of a closed loop, whose rate is the one delivered
	Trace       *TraceInfo `json:"trace,omitempty"`
}

// TraceInfo is the recorded load that was replayed.
type TraceInfo struct {
	File   string `json:"file"` // without its folder
	SHA256 string `json:"sha256"`
}

// ClockInfo is one other clock.
type ClockInfo struct {
	Who string `json:"who"` // "server", "load generator", "fault holder"
	event.Offset
}

// ClientInfo is the load generator's health.
type ClientInfo struct {
	MaxInFlight   int     `json:"max_in_flight"`
	Cores         float64 `json:"cores_used"` // CPU seconds / wall seconds
	TimerLateP99  float64 `json:"timer_late_p99_s"`
	ReadsPerChunk float64 `json:"reads_per_chunk"`
	// Calibration was made before time zero, on a stream of known stamps.
	Calibration *record.Calibration `json:"calibration,omitempty"`
}
