package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Limits of outages: an operator's tool is bounded like everything else.
const (
	maxOutages  = 16
	maxOutageID = 128
	maxDownTime = 24 * time.Hour
)

// Outages are the orders that keep one node down: it may start when there is none. Not safe for
// concurrent use.
type Outages struct{ list []admin.Outage }

// ValidateKill checks a request; every problem is in the error, which is an ErrBadRequest.
func ValidateKill(r admin.KillRequest) error {
	var errs []error
	if r.ID == "" || len(r.ID) > maxOutageID {
		errs = append(errs, fmt.Errorf("id must have 1 to %d bytes", maxOutageID))
	}
	if r.TTL <= 0 || r.TTL > maxDownTime {
		errs = append(errs, fmt.Errorf("ttl_ns is %d (%v); it must be above 0 and at most %v", r.TTL, r.TTL, maxDownTime))
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", ErrBadRequest, errors.Join(errs...))
	}
	return nil
}

// Add keeps the node down. The request must be valid. The same id twice is the same outage, whose
// time to live starts anew; fresh is false then.
func (o *Outages) Add(now event.Time, r admin.KillRequest) (out admin.Outage, fresh bool, err error) {
	out = admin.Outage{ID: r.ID, Expires: now.Add(r.TTL)}
	if i := o.find(r.ID); i >= 0 {
		o.list[i] = out
		return out, false, nil
	}
	if len(o.list) == maxOutages {
		return admin.Outage{}, false, fmt.Errorf("%w: the node has %d outages already: end one first", ErrBadRequest, maxOutages)
	}
	o.list = append(o.list, out)
	return out, true, nil
}

// End takes an outage away; one that is not there is Gone as well.
func (o *Outages) End(id string) (out admin.Outage, was bool) {
	i := o.find(id)
	if i < 0 {
		return admin.Outage{ID: id, Gone: true}, false
	}
	out = o.list[i]
	out.Gone = true
	o.list = slices.Delete(o.list, i, i+1)
	return out, true
}

// Expire ends those whose time is over and returns them.
func (o *Outages) Expire(now event.Time) (gone []admin.Outage) {
	for i := len(o.list) - 1; i >= 0; i-- {
		if o.list[i].Expires <= now {
			out, _ := o.End(o.list[i].ID)
			gone = append(gone, out)
		}
	}
	return gone
}

// Due is when Expire will next find one; false: never.
func (o *Outages) Due() (at event.Time, ok bool) {
	for _, out := range o.list {
		if !ok || out.Expires < at {
			at, ok = out.Expires, true
		}
	}
	return at, ok
}

// Down reports whether the node must stay down.
func (o *Outages) Down() bool { return len(o.list) > 0 }

// List is a copy of all outages; nil without one.
func (o *Outages) List() []admin.Outage { return slices.Clone(o.list) }

func (o *Outages) find(id string) int {
	return slices.IndexFunc(o.list, func(out admin.Outage) bool { return out.ID == id })
}
