package gpu

import (
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Stopwatch compares how long steps really took with what the timing model says of an undisturbed
// device. It knows nothing of throttles: a slow device shows, whatever makes it slow. It is pure.
type Stopwatch struct {
	total           uint64
	actual, nominal time.Duration // of all of them
	laps            [watchedSteps]lap
}

type lap struct {
	end             event.Time
	actual, nominal time.Duration
}

const (
	// watchedSteps is how many of the newest steps count: enough that one late wake-up of a busy
	// machine does not decide, few enough that a change shows within a tenth of a second.
	watchedSteps = 8
	// watchedFor is how long a step counts when no newer one comes: an idle device has no ratio.
	watchedFor = 2 * time.Second
)

// Step records one step that ended.
func (w *Stopwatch) Step(end event.Time, actual, nominal time.Duration) {
	w.laps[w.total%watchedSteps] = lap{end: end, actual: actual, nominal: nominal}
	w.total++
	w.actual += actual
	w.nominal += nominal
}

// Describe fills in the measured part of the device's public state.
func (w *Stopwatch) Describe(now event.Time, d *admin.Device) {
	var actual, nominal time.Duration
	for _, l := range w.laps {
		if l.nominal > 0 && now.Sub(l.end) < watchedFor {
			actual += l.actual
			nominal += l.nominal
			d.StepsWatched++
		}
	}
	if nominal > 0 {
		d.StepRatio = actual.Seconds() / nominal.Seconds()
	}
	d.StepsTotal, d.StepSeconds, d.StepModelSeconds = w.total, w.actual.Seconds(), w.nominal.Seconds()
}
