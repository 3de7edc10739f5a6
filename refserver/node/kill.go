package node

import (
	"fmt"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Kill ends all engines of a node at once, as the loss of the machine does, and keeps them down until
// Revive or until the time to live is over; then they load again. Errors are ErrNoNode and ErrBadRequest.
func (c *Cluster) Kill(node string, r admin.KillRequest) (admin.Outage, error) {
	if err := ValidateKill(r); err != nil {
		return admin.Outage{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	outages, ok := c.outages[node]
	if !ok {
		return admin.Outage{}, c.noNode(node)
	}
	now := c.deps.Clock.Now()
	out, fresh, err := outages.Add(now, r)
	if err != nil {
		return admin.Outage{}, err
	}
	if fresh {
		c.deps.Events.Emit(Order(now, event.NodeKilled, node, "asked", out))
	}
	c.follow(node, outages)
	select {
	case c.held <- struct{}{}:
	default: // the signal is there already
	}
	return out, nil
}

// Revive ends an outage. One that is not there is answered as gone, without an error.
func (c *Cluster) Revive(node, id string) (admin.Outage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	outages, ok := c.outages[node]
	if !ok {
		return admin.Outage{}, c.noNode(node)
	}
	out, was := outages.End(id)
	if was {
		c.deps.Events.Emit(Order(c.deps.Clock.Now(), event.NodePermitted, node, "asked", out))
	}
	c.follow(node, outages)
	return out, nil
}

// follow makes the engines of a node be as its outages say. mu is held.
func (c *Cluster) follow(node string, o *Outages) {
	for _, s := range c.slots {
		switch {
		case s.node != node:
		case o.Down():
			s.engine.Down()
		default:
			s.engine.Up()
		}
	}
}

// expireOutages permits what has been down for its time; at is when to look again.
func (c *Cluster) expireOutages(now event.Time) (at event.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for node, outages := range c.outages {
		for _, out := range outages.Expire(now) {
			c.deps.Events.Emit(Order(now, event.NodePermitted, node, "expired", out))
			c.follow(node, outages)
		}
		if due, some := outages.Due(); some && (!ok || due < at) {
			at, ok = due, true
		}
	}
	return at, ok
}

// life is a node's state in this process.
func (c *Cluster) life(node string) admin.NodeLife {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := admin.NodeLife{State: admin.NodeUp, Outages: c.outages[node].List()}
	if len(l.Outages) > 0 {
		l.State = admin.NodeDown
	}
	return l
}

// standing is an error where the node is down.
func (c *Cluster) standing(node string) error {
	if c.life(node).State == admin.NodeDown {
		return fmt.Errorf("%w: %s was killed and is kept down; end the outage first", ErrNodeDown, node)
	}
	return nil
}

func (c *Cluster) noNode(node string) error {
	first, last := c.slots[0].node, c.slots[len(c.slots)-1].node
	return fmt.Errorf("%w: %q; nodes are %s to %s", ErrNoNode, node, first, last)
}

// Order is the event of an operator's order to kill a node or to let it start.
func Order(now event.Time, kind event.Kind, node, reason string, out admin.Outage) event.Event {
	return event.Event{At: now, Source: "control", Kind: kind, Target: node, Reason: reason, Attrs: map[string]string{"id": out.ID}}
}
