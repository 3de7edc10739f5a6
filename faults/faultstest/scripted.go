package faultstest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
)

// Script says how a Scripted driver behaves. The zero value is a target that obeys at once.
type Script struct {
	ArmTakes   time.Duration
	ArmFails   bool
	ArmPanics  bool
	Unproven   bool          // the effect is never seen
	ProvenIn   time.Duration // the effect is seen this long after arming
	ProveFails bool          // looking is an error
	ClearFails int           // so many clear calls are errors first
	Stays      bool          // cleared, yet never seen gone
	Panics     bool          // ProveGone panics
}

// Scripted is a driver of "gpu.oom" whose target is a map shared by all drivers on the same World.
type Scripted struct {
	World *World

	mu     sync.Mutex
	script Script
	calls  []string
}

// World is the target: what is harmed at the moment, by fault id.
type World struct {
	mu sync.Mutex
	on map[string]time.Time
}

// On lists the ids of the faults that really are on.
func (w *World) On() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.on))
	for id := range w.on {
		ids = append(ids, id)
	}
	return ids
}

func (w *World) set(id string, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !on {
		delete(w.on, id)
		return
	}
	if w.on == nil {
		w.on = map[string]time.Time{}
	}
	w.on[id] = time.Now()
}

func (w *World) since(id string) (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.on[id]
	return time.Since(at), ok
}

// NewScripted makes a driver on w.
func NewScripted(w *World, s Script) *Scripted { return &Scripted{World: w, script: s} }

// Follow replaces the script.
func (d *Scripted) Follow(s Script) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.script = s
}

// Calls lists what was called so far, Prove and ProveGone without repeats in a row.
func (d *Scripted) Calls() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.calls...)
}

func (d *Scripted) call(name string) Script {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.calls); n == 0 || d.calls[n-1] != name {
		d.calls = append(d.calls, name)
	}
	return d.script
}

// Name is "scripted".
func (d *Scripted) Name() string { return "scripted" }

// Kinds is gpu.oom.
func (d *Scripted) Kinds() []string { return []string{"gpu.oom"} }

// Candidates are two nodes with two GPUs each.
func (d *Scripted) Candidates(context.Context) (map[string][]string, error) {
	return map[string][]string{"gpu": {"n1/g0", "n1/g1", "n2/g0", "n2/g1"}, "node": {"n1", "n2"}}, nil
}

// Arm follows the script.
func (d *Scripted) Arm(ctx context.Context, id string, _ faults.Fault, _ []string) ([]byte, error) {
	s := d.call("arm")
	select {
	case <-time.After(s.ArmTakes):
	case <-ctx.Done():
		d.World.set(id, true) // the worst case: it came on, and nobody knows
		return nil, ctx.Err()
	}
	d.World.set(id, true)
	if s.ArmPanics {
		panic("scripted")
	}
	if s.ArmFails {
		return nil, errors.New("scripted: the target says no")
	}
	return []byte(id), nil
}

// Prove follows the script.
func (d *Scripted) Prove(_ context.Context, id string, _ faults.Fault, _ []string) (faults.Proof, error) {
	s := d.call("prove")
	if s.ProveFails {
		return faults.Proof{}, errors.New("scripted: cannot look")
	}
	age, on := d.World.since(id)
	if s.Unproven || !on || age < s.ProvenIn {
		return faults.Proof{Evidence: "nothing to see"}, nil
	}
	return faults.Proof{Holds: true, Evidence: "seen"}, nil
}

// Clear follows the script.
func (d *Scripted) Clear(_ context.Context, id string, _ []byte) error {
	if s := d.call("clear"); s.ClearFails > 0 {
		s.ClearFails--
		d.Follow(s)
		return errors.New("scripted: cannot clear")
	}
	d.World.set(id, false)
	return nil
}

// ProveGone follows the script.
func (d *Scripted) ProveGone(_ context.Context, id string, _ faults.Fault, _ []string) (faults.Proof, error) {
	s := d.call("gone")
	if s.Panics {
		panic("scripted")
	}
	if _, on := d.World.since(id); on || s.Stays {
		return faults.Proof{Evidence: "still there"}, nil
	}
	return faults.Proof{Holds: true, Evidence: "no trace"}, nil
}
