package result

import "github.com/brownout-dev/brownout/reports/record"

// Injector is what the fault machinery costs while no fault is on, measured before the run.
type Injector struct {
	// InPath: requests pass through it, so it may slow them with no fault on. Then AddedTTFT and AddedGap say by how much.
	InPath    bool           `json:"in_path"`
	AddedTTFT *record.Spread `json:"added_ttft,omitempty"`
	AddedGap  *record.Spread `json:"added_gap,omitempty"`

	Call record.Spread `json:"call"` // round trips of its API, asking what is on
	// IdleCores is the CPU time of the process that holds faults ÷ wall time, while nobody asks anything:
	// of a fault agent, its whole cost; absent where the holder is the server itself or is not ours to look at.
	IdleCores *float64 `json:"idle_cores,omitempty"`
}
