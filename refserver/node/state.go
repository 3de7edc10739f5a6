package node

import (
	"github.com/brownout-dev/brownout/internal/admin"
)

// State is every node with its devices and replicas, but for Replica.Breaker and Replica.Served, which
// the router knows.
func (c *Cluster) State() []admin.Node {
	now := c.deps.Clock.Now()
	out := make([]admin.Node, 0, c.cfg.Nodes)
	for _, s := range c.slots {
		if len(out) == 0 || out[len(out)-1].ID != s.node {
			out = append(out, admin.Node{ID: s.node, NodeLife: c.life(s.node)})
		}
		n := &out[len(out)-1]
		n.Devices = append(n.Devices, s.device.State(now))
		n.Replicas = append(n.Replicas, c.replica(s))
	}
	return out
}

func (c *Cluster) replica(s slot) admin.Replica {
	e := s.engine.Snapshot()
	return admin.Replica{
		ID: s.replica, Model: c.cfg.Model, State: string(e.State),
		Running: e.Running, Waiting: e.Waiting, KVUsage: e.KVUsage, KVBlocks: e.KVBlocks,
		Budget: e.TokenBudget, Generation: e.Generation, Tokens: e.Tokens,
	}
}
