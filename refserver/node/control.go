package node

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// What a control call may be told.
var (
	ErrNoDevice   = errors.New("no such device")
	ErrNoNode     = errors.New("no such node")
	ErrNodeDown   = errors.New("the node is down")
	ErrBadRequest = errors.New("bad request")
)

// Hold takes memory on a device as another process would, until Release or until its time to live is
// over. The same id twice is the same holding, whose time starts anew. Errors are ErrNoDevice,
// ErrNodeDown and ErrBadRequest.
func (c *Cluster) Hold(node, gpuID string, r admin.HoldRequest) (admin.Holding, error) {
	s, err := c.find(node, gpuID)
	if err != nil {
		return admin.Holding{}, err
	}
	if err := c.standing(node); err != nil {
		return admin.Holding{}, err
	}
	if err := gpu.ValidateHold(r); err != nil {
		return admin.Holding{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	now := c.deps.Clock.Now()
	h, fresh, err := s.device.Hold(now, r)
	if err != nil {
		return admin.Holding{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if fresh {
		c.note(now, s, event.HoldingTaken, "asked", h.ID, h.Target)
	}
	c.lookAgain()
	return h, nil
}

// lookAgain tells keepHoldings that its times have changed.
func (c *Cluster) lookAgain() {
	select {
	case c.held <- struct{}{}:
	default: // the signal is there already
	}
}

// Release lets a holding go. One that is not there is answered as gone, without an error.
func (c *Cluster) Release(node, gpuID, id string) (admin.Holding, error) {
	s, err := c.find(node, gpuID)
	if err != nil {
		return admin.Holding{}, err
	}
	now := c.deps.Clock.Now()
	h, was := s.device.Unhold(now, id)
	if was {
		c.note(now, s, event.HoldingReleased, "asked", h.ID, h.Target)
	}
	return h, nil
}

// Probe tries an allocation on the device and gives it back. Zero bytes stand for the activation peak
// of a step with the configured token budget, whatever the budget is now.
func (c *Cluster) Probe(node, gpuID string, r admin.ProbeRequest) (admin.ProbeAnswer, error) {
	s, err := c.find(node, gpuID)
	if err != nil {
		return admin.ProbeAnswer{}, err
	}
	if err := c.standing(node); err != nil {
		return admin.ProbeAnswer{}, err
	}
	if r.Bytes < 0 {
		return admin.ProbeAnswer{}, fmt.Errorf("%w: bytes is %d; it must be above 0, or 0 for the activation peak", ErrBadRequest, r.Bytes)
	}
	bytes := r.Bytes
	if bytes == 0 {
		bytes = s.engine.Peak()
	}
	return s.device.Probe(bytes), nil
}

// Restart kills a replica's engine, whose streams break at once, and lets it load again. It does not
// wait for the load.
func (c *Cluster) Restart(node, gpuID string) (admin.Replica, error) {
	s, err := c.find(node, gpuID)
	if err != nil {
		return admin.Replica{}, err
	}
	if err := c.standing(node); err != nil {
		return admin.Replica{}, err
	}
	s.engine.Restart()
	return c.replica(s), nil
}

func (c *Cluster) find(node, gpuID string) (slot, error) {
	for _, s := range c.slots {
		if s.node == node && s.gpu == gpuID {
			return s, nil
		}
	}
	last := c.slots[len(c.slots)-1]
	return slot{}, fmt.Errorf("%w: %q; devices are n1/g0 to %s", ErrNoDevice, node+"/"+gpuID, last.device.ID())
}

// keepHoldings is the one goroutine that waits for foreign memory to grow and to expire, and for
// throttles to expire.
func (c *Cluster) keepHoldings(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.held:
		case <-timer.C:
		}
		now := c.deps.Clock.Now()
		next, _ := c.expireOutages(now)
		for _, s := range c.slots {
			gone, at, ok := s.device.Tick(now)
			for _, h := range gone {
				c.note(now, s, event.HoldingReleased, "expired", h.ID, h.Target)
			}
			if ok && (next == 0 || at < next) {
				next = at
			}
			if at, ok := c.expireThrottles(now, s); ok && (next == 0 || at < next) {
				next = at
			}
		}
		if next != 0 {
			timer.Reset(max(next.Sub(c.deps.Clock.Now()), 0))
		}
	}
}

func (c *Cluster) note(now event.Time, s slot, kind event.Kind, reason, id string, bytes int64) {
	c.deps.Events.Emit(event.Event{
		At: now, Source: "control", Kind: kind, Target: s.device.ID(), Reason: reason,
		Attrs: map[string]string{"id": id, "target_bytes": strconv.FormatInt(bytes, 10)},
	})
}
