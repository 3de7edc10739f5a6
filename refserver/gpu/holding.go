package gpu

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Limits of foreign holdings: an operator's tool is bounded like everything else.
const (
	maxHoldings  = 16
	maxHoldingID = 128
	maxTTL       = 24 * time.Hour
	// rampTick is how often a growing holding takes more.
	rampTick = 10 * time.Millisecond
)

// holding is memory of another process on the device.
type holding struct {
	id      string
	target  int64 // fixed when it was asked for
	held    int64 // ≤ target; less while it ramps, or while activations of a running step are in the way
	from    event.Time
	ramp    time.Duration
	expires event.Time
}

func (h holding) public() admin.Holding {
	return admin.Holding{ID: h.id, Bytes: h.held, Target: h.target, Expires: h.expires}
}

// wanted is how much of the target the ramp asks for at now.
func (h holding) wanted(now event.Time) int64 {
	since := now.Sub(h.from)
	if h.ramp <= 0 || since >= h.ramp {
		return h.target
	}
	return int64(float64(h.target) * max(0, since.Seconds()) / h.ramp.Seconds())
}

// ValidateHold checks a request; every problem is in the error.
func ValidateHold(r admin.HoldRequest) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.ID == "" || len(r.ID) > maxHoldingID {
		bad("id must have 1 to %d bytes", maxHoldingID)
	}
	if (r.Share == 0) == (r.Bytes == 0) {
		bad("give exactly one of share_of_free and bytes")
	}
	if !(r.Share >= 0 && r.Share <= 1) {
		bad("share_of_free is %g; it must be above 0 and at most 1", r.Share)
	}
	if r.Bytes < 0 {
		bad("bytes is %d; it must be above 0", r.Bytes)
	}
	if r.TTL <= 0 || r.TTL > maxTTL {
		bad("ttl_ns is %d (%v); it must be above 0 and at most %v", r.TTL, r.TTL, maxTTL)
	}
	if r.Ramp < 0 || r.Ramp > maxTTL {
		bad("ramp_ns is %d (%v); it must be 0 to %v", r.Ramp, r.Ramp, maxTTL)
	}
	return errors.Join(errs...)
}

// Hold takes foreign memory. The request must be valid. Its size is fixed now, as a share (or at most
// all) of what is free between two steps; what a running step still uses is taken when the step ends.
// The same id twice is the same holding: its size stays and its time to live starts anew.
func (l *Ledger) Hold(now event.Time, r admin.HoldRequest) (h admin.Holding, fresh bool, err error) {
	if i := l.find(r.ID); i >= 0 {
		l.holdings[i].expires = now.Add(r.TTL)
		return l.holdings[i].public(), false, nil
	}
	if len(l.holdings) == maxHoldings {
		return admin.Holding{}, false, fmt.Errorf("the device has %d foreign holdings already: release one first", maxHoldings)
	}
	room := l.idle()
	for _, h := range l.holdings {
		room -= h.target - h.held // promised
	}
	target := min(r.Bytes, room)
	if r.Bytes == 0 {
		target = int64(r.Share * float64(room))
	}
	l.holdings = append(l.holdings, holding{
		id: r.ID, target: max(0, target), from: now, ramp: r.Ramp, expires: now.Add(r.TTL),
	})
	l.Grow(now)
	return l.holdings[len(l.holdings)-1].public(), true, nil
}

// Unhold lets a holding go; one that is not there is Gone as well.
func (l *Ledger) Unhold(now event.Time, id string) (h admin.Holding, was bool) {
	i := l.find(id)
	if i < 0 {
		return admin.Holding{ID: id, Gone: true}, false
	}
	h = l.drop(i)
	l.Grow(now)
	return h, true
}

// Grow lets every holding take what it wants by now and what fits.
func (l *Ledger) Grow(now event.Time) {
	for i := range l.holdings {
		h := &l.holdings[i]
		if h.held == h.target {
			continue
		}
		more := max(0, min(h.wanted(now)-h.held, l.Free()))
		h.held += more
		l.foreign += more
	}
}

// Expire removes the holdings whose time is over and returns them.
func (l *Ledger) Expire(now event.Time) (gone []admin.Holding) {
	for i := len(l.holdings) - 1; i >= 0; i-- {
		if l.holdings[i].expires <= now {
			gone = append(gone, l.drop(i))
		}
	}
	if gone != nil {
		l.Grow(now)
	}
	return gone
}

// Due is the next instant at which Grow or Expire will change anything; false when never.
func (l *Ledger) Due(now event.Time) (at event.Time, ok bool) {
	for _, h := range l.holdings {
		next := h.expires
		if h.held < h.target {
			next = min(next, now.Add(rampTick))
		}
		if !ok || next < at {
			at, ok = next, true
		}
	}
	return at, ok
}

func (l *Ledger) find(id string) int {
	return slices.IndexFunc(l.holdings, func(h holding) bool { return h.id == id })
}

func (l *Ledger) drop(i int) admin.Holding {
	h := l.holdings[i]
	l.foreign -= h.held
	l.holdings = slices.Delete(l.holdings, i, i+1)
	out := h.public()
	out.Bytes, out.Gone = 0, true
	return out
}
