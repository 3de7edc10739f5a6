// Package admin is the JSON of the reference server's admin listener: its state, its events and the
// plain control surface any operator tool could use. The server writes it; drivers and the harness read it.
//
//	GET  /admin/clock                              → event.Reading            (no token needed)
//	GET  /admin/state                              → State
//	GET  /admin/events?since=SEQ                   → SSE, one event.Event as JSON per "data:" line; ids are Seq
//	GET  /admin/events?since=SEQ&follow=false      → EventPage
//	POST /admin/control/gpus/{node}/{gpu}/holdings       HoldRequest → Holding      (201)
//	DELETE /admin/control/gpus/{node}/{gpu}/holdings/{id}           → Holding      (idempotent: 200 also when gone)
//	POST /admin/control/gpus/{node}/{gpu}/throttles      ThrottleRequest → Throttle (201)
//	DELETE /admin/control/gpus/{node}/{gpu}/throttles/{id}          → Throttle     (idempotent: 200 also when gone)
//	POST /admin/control/gpus/{node}/{gpu}/probe          ProbeRequest → ProbeAnswer
//	POST /admin/control/replicas/{node}/{gpu}/restart                → Replica     (202: kills the engine and reloads it)
//	POST /admin/control/nodes/{node}/kill                KillRequest → Outage      (201: kills the node, keeps it down)
//	DELETE /admin/control/nodes/{node}/kill/{id}                    → Outage       (idempotent: permits the restart)
//
// Everything but /admin/clock wants "Authorization: Bearer <admin token>" when one is configured.
// The control calls exist only when the server runs with control enabled and a token set; otherwise 404.
//
// What may not live here: handlers, clients.
package admin

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// State is the body of GET /admin/state.
type State struct {
	Clock      event.Reading `json:"clock"`
	Version    string        `json:"version"`
	Resilience string        `json:"resilience"` // "full", "none"
	Model      string        `json:"model"`
	Uptime     float64       `json:"uptime_s"`
	InFlight   int           `json:"in_flight"` // requests inside the gateway
	Draining   bool          `json:"draining"`
	Nodes      []Node        `json:"nodes"`
	Steps      Steps         `json:"steps"`
	Router     Router        `json:"router"`
	// Saturation is the timing model's estimate of the highest rate (requests/s) of the whole pool
	// for ?prompt=N&output=M tokens per request, when asked for; and the same with one replica less.
	Saturation       float64 `json:"saturation_per_s,omitempty"`
	SaturationMinus1 float64 `json:"saturation_n_minus_1_per_s,omitempty"`
}

// Node is one machine.
type Node struct {
	ID       string    `json:"id"` // "n1"
	Devices  []Device  `json:"devices"`
	Replicas []Replica `json:"replicas"`
	NodeLife
}

// Device is one accelerator. Bytes, °C, W, MHz.
type Device struct {
	ID          string  `json:"id"`   // "n2/g1"
	Name        string  `json:"name"` // "NVIDIA H100 80GB HBM3"
	UUID        string  `json:"uuid"`
	Simulated   bool    `json:"simulated"`
	Total       int64   `json:"memory_total_bytes"`
	Used        int64   `json:"memory_used_bytes"`
	Free        int64   `json:"memory_free_bytes"`
	Utilisation float64 `json:"utilisation"` // share of the last second spent in kernels, 0…1
	Temperature float64 `json:"temperature_c"`
	Power       float64 `json:"power_w"`
	ClockSM     int     `json:"clock_sm_mhz"`
	// Refused counts the engine's allocations that did not fit, since start.
	Refused int64 `json:"allocations_refused_total"`
	// LastRefused describes the newest refusal of an engine's allocation.
	LastRefused *Refusal `json:"last_refused,omitempty"`
	// Ledger: what the used memory is, by purpose: "context", "weights", "kv", "graphs", "activations", "foreign".
	Ledger   map[string]int64 `json:"ledger"`
	Holdings []Holding        `json:"holdings,omitempty"`
	// StepRatio is measured: how long the newest engine steps took by the clock ÷ what the timing model
	// gives them on an undisturbed device. About 1 in health, 0 while the device is idle.
	StepRatio    float64 `json:"step_ratio"`
	StepsWatched int     `json:"steps_watched"` // newest steps in StepRatio
	// All steps since start, what they took by the clock, and what the model gives them.
	StepsTotal       uint64     `json:"steps_total"`
	StepSeconds      float64    `json:"step_seconds_total"`
	StepModelSeconds float64    `json:"step_model_seconds_total"`
	Throttles        []Throttle `json:"throttles,omitempty"`
}

