package refserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/admin"
)

// dialTimeout bounds one look at a node's socket.
const dialTimeout = time.Second

// wreck is node.kill: a node that dies and is kept down.
type wreck struct{ server control }

func (d *wreck) arm(ctx context.Context, id string, f faults.Fault, targets []string) error {
	for _, target := range targets {
		if err := d.server.kill(ctx, target, admin.KillRequest{ID: id, TTL: f.For + holdMargin}); err != nil {
			return err
		}
	}
	return nil
}

// free ends every outage that bears the fault's id; its targets say no more than that.
func (d *wreck) free(ctx context.Context, now admin.State, id string, _ []string) (failed []error) {
	for _, n := range now.Nodes {
		if keptDown(n, id) {
			failed = append(failed, d.server.revive(ctx, n.ID, id))
		}
	}
	return failed
}

// forget: nothing is remembered.
func (d *wreck) forget(string) {}

// prove holds when nothing of any target answers.
func (d *wreck) prove(ctx context.Context, id string, _ faults.Fault, targets []string) (faults.Proof, error) {
	state, err := d.server.state(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	return every(targets, func(target string) (faults.Proof, error) {
		n, there := findNode(state, target)
		switch {
		case !there:
			return faults.Proof{Evidence: fmt.Sprintf("the server has no node %s any more", target)}, nil
		case !keptDown(n, id):
			// A dead node without our order is somebody else's doing.
			return faults.Proof{Evidence: fmt.Sprintf("nothing keeps %s down: it is %s", target, n.State)}, nil
		case n.Address != "":
			return d.socketDead(ctx, n), nil
		}
		return d.enginesDead(ctx, n)
	})
}

// socketDead looks at a node that is a process.
func (d *wreck) socketDead(ctx context.Context, n admin.Node) faults.Proof {
	switch why := refuses(ctx, n.Address); {
	case why == "":
		return faults.Proof{Evidence: fmt.Sprintf("the socket %s of %s still accepts connections", n.Address, n.ID)}
	case !d.sameMachine() || n.PID == 0:
		return faults.Proof{Holds: true, Evidence: fmt.Sprintf("the socket %s of %s is dead (%s)", n.Address, n.ID, why)}
	case runs(n.PID):
		return faults.Proof{Evidence: fmt.Sprintf("the process %d of %s still runs", n.PID, n.ID)}
	default:
		return faults.Proof{Holds: true, Evidence: fmt.Sprintf("the socket %s of %s is dead (%s) and its process %d is gone", n.Address, n.ID, why, n.PID)}
	}
}

// enginesDead looks at a node inside the server's process.
func (d *wreck) enginesDead(ctx context.Context, n admin.Node) (faults.Proof, error) {
	for _, r := range n.Replicas {
		if r.State != "dead" {
			return faults.Proof{Evidence: fmt.Sprintf("the engine %s is %s", r.ID, r.State)}, nil
		}
	}
	for _, dev := range n.Devices {
		answered, err := d.answers(ctx, dev.ID)
		if err != nil {
			return faults.Proof{}, err
		}
		if answered {
			return faults.Proof{Evidence: fmt.Sprintf("%s still answers a probe", dev.ID)}, nil
		}
	}
	return faults.Proof{Holds: true, Evidence: fmt.Sprintf("all %d engines of %s are dead and probes of its %d devices are refused", len(n.Replicas), n.ID, len(n.Devices))}, nil
}

// gone holds when every target may start and has begun to.
func (d *wreck) gone(ctx context.Context, id string, _ faults.Fault, targets []string) (faults.Proof, error) {
	state, err := d.server.state(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	return every(targets, func(target string) (faults.Proof, error) {
		n, there := findNode(state, target)
		switch {
		case !there:
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s does not exist any more", target)}, nil
		case len(n.Outages) > 0:
			return faults.Proof{Evidence: fmt.Sprintf("%s is still kept down by %s", target, n.Outages[0].ID)}, nil
		case n.Address != "":
			if why := refuses(ctx, n.Address); why != "" {
				return faults.Proof{Evidence: fmt.Sprintf("%s may start, but its socket %s is dead (%s)", target, n.Address, why)}, nil
			}
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("the socket %s of %s accepts connections again", n.Address, target)}, nil
		}
		return d.enginesBack(ctx, n)
	})
}

func (d *wreck) enginesBack(ctx context.Context, n admin.Node) (faults.Proof, error) {
	states := make([]string, 0, len(n.Replicas))
	for _, r := range n.Replicas {
		if r.State == "dead" {
			return faults.Proof{Evidence: fmt.Sprintf("%s may start, but %s is dead", n.ID, r.ID)}, nil
		}
		states = append(states, r.State)
	}
	for _, dev := range n.Devices {
		answered, err := d.answers(ctx, dev.ID)
		if err != nil {
			return faults.Proof{}, err
		}
		if !answered {
			return faults.Proof{Evidence: fmt.Sprintf("%s may start, but a probe of %s is refused", n.ID, dev.ID)}, nil
		}
	}
	return faults.Proof{Holds: true, Evidence: fmt.Sprintf("probes of %s are answered, its engines are %s", n.ID, strings.Join(states, " and "))}, nil
}

// answers reports whether anything answers for the device; a refusal because its node is down is a no.
func (d *wreck) answers(ctx context.Context, gpu string) (bool, error) {
	_, err := d.server.probe(ctx, gpu)
	if r, ok := errors.AsType[refused](err); ok && r.code == http.StatusConflict {
		return false, nil
	}
	return err == nil, err
}

// refuses says why nobody can be reached at the address; "" when somebody can.
func refuses(ctx context.Context, address string) string {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
		return ""
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "connection refused"
	}
	if inner, ok := errors.AsType[*net.OpError](err); ok {
		return inner.Err.Error()
	}
	return err.Error()
}

// sameMachine: the server's process ids mean something here.
func (d *wreck) sameMachine() bool {
	u, err := url.Parse(d.server.base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func runs(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, syscall.EPERM)
}

func findNode(s admin.State, id string) (admin.Node, bool) {
	i := slices.IndexFunc(s.Nodes, func(n admin.Node) bool { return n.ID == id })
	if i < 0 {
		return admin.Node{}, false
	}
	return s.Nodes[i], true
}

func keptDown(n admin.Node, id string) bool {
	return slices.ContainsFunc(n.Outages, func(o admin.Outage) bool { return o.ID == id && !o.Gone })
}

func (c control) kill(ctx context.Context, node string, r admin.KillRequest) error {
	return c.call(ctx, http.MethodPost, "/admin/control/nodes/"+node+"/kill", r, nil)
}

func (c control) revive(ctx context.Context, node, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/control/nodes/"+node+"/kill/"+url.PathEscape(id), nil, nil)
}
