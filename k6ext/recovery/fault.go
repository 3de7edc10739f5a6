package recovery

import (
	"strings"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Fault is one fault as this process saw it. Methods work on nil, and may be called concurrently.
//
// Stamps are on our clock, without asking the holder for its own: what it armed, it armed at the
// earliest when we asked, and a later step is as far from arming here as it is there. That places
// every step early by no more than the call took until arming, and never after we heard of it.
type Fault struct {
	r     *Recorder
	line  string
	label any

	// r.mu guards the rest.
	requested event.Time
	armed     event.Time // on the holder's clock; never = it does not tell
	targets   []string
	id        string
	effective event.Time
	cleared   event.Time
	lost      bool
	err       string
}

// Fault notes a fault that is about to be requested; one that never is stays unproven. label comes
// back with the judgement.
func (r *Recorder) Fault(line string, label any) *Fault {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &Fault{r: r, line: line, label: label, requested: r.clock.Now()}
	r.faults = append(r.faults, f)
	return f
}

// Answer notes an answer of the holder that speaks of the fault.
func (f *Fault) Answer(held faults.Held) {
	if f == nil {
		return
	}
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	now := f.r.clock.Now()
	if held.ID != "" {
		f.id = held.ID
	}
	if len(held.Targets) > 0 {
		f.targets = held.Targets
	}
	if held.Armed != 0 {
		f.armed = held.Armed
	}
	if f.effective == 0 && (held.Effective != 0 || held.Step == faults.StepEffective) {
		f.effective = f.local(held.Effective, now)
	}
	if f.cleared == 0 && (held.Step == faults.StepCleared || held.Step == faults.StepExpired) {
		f.cleared = max(f.local(held.Cleared, now), f.effective)
	}
	if held.Error != "" {
		f.err = held.Error
	}
}

// local maps a stamp of the holder; without one, the step is as old as the answer that told it.
func (f *Fault) local(stamp, now event.Time) event.Time {
	if stamp == 0 || f.armed == 0 {
		return now
	}
	return min(max(f.requested+(stamp-f.armed), f.requested), now)
}

// Gone notes that the holder no longer knows the fault, which was not how it should end.
func (f *Fault) Gone(err error) {
	if f == nil {
		return
	}
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	f.lost = true
	if err != nil {
		f.err = err.Error()
	}
}

// Failed notes why the fault could not be injected or cleared.
func (f *Fault) Failed(err error) {
	if f == nil {
		return
	}
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	f.err = err.Error()
}

// judged is the fault as the judge wants it. r.mu is held.
func (f *Fault) judged() slo.Fault {
	kind, _, _ := strings.Cut(strings.TrimSpace(f.line), " ")
	return slo.Fault{
		ID: f.id, Fault: f.line, Kind: kind, Targets: f.targets, Armed: f.requested, Effective: f.effective,
		Cleared: f.cleared, LeaseLost: f.lost, Error: f.err,
	}
}