// Refusal is an allocation that did not fit.
type Refusal struct {
	At    event.Time `json:"at_ns"`
	Bytes int64      `json:"bytes"`
	Free  int64      `json:"free_bytes"`
	For   string     `json:"for"` // "activations", "kv", "weights", "probe"
}

// Replica is one engine serving one model.
type Replica struct {
	ID         string  `json:"id"` // "n2/g1/llama-3.1-8b"
	Model      string  `json:"model"`
	State      string  `json:"state"`   // engine.State
	Breaker    string  `json:"breaker"` // "closed", "half-open", "open"; "" when off
	Running    int     `json:"running"`
	Waiting    int     `json:"waiting"`
	KVUsage    float64 `json:"kv_usage"`
	KVBlocks   int     `json:"kv_blocks"`
	Budget     int     `json:"token_budget"` // per step, now
	Generation uint64  `json:"generation"`
	Served     uint64  `json:"served_total"`
	Tokens     uint64  `json:"output_tokens_total"`
}

// Router is what the router did since start.
type Router struct {
	Attempts     uint64  `json:"attempts_total"`
	Retries      uint64  `json:"retries_total"`
	Resumes      uint64  `json:"resumes_total"`
	Failed       uint64  `json:"failed_total"`
	Poisoned     uint64  `json:"poisoned_total"`
	BudgetLeft   float64 `json:"retry_budget_left"`
	BudgetDenied uint64  `json:"retry_budget_denied_total"`
}

// Steps is how punctual the simulator is: lateness of step ends against plan, over the last minute.
type Steps struct {
	Known   bool    `json:"known"`
	Steps   uint64  `json:"steps_total"`
	LateP50 float64 `json:"late_p50_s"`
	LateP99 float64 `json:"late_p99_s"`
	StepP50 float64 `json:"step_p50_s"`
}

// HoldRequest takes memory on a device as another process would. Exactly one of Share, Bytes.
type HoldRequest struct {
	ID    string        `json:"id"`                      // caller's; the same id twice is the same holding
	Share float64       `json:"share_of_free,omitempty"` // 0…1 of what is free now
	Bytes int64         `json:"bytes,omitempty"`
	Ramp  time.Duration `json:"ramp_ns,omitempty"` // grows linearly to the full size
	TTL   time.Duration `json:"ttl_ns"`            // > 0: the server lets go by itself
}

// Holding is memory held by a foreign process.
type Holding struct {
	ID      string     `json:"id"`
	Bytes   int64      `json:"bytes"` // held now
	Target  int64      `json:"target_bytes"`
	Expires event.Time `json:"expires_ns"`
	Gone    bool       `json:"gone,omitempty"`
}

// ProbeRequest tries an allocation and gives it back at once. Bytes 0 = the activation peak of a
// step with the full token budget: the largest allocation the engine makes at run time.
type ProbeRequest struct {
	Bytes int64 `json:"bytes,omitempty"`
}

// ProbeAnswer is what the allocator said.
type ProbeAnswer struct {
	Granted bool  `json:"granted"`
	Bytes   int64 `json:"bytes"`
	Free    int64 `json:"free_bytes"`
	Total   int64 `json:"total_bytes"`
}

// EventPage is the body of GET /admin/events?follow=false.
type EventPage struct {
	Events  []event.Event `json:"events"`
	Dropped uint64        `json:"dropped"` // older events no longer kept
}

// Error is the body of every failed admin call.
type Error struct {
	Error string `json:"error"`
}

// Listening is the one JSON line that `brownout serve` writes to its ready file descriptor (or
// stdout with --print-ready) once it accepts requests.
type Listening struct {
	API    string `json:"api"`            // "http://127.0.0.1:41235"
	Admin  string `json:"admin"`          // ""  when off
	Faults string `json:"faults"`         // base URL of the fault holder's API, "" when off
	Node   string `json:"node,omitempty"` // host:port of a node's gRPC socket; `brownout node` has no other
	PID    int    `json:"pid"`
}
