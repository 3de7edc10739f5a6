package gpu

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Stopwatch compares how long steps really took with what the timing model says of an undisturbed
// device. It knows nothing of throttles: a slow device shows, whatever makes it slow. It is pure.
type Stopwatch struct {
	total uint64
	laps  [watchedSteps]lap
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
}

// Read is Σ actual ÷ Σ nominal over the newest steps, how many they are, and how many there ever were.
// The ratio is 0 when the device is idle.
func (w *Stopwatch) Read(now event.Time) (ratio float64, steps int, total uint64) {
	var actual, nominal time.Duration
	for _, l := range w.laps {
		if l.nominal > 0 && now.Sub(l.end) < watchedFor {
			actual += l.actual
			nominal += l.nominal
			steps++
		}
	}
	if nominal > 0 {
		ratio = actual.Seconds() / nominal.Seconds()
	}
	return ratio, steps, w.total
}
