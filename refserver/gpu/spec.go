package gpu

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Spec is the data of one kind of accelerator. Rates are per second, memory in bytes.
type Spec struct {
	Key   string // "h100-80gb"
	Name  string // as NVML prints it
	Total int64  // device memory

	FLOPs     float64 // dense BF16 tensor throughput
	Bandwidth float64 // HBM bytes/s

	Constants Constants

	Context int64 // one process's CUDA context and libraries
	Graphs  int64 // captured CUDA graphs and library workspaces

	IdlePower, PeakPower     float64 // W
	IdleCelsius, PeakCelsius float64 // at 0 and at full utilisation, in steady state
	IdleMHz, BoostMHz        int     // SM clock
}

// Constants fit the step formula to an architecture and a dtype; they never vary by model or shape.
type Constants struct {
	BandwidthShare float64 // of Bandwidth, streaming weights
	KVShare        float64 // of Bandwidth, reading KV blocks
	FLOPsShare     float64 // of FLOPs, end to end over 2·params·tokens

	PerStep     float64 // s
	PerLayer    float64 // s
	PerSequence float64 // s, for each sequence in the batch
}

// specs is written once, before main, and only read after.
//
// H100 SXM: 989.4 TFLOP/s dense BF16 and 3.35 TB/s from NVIDIA's H100 data sheet; 81,559 MiB is
// what nvidia-smi shows for "H100 80GB HBM3"; 700 W and 1,980 MHz are its power limit and top clock.
// Shares: Vidur's kernel profiles reach 61 to 80 % of bandwidth; NIM's 70B and TensorRT-LLM's 8B
// tables both come out at 44 to 45 % of 2·params·tokens/FLOPs end to end, as BLIS uses for the H100.
// Overheads of 126 µs a step, 32 µs a layer and 4 µs a request are BLIS's.
var specs = map[string]Spec{
	"h100-80gb": {
		Key: "h100-80gb", Name: "NVIDIA H100 80GB HBM3", Total: 81559 << 20,
		FLOPs: 989e12, Bandwidth: 3.35e12,
		Constants: Constants{
			BandwidthShare: 0.80, KVShare: 0.80, FLOPsShare: 0.45,
			PerStep: 126e-6, PerLayer: 32e-6, PerSequence: 4e-6,
		},
		Context: 512 << 20, Graphs: 640 << 20,
		IdlePower: 72, PeakPower: 700, IdleCelsius: 31, PeakCelsius: 67, IdleMHz: 345, BoostMHz: 1980,
	},
}

// SpecOf finds a kind of accelerator by its key.
func SpecOf(key string) (Spec, error) {
	s, ok := specs[key]
	if !ok {
		return Spec{}, fmt.Errorf("gpu %q is not known; use one of: %s", key, keys(specs))
	}
	return s, nil
}

func keys[T any](m map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
