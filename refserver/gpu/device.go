package gpu

import (
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// DeviceConfig describes one simulated device.
type DeviceConfig struct {
	ID   string // "n2/g1"
	UUID string
	Spec Spec
}

// Device is a simulated accelerator, shared by the engine that runs on it and by whoever looks at it
// or holds memory on it. Its mutex is taken a few times a step, never per token.
type Device struct {
	id, uuid string
	spec     Spec

	mu        sync.Mutex
	ledger    *Ledger
	telemetry *Telemetry
	throttles *Throttles
	watch     Stopwatch
	speed     float64 // of the running step, as a share of full speed
}

// NewDevice is an empty, idle device.
func NewDevice(c DeviceConfig, now event.Time) *Device {
	return &Device{
		id: c.ID, uuid: c.UUID, spec: c.Spec, ledger: NewLedger(c.Spec.Total), telemetry: NewTelemetry(c.Spec, now),
		throttles: NewThrottles(c.ID), speed: 1,
	}
}

// ID is the device's name in the cluster.
func (d *Device) ID() string { return d.id }

// Spec is the kind of device.
func (d *Device) Spec() Spec { return d.spec }

// Alloc takes memory for the engine; see Ledger.Alloc.
func (d *Device) Alloc(now event.Time, p Purpose, bytes int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.Grow(now)
	return d.ledger.Alloc(now, p, bytes)
}

// Claim fails, as a refusal of the weights, unless that much memory is free: the check that an engine
// makes of its whole claim when it starts. It takes nothing.
func (d *Device) Claim(now event.Time, bytes int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bytes > d.ledger.Free() {
		return d.ledger.Refuse(now, Weights, bytes)
	}
	return nil
}

// Release gives memory of the engine back; see Ledger.Release.
func (d *Device) Release(now event.Time, p Purpose, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.Release(now, p, bytes)
}

// ReleaseAll frees everything the engine has: its process ended.
func (d *Device) ReleaseAll(now event.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.ReleaseAll(now)
}

// Free is what is free now.
func (d *Device) Free() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ledger.Free()
}

// Ran ends a step: its kernels kept the device busy and its activations are given back.
func (d *Device) Ran(start, end event.Time, activations int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.telemetry.Ran(start, end, d.speed)
	d.ledger.Release(end, Activations, activations)
}

// Stretch is how long a step that starts now takes on this device, given what it takes undisturbed.
func (d *Device) Stretch(now event.Time, nominal time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	factor := d.throttles.Factor(now)
	d.speed = 1 / factor
	return time.Duration(factor * float64(nominal))
}

// Timed records how long a step really took, by the clock, beside what it takes undisturbed.
func (d *Device) Timed(end event.Time, actual, nominal time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch.Step(end, actual, nominal)
}

// Throttle slows the device down; see Throttles.Begin. The request must be valid.
func (d *Device) Throttle(now event.Time, r admin.ThrottleRequest) (t admin.Throttle, fresh bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.throttles.Begin(now, r)
}

// Unthrottle lets the device run at full speed again; see Throttles.End.
func (d *Device) Unthrottle(now event.Time, id string) (t admin.Throttle, was bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.throttles.End(now, id)
}

// TickThrottles expires throttles and says when to call again; ok false: not before the next Throttle.
func (d *Device) TickThrottles(now event.Time) (gone []admin.Throttle, next event.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gone = d.throttles.Expire(now)
	next, ok = d.throttles.Due()
	return gone, next, ok
}

// Probe tries an allocation and gives it back. It is no refusal of the engine's and counts nowhere.
func (d *Device) Probe(bytes int64) admin.ProbeAnswer {
	d.mu.Lock()
	defer d.mu.Unlock()
	free := d.ledger.Free()
	return admin.ProbeAnswer{Granted: bytes <= free, Bytes: bytes, Free: free, Total: d.spec.Total}
}

// Hold takes foreign memory; see Ledger.Hold. The request must be valid.
func (d *Device) Hold(now event.Time, r admin.HoldRequest) (h admin.Holding, fresh bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ledger.Hold(now, r)
}

// Unhold lets foreign memory go; see Ledger.Unhold.
func (d *Device) Unhold(now event.Time, id string) (h admin.Holding, was bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ledger.Unhold(now, id)
}

// Tick grows and expires foreign memory and says when to call again; ok false: not before the next Hold.
func (d *Device) Tick(now event.Time) (gone []admin.Holding, next event.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gone = d.ledger.Expire(now)
	d.ledger.Grow(now)
	next, ok = d.ledger.Due(now)
	return gone, next, ok
}

// State is the device as the admin API shows it.
func (d *Device) State(now event.Time) admin.Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.telemetry.Read(now)
	out := admin.Device{
		ID: d.id, Name: d.spec.Name, UUID: d.uuid, Simulated: true,
		Utilisation: s.Utilisation, Temperature: s.Celsius, Power: s.Watts, ClockSM: s.MHz,
	}
	d.watch.Describe(now, &out)
	out.Throttles = d.throttles.Describe(now)
	d.ledger.Describe(&out)
	return out
}
