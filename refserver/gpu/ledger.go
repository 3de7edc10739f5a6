package gpu

import (
	"fmt"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Purpose is what an allocation is for.
type Purpose uint8

// Purposes of the engine's own allocations.
const (
	Context Purpose = iota
	Weights
	KV
	Graphs
	Activations
	numPurposes
)

// purposeNames are the words of admin.Device.Ledger.
var purposeNames = [numPurposes]string{"context", "weights", "kv", "graphs", "activations"}

func (p Purpose) String() string { return purposeNames[p] }

// Ledger keeps the books of one device's memory, in bytes. It is pure: the owner passes the time
// and serialises the calls. What is used never exceeds Total.
type Ledger struct {
	total    int64
	used     [numPurposes]int64
	foreign  int64 // Σ held of holdings
	holdings []holding
	refused  int64
	last     admin.Refusal
}

// NewLedger opens the books of an empty device.
func NewLedger(total int64) *Ledger { return &Ledger{total: total} }

// RefusedError is an allocation that did not fit.
type RefusedError struct{ admin.Refusal }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("out of memory: %d B for %s do not fit into the %d B that are free", e.Bytes, e.For, e.Free)
}

// Alloc takes bytes for a purpose, or counts and remembers the refusal and returns a *RefusedError.
func (l *Ledger) Alloc(now event.Time, p Purpose, bytes int64) error {
	if bytes < 0 || bytes > l.Free() {
		return l.Refuse(now, p, bytes)
	}
	l.used[p] += bytes
	return nil
}

// Refuse records an allocation that its owner found impossible before trying: an engine that checks
// its whole claim when it starts.
func (l *Ledger) Refuse(now event.Time, p Purpose, bytes int64) error {
	l.refused++
	l.last = admin.Refusal{At: now, Bytes: bytes, Free: l.Free(), For: p.String()}
	return &RefusedError{l.last}
}

// Release gives bytes of a purpose back (at most what it holds), then lets unfinished holdings grow.
func (l *Ledger) Release(now event.Time, p Purpose, bytes int64) {
	l.used[p] -= min(bytes, l.used[p])
	l.Grow(now)
}

// ReleaseAll ends the engine's process: only foreign memory stays.
func (l *Ledger) ReleaseAll(now event.Time) {
	l.used = [numPurposes]int64{}
	l.Grow(now)
}

// Used is what a purpose holds.
func (l *Ledger) Used(p Purpose) int64 { return l.used[p] }

// Free is what nobody holds.
func (l *Ledger) Free() int64 {
	free := l.total - l.foreign
	for _, u := range l.used {
		free -= u
	}
	return free
}

// idle is what would be free between two steps: activations come and go within one.
func (l *Ledger) idle() int64 { return l.Free() + l.used[Activations] }

// Describe fills in the memory part of the device's public state.
func (l *Ledger) Describe(d *admin.Device) {
	d.Total, d.Free = l.total, l.Free()
	d.Used = d.Total - d.Free
	d.Refused = l.refused
	if l.refused > 0 {
		d.LastRefused = new(l.last)
	}
	d.Ledger = make(map[string]int64, numPurposes+1)
	for p, u := range l.used {
		d.Ledger[Purpose(p).String()] = u
	}
	d.Ledger["foreign"] = l.foreign
	for _, h := range l.holdings {
		d.Holdings = append(d.Holdings, h.public())
	}
}
