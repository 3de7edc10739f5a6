package faults

import "github.com/brownout-dev/brownout/internal/event"

// Step is where a fault is in its life.
type Step string

// Steps, in order. A fault ends in cleared, expired (the lease ran out, and it was cleared) or clear_failed.
const (
	StepArmed       Step = "armed"
	StepEffective   Step = "effective"
	StepUnproven    Step = "unproven"
	StepRenewed     Step = "renewed" // only the first renewal is journalled
	StepCleared     Step = "cleared"
	StepExpired     Step = "expired"
	StepClearFailed Step = "clear_failed"
)

// Entry is one line of the append-only journal (JSON Lines): one step of one fault.
type Entry struct {
	At       event.Time `json:"at_ns"` // on the holder's clock
	Clock    string     `json:"clock"` // its id
	Step     Step       `json:"step"`
	ID       string     `json:"id"`    // of the fault, unique in the journal
	Fault    string     `json:"fault"` // one-line syntax
	Driver   string     `json:"driver"`
	Layer    Layer      `json:"layer"`
	Targets  []string   `json:"targets"`
	Run      string     `json:"run,omitempty"`
	Actor    string     `json:"actor,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Seed     uint64     `json:"seed,omitempty"`
	Cause    Cause      `json:"cause,omitempty"` // of cleared, expired and clear_failed
	Evidence string     `json:"evidence,omitempty"`
	Error    string     `json:"error,omitempty"`
}
