package refserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/host"
)

// NodeConfig is one node of a server's cluster, to be served by a process of its own.
type NodeConfig struct {
	Server Config        // the gateway's: what a node is like is in its cluster and resilience
	ID     string        // "n1"
	Listen string        // host:port; port 0 takes a free one
	Load   time.Duration // until its engines are ready [the cluster's first_load]
}

// NodeServer serves the GPUs and engines of one node to gateways; see Run.
type NodeServer struct {
	cfg     NodeConfig
	log     *slog.Logger
	cluster *node.Cluster
	host    *host.Server
	ready   chan struct{} // closed by Run once it accepts connections
	address string
}

// NewNode builds a node; nothing listens or runs before Run. Log, Clock and Waiter are taken of deps.
func NewNode(cfg NodeConfig, deps Deps) (*NodeServer, error) {
	cfg.Server.Admin = Admin{} // the gateway's alone
	if err := errors.Join(address(cfg.Listen), cfg.Server.Validate()); err != nil {
		return nil, err
	}
	if cfg.ID == "" {
		return nil, errors.New("a node needs an id: give one of the cluster's, for example n1")
	}
	token := cfg.Server.Cluster.NodeToken
	if !loopback(cfg.Listen) && token == "" {
		return nil, fmt.Errorf("listen: %s can be reached from other machines, and there is no node token; set %s in the environment, or listen on 127.0.0.1",
			cfg.Listen, NodeTokenVariable)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = event.NewClock()
	}
	if deps.Waiter == nil {
		deps.Waiter = pace.New
	}
	nc := cfg.Server.node()
	nc.Only = cfg.ID
	if cfg.Load > 0 {
		nc.FirstLoad = cfg.Load
	}
	events := event.NewLog(deps.Clock, eventsKept)
	cluster, err := node.New(nc, node.Deps{Events: events, Clock: deps.Clock, Waiter: deps.Waiter})
	if err != nil {
		return nil, err
	}
	return &NodeServer{
		cfg: cfg, log: deps.Log, cluster: cluster, ready: make(chan struct{}),
		host: host.New(host.Deps{Machine: cluster, Events: events, Clock: deps.Clock, Token: token}),
	}, nil
}

// Run listens and serves until ctx ends; then all streams are broken and it returns nil. It may be
// called once. Draining is the gateway's.
func (n *NodeServer) Run(ctx context.Context) error {
	l, err := listen(ctx, "listen", n.cfg.Listen)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	errs := make([]error, 2)
	wg.Go(func() { defer stop(); errs[0] = n.cluster.Run(ctx) })
	wg.Go(func() { defer stop(); errs[1] = n.host.Run(ctx, l) })
	n.address = l.Addr().(*net.TCPAddr).String()
	n.log.Info("node serving", "node", n.cfg.ID, "address", n.address)
	close(n.ready)
	wg.Wait()
	return errors.Join(errs...)
}

// Ready is closed once the node accepts connections.
func (n *NodeServer) Ready() <-chan struct{} { return n.ready }

// Address is where it listens. Call it after Ready.
func (n *NodeServer) Address() string { return n.address }
