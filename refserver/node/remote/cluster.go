package remote

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/refserver/engine/sim"
	"github.com/brownout-dev/brownout/refserver/node"
)

// Cluster is nodes that are processes. It offers what node.Cluster does.
type Cluster struct {
	cfg     Config
	deps    Deps
	peers   []*peer
	keepers []*keeper // as peers; empty where somebody else runs the nodes
	all     []node.Replica
}

// New builds the cluster; nothing is started or dialled before Run.
func New(cfg Config, deps Deps) (*Cluster, error) {
	cfg.Node = cfg.Node.WithDefaults()
	if err := cfg.check(deps); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{cfg: cfg, deps: deps}
	all := &crowd{}
	for _, r := range cfg.Node.Plan() {
		if len(c.peers) == 0 || c.peers[len(c.peers)-1].id != r.Node {
			c.peers = append(c.peers, &peer{
				id: r.Node, cfg: cfg.Heartbeat, token: cfg.Token, deps: deps, log: deps.Log, moved: make(chan struct{}, 1), crowd: all,
			})
		}
		p := c.peers[len(c.peers)-1]
		e := &remoteEngine{peer: p, replica: r.ID, index: len(p.engines)}
		p.engines = append(p.engines, e)
		r.Engine = e
		c.all = append(c.all, r)
	}
	all.peers = c.peers
	for i, p := range c.peers {
		if len(cfg.Addresses) > 0 {
			p.at(cfg.Addresses[i])
			continue
		}
		c.keepers = append(c.keepers, newKeeper(p.id, cfg.Node, deps, p.at))
	}
	return c, nil
}

// Run starts the nodes where that is its job, and keeps links to them. It blocks until ctx ends and
// every node it started has ended; then it returns nil. It may be called once.
func (c *Cluster) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, p := range c.peers {
		wg.Go(func() { p.run(ctx) })
	}
	for _, k := range c.keepers {
		wg.Go(func() { k.run(ctx) })
	}
	wg.Wait()
	return nil
}

// Replicas lists the engines, in a fixed order, whether their nodes are there or not.
func (c *Cluster) Replicas() []node.Replica { return c.all }

// State is every node; see node.Cluster.State. One that is down shows its last heartbeat.
func (c *Cluster) State() []admin.Node {
	out := make([]admin.Node, 0, len(c.peers))
	for i, p := range c.peers {
		var life admin.NodeLife
		if len(c.keepers) > 0 {
			life = c.keepers[i].life()
		} else {
			life.Address = c.cfg.Addresses[i]
		}
		out = append(out, p.state(life))
	}
	return out
}

// Steps is how punctual all engines were over the last minute, as far as the newest heartbeats say.
func (c *Cluster) Steps() admin.Steps {
	var all []sim.Punctuality
	for _, p := range c.peers {
		if v := p.view.Load(); v != nil {
			all = append(all, v.beat.Punctuality)
		}
	}
	return sim.Summarise(all...)
}

// Saturation is node.Cluster.Saturation.
func (c *Cluster) Saturation(prompt, output int) (all, minus1 float64) {
	return c.cfg.Node.Saturation(prompt, output)
}

// Notice is the longest time until a node that fell silent is given up.
func (c *Cluster) Notice() time.Duration { return c.cfg.Heartbeat.Notice() }
