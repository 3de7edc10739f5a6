package gpu

import (
	"math"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Time constants of the first-order lags: a heat sink is slow, a power regulator is not.
const (
	heatLag  = 15 * time.Second
	powerLag = 200 * time.Millisecond
)

// Telemetry is what sensors show; it follows the kernels that ran and is never set.
type Telemetry struct {
	spec    Spec
	usage   usage
	at      event.Time // of celsius and watts
	celsius float64
	watts   float64
	speed   float64 // of the newest kernels, as a share of full speed
}

// NewTelemetry is a cool idle device.
func NewTelemetry(s Spec, now event.Time) *Telemetry {
	return &Telemetry{spec: s, at: now, celsius: s.IdleCelsius, watts: s.IdlePower, speed: 1}
}

// Ran records kernels from start to end, and at which share of full speed the clock let them run.
// Calls come in order of time.
func (t *Telemetry) Ran(start, end event.Time, speed float64) {
	t.usage.add(start, end)
	t.speed = speed
	t.advance(end)
}

// Sample is one reading of the sensors.
type Sample struct {
	Utilisation float64 // share of the last second in kernels, 0…1
	Celsius     float64
	Watts       float64
	MHz         int
}

// Read is what the sensors show at now.
func (t *Telemetry) Read(now event.Time) Sample {
	t.advance(now)
	s := Sample{Utilisation: t.usage.share(now), Celsius: t.celsius, Watts: t.watts, MHz: t.spec.IdleMHz}
	if s.Utilisation > 0 {
		s.MHz = max(t.spec.IdleMHz, int(math.Round(float64(t.spec.BoostMHz)*t.speed)))
	}
	return s
}

// advance moves temperature and power towards what utilisation and clock set: dynamic power goes with
// the frequency (P = C·V²·f), so a throttled device is busier and yet cooler.
func (t *Telemetry) advance(now event.Time) {
	dt := now.Sub(t.at)
	if dt <= 0 {
		return
	}
	t.at = now
	u := t.usage.share(now) * t.speed
	t.celsius = lag(t.celsius, t.spec.IdleCelsius+u*(t.spec.PeakCelsius-t.spec.IdleCelsius), dt, heatLag)
	t.watts = lag(t.watts, t.spec.IdlePower+u*(t.spec.PeakPower-t.spec.IdlePower), dt, powerLag)
}

func lag(from, to float64, dt, tau time.Duration) float64 {
	return to + (from-to)*math.Exp(-dt.Seconds()/tau.Seconds())
}

// usage keeps the busy time of the last second in slots.
type usage struct {
	slots [usageSlots]struct {
		slot int64 // number of the slot since time zero: older content is stale
		busy time.Duration
	}
}

const (
	usageSlot  = 50 * time.Millisecond
	usageSlots = 21 // one more than a second has: the present one is not over
)

func (u *usage) add(start, end event.Time) {
	start = max(start, end-event.Time(time.Second)) // older busy time is never asked for
	for start < end {
		n := int64(start) / int64(usageSlot)
		until := min(end, event.Time((n+1)*int64(usageSlot)))
		s := &u.slots[n%usageSlots]
		if s.slot != n {
			s.slot, s.busy = n, 0
		}
		s.busy += until.Sub(start)
		start = until
	}
}

func (u *usage) share(now event.Time) float64 {
	last := int64(now) / int64(usageSlot)
	var busy time.Duration
	for _, s := range u.slots {
		if s.slot > last-usageSlots && s.slot <= last {
			busy += s.busy
		}
	}
	window := time.Second + time.Duration(int64(now)-last*int64(usageSlot))
	return min(1, busy.Seconds()/window.Seconds())
}
