package load

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of a plan.
const (
	MaxRate     = 1e6            // requests/s
	MaxDuration = 24 * time.Hour // of arrivals
	MaxOpen     = 1 << 20        // max_in_flight
)

// Validate reports everything that is wrong with the plan, one sentence each.
func (p Plan) Validate() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, f := range p.Arrivals.Flaws() {
		wrong = append(wrong, f)
	}
	if p.Duration <= 0 || p.Duration > MaxDuration {
		bad("duration_ns is %v: it must be above 0 and at most %v", p.Duration, MaxDuration)
	}
	if p.Model == "" {
		bad("model is empty: name the model the target serves")
	}
	if p.MaxInFlight < 1 || p.MaxInFlight > MaxOpen {
		bad("max_in_flight is %d: it must lie in 1…%d", p.MaxInFlight, MaxOpen)
	}
	if p.Arrivals.Process == Closed && p.MaxInFlight < p.Arrivals.Concurrency {
		bad("max_in_flight is %d: it must be arrivals.concurrency, %d, or more", p.MaxInFlight, p.Arrivals.Concurrency)
	}
	if p.Arrivals.Process != Replay { // a trace has its own
		wrong = append(wrong, p.Prompt.faults("prompt_tokens")...)
		wrong = append(wrong, p.Output.faults("output_tokens")...)
	}
	return errors.Join(wrong...)
}
