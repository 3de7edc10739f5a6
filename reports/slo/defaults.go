package slo

import "time"

// Defaults. Each is a limit that a quiet two-core machine keeps by a factor of five or more.
const (
	DefaultObjective = 0.9             // an SLI below it is an outage to its users, not noise
	DefaultMinBad    = 3               // two unlucky requests are no outage
	DefaultHold      = 3 * time.Second // three windows side by side
	DefaultHorizon   = 30 * time.Second

	DefaultBudgetTarget = 0.999               // three nines over a month: 43 minutes, the usual example
	DefaultBudgetWindow = 30 * 24 * time.Hour // a budget one can spend in one bad afternoon is no budget

	DefaultLagP99       = 100 * time.Millisecond // a fifth of a usual ttft limit of 500 ms
	DefaultDroppedShare = 0.001                  // a tenth of what a goodput gate of 99 % forgives
	DefaultTimerLateP99 = 20 * time.Millisecond  // one token of a loaded 8B model
	DefaultStepLateP99  = 5 * time.Millisecond   // and
	DefaultStepLateRel  = 0.2                    // of a step: both must be passed, for a long step hides 5 ms
	DefaultMaxOffset    = 5 * time.Millisecond   // a tenth of the shortest detection worth telling apart
)

// Steps of the SLI window: the shortest window, the fewest requests one should hold, and the stride.
const (
	minWindow      = time.Second
	windowRequests = 20
	step           = 100 * time.Millisecond
)

// DefaultSpec is a Spec without limits, gates and phases.
func DefaultSpec() Spec { return Spec{}.WithDefaults() }

// WithDefaults returns the spec with every zero setting filled in; limits stay as they are, for zero
// means "no such limit". A horizon shorter than the hold is raised to it: no recovery fits otherwise.
func (s Spec) WithDefaults() Spec {
	fill(&s.Objective, DefaultObjective)
	fill(&s.MinBad, DefaultMinBad)
	fill(&s.Hold, DefaultHold)
	fill(&s.Horizon, DefaultHorizon)
	s.Horizon = max(s.Horizon, s.Hold)
	fill(&s.Budget.Target, DefaultBudgetTarget)
	fill(&s.Budget.Window, DefaultBudgetWindow)
	fill(&s.Guards.LagP99, DefaultLagP99)
	fill(&s.Guards.DroppedShare, DefaultDroppedShare)
	fill(&s.Guards.TimerLateP99, DefaultTimerLateP99)
	fill(&s.Guards.StepLateP99, DefaultStepLateP99)
	fill(&s.Guards.StepLateRel, DefaultStepLateRel)
	fill(&s.Guards.MaxOffset, DefaultMaxOffset)
	s.Guards.Calibrated.fill()
	return s
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// WindowLength is the length of the SLI window under a load of rate requests a second.
func WindowLength(rate float64) time.Duration {
	if rate <= 0 {
		return minWindow
	}
	return max(minWindow, time.Duration(windowRequests/rate*float64(time.Second)))
}
