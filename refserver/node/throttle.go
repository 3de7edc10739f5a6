package node

import (
	"fmt"
	"strconv"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// Throttle slows a device down until Unthrottle or until its time to live is over. The same id twice
// is the same throttle, whose time starts anew. Errors are ErrNoDevice and ErrBadRequest.
func (c *Cluster) Throttle(node, gpuID string, r admin.ThrottleRequest) (admin.Throttle, error) {
	s, err := c.find(node, gpuID)
	if err != nil {
		return admin.Throttle{}, err
	}
	if err := gpu.ValidateThrottle(r); err != nil {
		return admin.Throttle{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	now := c.deps.Clock.Now()
	t, fresh, err := s.device.Throttle(now, r)
	if err != nil {
		return admin.Throttle{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if fresh {
		c.noteThrottle(now, s, event.ThrottleBegun, "asked", t)
	}
	c.lookAgain()
	return t, nil
}

// Unthrottle ends a throttle. One that is not there is answered as gone, without an error.
func (c *Cluster) Unthrottle(node, gpuID, id string) (admin.Throttle, error) {
	s, err := c.find(node, gpuID)
	if err != nil {
		return admin.Throttle{}, err
	}
	now := c.deps.Clock.Now()
	t, was := s.device.Unthrottle(now, id)
	if was {
		c.noteThrottle(now, s, event.ThrottleEnded, "asked", t)
	}
	return t, nil
}

// expireThrottles ends what is over on one device and says when to look again.
func (c *Cluster) expireThrottles(now event.Time, s slot) (next event.Time, ok bool) {
	gone, next, ok := s.device.TickThrottles(now)
	for _, t := range gone {
		c.noteThrottle(now, s, event.ThrottleEnded, "expired", t)
	}
	return next, ok
}

func (c *Cluster) noteThrottle(now event.Time, s slot, kind event.Kind, reason string, t admin.Throttle) {
	c.deps.Events.Emit(event.Event{
		At: now, Source: "control", Kind: kind, Target: s.device.ID(), Reason: reason,
		Attrs: map[string]string{"id": t.ID, "factor": strconv.FormatFloat(t.Target, 'g', -1, 64)},
	})
}
