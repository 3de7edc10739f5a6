package refserver_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/drivers/refserver"
	"github.com/brownout-dev/brownout/faults/faultstest"
	"github.com/brownout-dev/brownout/internal/admin"
)

// nodes is the life of the fake server's nodes; its server's mutex guards it.
type nodes struct {
	down    map[string][]admin.Outage
	ttl     time.Duration
	immune  bool              // engines go on although the node was killed
	address map[string]string // of nodes that are processes
	pid     int
	onKill  func(node string) // processes: the blow
	onStart func(node string)
}

func (n *nodes) node(id string) admin.Node {
	out := admin.Node{ID: id, NodeLife: admin.NodeLife{State: admin.NodeUp, Outages: n.down[id], Address: n.address[id]}}
	state := "ready"
	if len(n.down[id]) > 0 {
		out.State = admin.NodeDown
		if !n.immune {
			state = "dead"
		}
	}
	if out.Address != "" {
		out.PID = n.pid
	}
	for _, g := range []string{"g0", "g1"} {
		out.Replicas = append(out.Replicas, admin.Replica{ID: id + "/" + g + "/m", State: state})
	}
	return out
}

func (s *server) kill(r *http.Request) (int, any) {
	var req admin.KillRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return 400, admin.Error{Error: "bad"}
	}
	if s.nodes.down == nil {
		s.nodes.down = map[string][]admin.Outage{}
	}
	s.nodes.ttl = req.TTL
	o := admin.Outage{ID: req.ID}
	s.nodes.down[r.PathValue("node")] = append(s.nodes.down[r.PathValue("node")], o)
	if s.nodes.onKill != nil {
		s.nodes.onKill(r.PathValue("node"))
	}
	return 201, o
}

func (s *server) revive(r *http.Request) (int, any) {
	delete(s.nodes.down, r.PathValue("node"))
	if s.nodes.onStart != nil {
		s.nodes.onStart(r.PathValue("node"))
	}
	return 200, admin.Outage{ID: r.PathValue("id"), Gone: true}
}

func TestNodeKillConforms(t *testing.T) {
	urls := map[string]string{}
	faultstest.Conform(t, faultstest.Case{Fault: "node.kill on node=n2 for 10s", New: func(t *testing.T) faults.Driver {
		if urls[t.Name()] == "" {
			_, urls[t.Name()] = start(t)
		}
		return driver(t, urls[t.Name()])
	}})
}

// A node that is a process: a real socket that closes and opens, and a real process that ends.
func TestNodeKillOfAProcess(t *testing.T) {
	s, url := start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	child := exec.Command("sleep", "600")
	require.NoError(t, child.Start())
	t.Cleanup(func() { _ = child.Process.Kill() })
	address := l.Addr().String()
	s.set(func() {
		s.nodes.address, s.nodes.pid = map[string]string{"n2": address}, child.Process.Pid
	})
	d := driver(t, url)
	f := parse(t, "node.kill on node=n2 for 10s")
	prove := func(look func() (faults.Proof, error)) faults.Proof {
		p, err := look()
		require.NoError(t, err)
		return p
	}
	on := func() (faults.Proof, error) { return d.Prove(t.Context(), "f-1", f, []string{"n2"}) }
	gone := func() (faults.Proof, error) { return d.ProveGone(t.Context(), "f-1", f, []string{"n2"}) }
	undo, err := d.Arm(t.Context(), "f-1", f, []string{"n2"})
	require.NoError(t, err)
	assert.Equal(t, 15*time.Second, s.nodes.ttl, "the server permits the restart by itself, a little after the holder would have")
	p := prove(on)
	assert.False(t, p.Holds, "the order is given, but the socket lives: %s", p.Evidence)
	assert.Contains(t, p.Evidence, "still accepts")
	l.Close()
	assert.Contains(t, prove(on).Evidence, "still runs")
	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // killed, as asked
	p = prove(on)
	assert.True(t, p.Holds, p.Evidence)
	assert.Contains(t, p.Evidence, "connection refused")
	assert.Contains(t, p.Evidence, "is gone")
	assert.Contains(t, prove(gone).Evidence, "still kept down by f-1")

	require.NoError(t, d.Clear(t.Context(), "f-1", undo))
	p = prove(gone)
	assert.False(t, p.Holds, "permitted is not back: %s", p.Evidence)
	l, err = net.Listen("tcp", address)
	require.NoError(t, err)
	defer l.Close()
	assert.True(t, prove(gone).Holds)
}

// Negative controls: a server that takes the order and does nothing, and an order never given.
func TestNodeKillThatDoesNothing(t *testing.T) {
	s, url := start(t)
	f := parse(t, "node.kill on node=n2 for 10s")
	s.set(func() { s.nodes.immune = true })
	d := driver(t, url)
	_, err := d.Arm(t.Context(), "f-1", f, []string{"n2"})
	require.NoError(t, err)
	p, err := d.Prove(t.Context(), "f-1", f, []string{"n2"})
	require.NoError(t, err)
	assert.Equal(t, faults.Proof{Evidence: "the engine n2/g0/m is ready"}, p)

	_, url = start(t)
	d, err = refserver.New(refserver.Config{AdminURL: url, Token: "admin", NoOp: true})
	require.NoError(t, err)
	_, err = d.Arm(t.Context(), "f-1", f, []string{"n2"})
	require.NoError(t, err)
	p, err = d.Prove(t.Context(), "f-1", f, []string{"n2"})
	require.NoError(t, err)
	assert.Equal(t, faults.Proof{Evidence: "nothing keeps n2 down: it is up"}, p)
}
