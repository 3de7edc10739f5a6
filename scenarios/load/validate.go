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
	if p.Model == "" && len(p.Mix) == 0 {
		bad("model is empty: name the model the target serves")
	}
	if p.MaxInFlight < 1 || p.MaxInFlight > MaxOpen {
		bad("max_in_flight is %d: it must lie in 1…%d", p.MaxInFlight, MaxOpen)
	}
	if p.Arrivals.Process == Closed && p.MaxInFlight < p.Arrivals.Concurrency {
		bad("max_in_flight is %d: it must be arrivals.concurrency, %d, or more", p.MaxInFlight, p.Arrivals.Concurrency)
	}
	for _, f := range append(p.lengthFlaws(), p.ContentFlaws()...) {
		wrong = append(wrong, f)
	}
	return errors.Join(wrong...)
}

// lengthFlaws lists what is wrong with the lengths that the plan has for all. A mix may leave them out, and
// a trace has its own.
func (p *Plan) lengthFlaws() (wrong []Flaw) {
	if p.Arrivals.Process == Replay {
		return nil
	}
	if p.Prompt.Dist != "" || len(p.Mix) == 0 {
		wrong = p.Prompt.Flaws("prompt_tokens")
	}
	if p.Output.Dist != "" || len(p.Mix) == 0 {
		wrong = append(wrong, p.Output.Flaws("output_tokens")...)
	}
	return wrong
}
