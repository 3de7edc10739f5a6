// Package faults is the language of faults: what a fault is, how it is written, planned, leased,
// proven and journalled, and the HTTP API (with its client) of the process that holds it.
//
// What may not live here: how any one target is harmed (faults/drivers), load, judging.
package faults

import "time"

// Layer is where a fault lives.
type Layer string

// Layers.
const (
	LayerClient     Layer = "client"
	LayerNetwork    Layer = "network"
	LayerGateway    Layer = "gateway"
	LayerNode       Layer = "node"
	LayerGPU        Layer = "gpu_data_plane"
	LayerTelemetry  Layer = "gpu_telemetry"
	LayerDependency Layer = "dependency"
)

// Fault is one thing that shall go wrong. Its one-line form is
//
//	gpu.oom on gpu=n2/g1 for 10s reserve=95% ramp=3s
//
// String writes it and Parse reads it back.
type Fault struct {
	Kind     string            `json:"kind"`                // "gpu.oom"; see Catalogue
	On       Selector          `json:"on"`                  // never empty: an empty selector is an error, not "all"
	For      time.Duration     `json:"for_ns"`              // > 0, bounded by MaxDuration
	Ramp     time.Duration     `json:"ramp_ns,omitempty"`   // ≤ For
	Params   map[string]string `json:"params,omitempty"`    // magnitude with unit, by the kind's own names
	Seed     uint64            `json:"seed,omitempty"`      // for kinds that draw
	MaxShare float64           `json:"max_share,omitempty"` // cap on the share of candidates that may match; 0 = DefaultMaxShare
}

// Limits that hold for every fault.
const (
	MaxDuration     = time.Hour
	DefaultMaxShare = 0.5
)

// Selector picks targets: every term must hold. "gpu=n2/g1", "gpu=n2/*", "node=n1".
type Selector []Term

// Term is one condition of a Selector.
type Term struct {
	Key   string `json:"key"`   // "gpu", "node", "replica"
	Value string `json:"value"` // exact, or with '*' for any run of characters but '/'
}
