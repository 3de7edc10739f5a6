package faults

import "context"

// Driver harms one sort of target. One driver instance serves all its kinds; the holder (faults/agent)
// calls it, serialises calls for one fault, and owns leases and the journal.
type Driver interface {
	// Name is the driver's word: "refserver".
	Name() string
	// Kinds lists what it can do.
	Kinds() []string
	// Candidates are the targets a fault could be on, as selector values by key ("gpu" → "n1/g0" …).
	// An error says that the target cannot be reached.
	Candidates(ctx context.Context) (map[string][]string, error)
	// Arm makes the fault real on targets and returns what is needed to undo it. The undo state is
	// persisted before Arm's effects count as held, and is what Clear gets after a restart of the holder.
	Arm(ctx context.Context, id string, f Fault, targets []string) (undo []byte, err error)
	// Prove observes that the fault has taken effect: an observation, never the setting read back.
	// Proof.Holds false with a nil error means "looked, and it is not there (yet)".
	Prove(ctx context.Context, id string, f Fault, targets []string) (Proof, error)
	// Clear undoes; idempotent, and right after a failed Arm too.
	Clear(ctx context.Context, id string, undo []byte) error
	// ProveGone observes that the fault is gone.
	ProveGone(ctx context.Context, id string, f Fault, targets []string) (Proof, error)
}

// Proof is an observation and its evidence, for the journal and the report.
type Proof struct {
	Holds    bool   `json:"holds"`
	Evidence string `json:"evidence"` // "an allocation of 1.1 GiB on n2/g1 was refused: 0.05 GiB free of 79.6"
}
