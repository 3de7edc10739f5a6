package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// Hold is node.Cluster.Hold on the node.
func (c *Cluster) Hold(id, gpu string, r admin.HoldRequest) (h admin.Holding, err error) {
	err = c.order(id, wire.Order{Call: wire.Hold, Device: gpu}, r, &h)
	return h, err
}

// Release is node.Cluster.Release on the node. What was held on a node that is gone went with it.
func (c *Cluster) Release(id, gpu, holding string) (h admin.Holding, err error) {
	err = c.order(id, wire.Order{Call: wire.Release, Device: gpu, ID: holding}, nil, &h)
	if errors.Is(err, node.ErrNodeDown) {
		return admin.Holding{ID: holding, Gone: true}, nil
	}
	return h, err
}

// Throttle is node.Cluster.Throttle on the node.
func (c *Cluster) Throttle(id, gpu string, r admin.ThrottleRequest) (t admin.Throttle, err error) {
	err = c.order(id, wire.Order{Call: wire.Throttle, Device: gpu}, r, &t)
	return t, err
}

// Unthrottle is node.Cluster.Unthrottle on the node. What slowed a node that is gone went with it.
func (c *Cluster) Unthrottle(id, gpu, throttle string) (t admin.Throttle, err error) {
	err = c.order(id, wire.Order{Call: wire.Unthrottle, Device: gpu, ID: throttle}, nil, &t)
	if errors.Is(err, node.ErrNodeDown) {
		return admin.Throttle{ID: throttle, Gone: true}, nil
	}
	return t, err
}

// Probe is node.Cluster.Probe on the node.
func (c *Cluster) Probe(id, gpu string, r admin.ProbeRequest) (a admin.ProbeAnswer, err error) {
	err = c.order(id, wire.Order{Call: wire.Probe, Device: gpu}, r, &a)
	return a, err
}

// Restart is node.Cluster.Restart on the node.
func (c *Cluster) Restart(id, gpu string) (r admin.Replica, err error) {
	err = c.order(id, wire.Order{Call: wire.Restart, Device: gpu}, nil, &r)
	return r, err
}

func (c *Cluster) order(id string, o wire.Order, body, into any) error {
	p, err := c.find(id)
	if err != nil {
		return refusal{node.ErrNoDevice, fmt.Sprintf("no such device: %q; nodes are %s", id+"/"+o.Device, c.names())}
	}
	l := p.link.Load()
	if l == nil {
		return fmt.Errorf("%w: there is no connection to %s", node.ErrNodeDown, id)
	}
	if body != nil {
		if o.Body, err = json.Marshal(body); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(l.ctx, callWithin)
	defer cancel()
	var reply wire.Reply
	if err := l.conn.Invoke(ctx, wire.Path(wire.Control), &o, &reply); err != nil {
		text := words(err)
		switch status.Code(err) {
		case codes.NotFound:
			return refusal{node.ErrNoDevice, text}
		case codes.InvalidArgument:
			return refusal{node.ErrBadRequest, text}
		case codes.FailedPrecondition:
			return errors.New(text)
		}
		return fmt.Errorf("%w: %s did not answer: %s", node.ErrNodeDown, id, text)
	}
	n := news{beat: &reply.Beat, taken: make(chan struct{})}
	select {
	case l.news <- n:
		<-n.taken
	case <-l.ctx.Done():
	}
	return json.Unmarshal(reply.Body, into)
}

// Kill kills the process of a node with SIGKILL and keeps it down until Revive or until the time to
// live is over. It returns when the process is gone. Errors are node.ErrNoNode, node.ErrBadRequest, and
// one that says that the node is somebody else's.
func (c *Cluster) Kill(id string, r admin.KillRequest) (admin.Outage, error) {
	k, err := c.keeper(id)
	if err != nil {
		return admin.Outage{}, err
	}
	return k.kill(r)
}

// Revive ends an outage: without another one the node is started again. One that is not there is
// answered as gone, without an error.
func (c *Cluster) Revive(id, outage string) (admin.Outage, error) {
	k, err := c.keeper(id)
	if err != nil {
		return admin.Outage{}, err
	}
	return k.revive(outage), nil
}

func (c *Cluster) keeper(id string) (*keeper, error) {
	if _, err := c.find(id); err != nil {
		return nil, err
	}
	for _, k := range c.keepers {
		if k.id == id {
			return k, nil
		}
	}
	return nil, fmt.Errorf("node %s was not started by this server, which cannot kill or start it: kill its process or container instead", id)
}

func (c *Cluster) find(id string) (*peer, error) {
	for _, p := range c.peers {
		if p.id == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: %q; nodes are %s", node.ErrNoNode, id, c.names())
}

func (c *Cluster) names() string { return c.peers[0].id + " to " + c.peers[len(c.peers)-1].id }

// refusal is a node's own sentence and the sentinel it stands for.
type refusal struct {
	is   error
	text string
}

func (r refusal) Error() string { return r.text }
func (r refusal) Unwrap() error { return r.is }

// device is the device of a replica: "n2/g1" of "n2/g1/llama-3.1-8b".
func (e *remoteEngine) device() string {
	parts := strings.SplitN(e.replica, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}
