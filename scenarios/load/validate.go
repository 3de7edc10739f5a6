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
	switch p.Arrivals.Process {
	case Constant, Poisson:
	default:
		bad("arrivals.process is %q: write constant or poisson", p.Arrivals.Process)
	}
	if !(p.Arrivals.Rate > 0 && p.Arrivals.Rate <= MaxRate) {
		bad("arrivals.rate_per_s is %v: it must be above 0 and at most %v", p.Arrivals.Rate, float64(MaxRate))
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
	if p.needsLengths() {
		for _, f := range append(p.Prompt.Flaws("prompt_tokens"), p.Output.Flaws("output_tokens")...) {
			wrong = append(wrong, f)
		}
	}
	for _, f := range p.ContentFlaws() {
		wrong = append(wrong, f)
	}
	return errors.Join(wrong...)
}

// needsLengths: somebody takes its lengths from the plan.
func (p *Plan) needsLengths() bool {
	given := p.Prompt.Dist != "" || p.Output.Dist != ""
	return given || len(p.Mix) == 0
}
