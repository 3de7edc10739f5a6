package run

import (
	"fmt"

	"github.com/brownout-dev/brownout/scenarios/load"
)

// loadRate is the planned rate in requests/s; of a closed loop, which plans none, what was delivered.
func (r *running) loadRate(g gathered) float64 {
	if r.Spec.Load.Arrivals.Process == load.Closed {
		return g.delivered(r.Spec.Load.Duration)
	}
	return r.Spec.Load.MeanRate()
}

// peakRate is the highest planned rate where it is not the mean; zero also for closed loops.
func peakRate(l load.Plan) float64 {
	peak := l.PeakRate()
	if l.Arrivals.Process == load.Closed || peak <= l.MeanRate() {
		return 0
	}
	return peak
}

// loadWarnings are what a reader of the summary must know about the load.
func (r *running) loadWarnings() []string {
	a := r.Spec.Load.Arrivals
	if a.Process != load.Closed {
		return nil
	}
	return []string{fmt.Sprintf("The load was a closed loop of %d virtual users: a slow answer delayed the requests behind it, so queueing is hidden "+
		"from every percentile (coordinated omission); compare it with closed loops only.", a.Concurrency)}
}
