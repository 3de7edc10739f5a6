package refserver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/synth"
)

// nodes starts every node of a cluster on a socket of its own; ends[i] ends node i+1 as a crash does.
func nodes(t *testing.T, cfg Config) (addresses []string, ends []func()) {
	t.Helper()
	for i := range cfg.Cluster.Nodes {
		n, err := NewNode(NodeConfig{Server: cfg, ID: fmt.Sprintf("n%d", i+1), Listen: "127.0.0.1:0"}, Deps{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, n.Run(ctx)) })
		<-n.Ready()
		end := func() { cancel(); wg.Wait() }
		t.Cleanup(end)
		addresses, ends = append(addresses, n.Address()), append(ends, end)
	}
	return addresses, ends
}

// The whole house over gRPC: the node under a running stream is lost; the answer stays byte-exact.
func TestResumeOverLostNodes(t *testing.T) {
	cfg := small()
	cfg.Cluster.Topology, cfg.Cluster.NodeToken = Processes, "secret"
	cfg.Cluster.Heartbeat.SuspectAfter, cfg.Cluster.Heartbeat.DeadAfter = 30*time.Second, time.Minute // a busy machine is no dead node
	addresses, ends := nodes(t, cfg)
	cfg.Cluster.Addresses = addresses
	r := start(t, cfg)
	require.Eventually(t, func() bool { // heartbeats bring what the events said
		for _, n := range r.State().Nodes {
			for _, rep := range n.Replicas {
				if rep.State != "ready" {
					return false
				}
			}
		}
		return true
	}, 30*time.Second, 5*time.Millisecond)
	resp, err := r.post(t, " hello", 120)
	require.NoError(t, err)
	defer resp.Body.Close()
	first := strings.Split(resp.Header.Get("x-brownout-node"), "/")[0]
	got, done := text(t, resp.Body, func(n int) {
		if n == 10 {
			ends[first[1]-'1']()
		}
	})
	assert.True(t, done)
	assert.Equal(t, synth.AnswerKey("llama-3.1-8b", " hello", 0).Text(0, 120), got)
	assert.GreaterOrEqual(t, r.State().Router.Resumes, uint64(1), "a busy machine may make it leave a slow replica too")
	status, body := r.admin(t, http.MethodPost, "/admin/control/nodes/n1/kill", `{"id":"f","ttl_ns":1000000000}`)
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, string(body), "was not started by this server")
	status, _ = r.admin(t, http.MethodPost, "/admin/control/nodes/n9/kill", `{"id":"f","ttl_ns":1000000000}`)
	assert.Equal(t, http.StatusNotFound, status)
}

// The same inside one process: the node is killed by the control call.
func TestResumeOverKilledNode(t *testing.T) {
	r := start(t, small())
	resp, err := r.post(t, " hello", 120)
	require.NoError(t, err)
	defer resp.Body.Close()
	node := strings.Split(resp.Header.Get("x-brownout-node"), "/")[0]
	got, done := text(t, resp.Body, func(n int) {
		if n == 10 {
			status, body := r.admin(t, http.MethodPost, "/admin/control/nodes/"+node+"/kill", `{"id":"f","ttl_ns":60000000000}`)
			assert.Equal(t, http.StatusCreated, status, string(body))
		}
	})
	assert.True(t, done)
	assert.Equal(t, synth.AnswerKey("llama-3.1-8b", " hello", 0).Text(0, 120), got)
	status, _ := r.admin(t, http.MethodDelete, "/admin/control/nodes/"+node+"/kill/f", "")
	assert.Equal(t, http.StatusOK, status)
}

func TestNodeMistakes(t *testing.T) {
	cfg := small()
	_, err := NewNode(NodeConfig{Server: cfg, ID: "n1", Listen: "0.0.0.0:0"}, Deps{})
	require.ErrorContains(t, err, NodeTokenVariable)
	_, err = NewNode(NodeConfig{Server: cfg, Listen: "127.0.0.1:0"}, Deps{})
	require.ErrorContains(t, err, "needs an id")
	_, err = NewNode(NodeConfig{Server: cfg, ID: "n7", Listen: "127.0.0.1:0"}, Deps{})
	require.ErrorContains(t, err, "nodes are n1 to n3")
	_, err = NewNode(NodeConfig{Server: cfg, ID: "n1", Listen: "here"}, Deps{})
	require.ErrorContains(t, err, "not host:port")
	cfg.Cluster.Topology = Processes
	_, err = New(cfg, Deps{})
	require.ErrorContains(t, err, "cannot start node processes")

	_, err = Parse("s.yaml", []byte(`cluster:
  topology: process
  addresses: [here]
`))
	require.ErrorContains(t, err, "write single or processes")
	require.ErrorContains(t, err, "1 addresses for 3 nodes")
	_, err = Parse("s.yaml", []byte(`cluster:
  topology: processes
  heartbeat: {every: 1ms, suspect_after: 1ms, dead_after: 1h}
`))
	for _, want := range []string{"heartbeat.every", "heartbeat.suspect_after", "heartbeat.dead_after"} {
		require.ErrorContains(t, err, want)
	}
	got, err := Parse("s.yaml", []byte("cluster: {topology: processes, addresses: [\"a:1\", \"b:1\", \"c:1\"]}\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a:1", "b:1", "c:1"}, got.Cluster.Addresses)
	assert.Equal(t, "t", got.WithEnvironment(func(string) string { return "t" }).Cluster.NodeToken)
}
