package gpu

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Limits of throttles.
const (
	maxThrottles  = 16
	maxThrottleID = 128
	// maxFactor keeps one step of a full token budget below a minute.
	maxFactor = 100
)

// throttle makes steps take longer, as a clock that heat or a power cap holds down does.
type throttle struct {
	id      string
	factor  float64 // in full
	jitter  float64 // share of the excess over 1, drawn anew for every step
	draws   *rand.Rand
	from    event.Time
	ramp    time.Duration
	expires event.Time
}

// mean is the factor at now, before jitter.
func (t throttle) mean(now event.Time) float64 {
	since := now.Sub(t.from)
	if t.ramp <= 0 || since >= t.ramp {
		return t.factor
	}
	return 1 + (t.factor-1)*max(0, since.Seconds())/t.ramp.Seconds()
}

func (t throttle) public(now event.Time) admin.Throttle {
	return admin.Throttle{ID: t.id, Factor: t.mean(now), Target: t.factor, Jitter: t.jitter, Expires: t.expires}
}

// ValidateThrottle checks a request; every problem is in the error.
func ValidateThrottle(r admin.ThrottleRequest) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.ID == "" || len(r.ID) > maxThrottleID {
		bad("id must have 1 to %d bytes", maxThrottleID)
	}
	if !(r.Factor > 1 && r.Factor <= maxFactor) {
		bad("factor is %g; it must be above 1 and at most %d", r.Factor, maxFactor)
	}
	if !(r.Jitter >= 0 && r.Jitter <= 1) {
		bad("jitter_share is %g; it must be 0 to 1", r.Jitter)
	}
	if r.TTL <= 0 || r.TTL > maxTTL {
		bad("ttl_ns is %d (%v); it must be above 0 and at most %v", r.TTL, r.TTL, maxTTL)
	}
	if r.Ramp < 0 || r.Ramp > maxTTL {
		bad("ramp_ns is %d (%v); it must be 0 to %v", r.Ramp, r.Ramp, maxTTL)
	}
	return errors.Join(errs...)
}

// Throttles is everything that holds one device's clock down. It is pure: the owner passes the time
// and serialises the calls.
type Throttles struct {
	device string
	list   []throttle
}

// NewThrottles is a device at full speed. Its id keeps the draws of devices with the same seed apart.
func NewThrottles(device string) *Throttles { return &Throttles{device: device} }

// Begin throttles the device. The request must be valid. The same id twice is the same throttle: its
// factor stays and its time to live starts anew.
func (l *Throttles) Begin(now event.Time, r admin.ThrottleRequest) (t admin.Throttle, fresh bool, err error) {
	if i := l.find(r.ID); i >= 0 {
		l.list[i].expires = now.Add(r.TTL)
		return l.list[i].public(now), false, nil
	}
	if len(l.list) == maxThrottles {
		return admin.Throttle{}, false, fmt.Errorf("the device has %d throttles already: end one first", maxThrottles)
	}
	own := fnv.New64a()
	_, _ = own.Write([]byte(l.device)) // a hash takes everything
	l.list = append(l.list, throttle{
		id: r.ID, factor: r.Factor, jitter: r.Jitter, draws: rand.New(rand.NewPCG(r.Seed, own.Sum64())),
		from: now, ramp: r.Ramp, expires: now.Add(r.TTL),
	})
	return l.list[len(l.list)-1].public(now), true, nil
}

// End lets the clock go; a throttle that is not there is Gone as well.
func (l *Throttles) End(now event.Time, id string) (t admin.Throttle, was bool) {
	i := l.find(id)
	if i < 0 {
		return admin.Throttle{ID: id, Gone: true}, false
	}
	return l.drop(now, i), true
}

// Expire removes the throttles whose time is over and returns them.
func (l *Throttles) Expire(now event.Time) (gone []admin.Throttle) {
	for i := len(l.list) - 1; i >= 0; i-- {
		if l.list[i].expires <= now {
			gone = append(gone, l.drop(now, i))
		}
	}
	return gone
}

// Due is when the next throttle expires; false when there is none.
func (l *Throttles) Due() (at event.Time, ok bool) {
	for _, t := range l.list {
		if !ok || t.expires < at {
			at, ok = t.expires, true
		}
	}
	return at, ok
}

// Factor is how many times as long the step that starts now takes. Throttles do not multiply: a device
// has one clock, and the lowest cap holds. Each jittered throttle spends one draw a step, so that the
// n-th step after it began meets the same fate in every run with the same seed.
func (l *Throttles) Factor(now event.Time) float64 {
	factor := 1.0
	for _, t := range l.list {
		if t.expires <= now {
			continue
		}
		f := t.mean(now)
		if t.jitter > 0 {
			f = 1 + (f-1)*(1+t.jitter*(2*t.draws.Float64()-1))
		}
		factor = max(factor, f)
	}
	return factor
}

// Describe lists the throttles as the admin API shows them.
func (l *Throttles) Describe(now event.Time) (out []admin.Throttle) {
	for _, t := range l.list {
		out = append(out, t.public(now))
	}
	return out
}

func (l *Throttles) find(id string) int {
	return slices.IndexFunc(l.list, func(t throttle) bool { return t.id == id })
}

func (l *Throttles) drop(now event.Time, i int) admin.Throttle {
	out := l.list[i].public(now)
	l.list = slices.Delete(l.list, i, i+1)
	out.Factor, out.Gone = 1, true
	return out
}
