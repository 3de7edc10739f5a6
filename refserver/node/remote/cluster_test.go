package remote

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/host"
)

var small = node.Config{Nodes: 2, GPUsPerNode: 1, FirstLoad: time.Millisecond, Reload: 50 * time.Millisecond, Graceful: true}

// life is one life of a node, served on a real socket.
type life struct {
	address string
	end     func() // as SIGKILL: the socket closes
}

func serveNode(t *testing.T, id, address, token string) life {
	t.Helper()
	clock := event.NewClock()
	log := event.NewLog(clock, 100)
	cfg := small
	cfg.Only = id
	c, err := node.New(cfg, node.Deps{Events: log, Clock: clock, Waiter: func() pace.Waiter { return pace.Timers{} }})
	require.NoError(t, err)
	var l net.Listener
	require.Eventually(t, func() bool { l, err = net.Listen("tcp", address); return err == nil }, 10*time.Second, 5*time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	h := host.New(host.Deps{Machine: c, Events: log, Clock: clock, Token: token})
	wg.Go(func() { _ = c.Run(ctx) })
	wg.Go(func() { _ = h.Run(ctx, l) })
	out := life{address: l.Addr().String(), end: func() { cancel(); wg.Wait() }}
	t.Cleanup(out.end)
	return out
}

type gateway struct {
	*Cluster
	log *event.Log
	seq uint64
}

func dialNodes(t *testing.T, h Heartbeat, token string, addresses ...string) *gateway {
	t.Helper()
	clock := event.NewClock()
	g := &gateway{log: event.NewLog(clock, 1000)}
	var err error
	g.Cluster, err = New(Config{Node: small, Heartbeat: h, Addresses: addresses, Token: token}, Deps{Events: g.log, Clock: clock})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = g.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return g
}

// await blocks until the event comes; the test's own deadline bounds it.
func (g *gateway) await(t *testing.T, kind event.Kind, target string) event.Event {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		events, _, more := g.log.Since(g.seq)
		for _, e := range events {
			g.seq = e.Seq
			if e.Kind == kind && e.Target == target {
				return e
			}
		}
		select {
		case <-more:
		case <-limit:
			require.Fail(t, "no event", "%s %s", kind, target)
		}
	}
}

func (g *gateway) ready(t *testing.T, i int) {
	t.Helper()
	require.Eventually(t, func() bool { return g.Replicas()[i].Engine.Load().State == engine.Ready }, 30*time.Second, 2*time.Millisecond)
}

func (g *gateway) ask(t *testing.T, i, tokens int) *engine.Stream {
	t.Helper()
	s, err := g.Replicas()[i].Engine.Generate(t.Context(), engine.Request{
		Model: "llama-3.1-8b", Prompt: " hello", PromptTokens: 100, MaxTokens: tokens, IgnoreEOS: true})
	require.NoError(t, err)
	return s
}

// lossless slack for machines that are busy: silence is a minute.
var patient = Heartbeat{Every: 20 * time.Millisecond, SuspectAfter: 30 * time.Second, DeadAfter: time.Minute}

func read(s *engine.Stream) (text string, last engine.Chunk) {
	for c := range s.C {
		text += c.Text
		last = c
	}
	return text, last
}

func TestClusterOverSockets(t *testing.T) {
	g := dialNodes(t, patient, "secret", serveNode(t, "n1", "127.0.0.1:0", "secret").address, serveNode(t, "n2", "127.0.0.1:0", "secret").address)
	for i, e := range g.Replicas() {
		g.ready(t, i)
		text, last := read(g.ask(t, i, 40))
		assert.Equal(t, synth.AnswerKey("llama-3.1-8b", " hello", 0).Text(0, 40), text, e.ID)
		assert.Equal(t, engine.FinishLength, last.Finish)
	}
	_, last := read(g.ask(t, 0, 1<<20))
	require.NotNil(t, last.Err, "a refusal of the node is the terminal chunk")
	assert.Equal(t, engine.ReasonTooLong, last.Err.Reason)

	state := g.State()
	require.Len(t, state, 2)
	assert.Equal(t, admin.NodeUp, state[1].State)
	assert.EqualValues(t, 1, state[1].Epoch)
	assert.Equal(t, "n2/g0", state[1].Devices[0].ID)
	require.Eventually(t, func() bool { return g.State()[1].Replicas[0].Tokens == 40 }, 30*time.Second, 5*time.Millisecond, "heartbeats bring news")
	require.Eventually(t, func() bool { return g.Steps().Steps >= 80 }, 30*time.Second, 5*time.Millisecond)
	all, minus1 := g.Saturation(512, 64)
	assert.InEpsilon(t, all/2, minus1, 1e-9)

	h, err := g.Hold("n2", "g0", admin.HoldRequest{ID: "hog", Share: 0.995, TTL: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, h.Target, h.Bytes)
	held := g.State()[1].Devices[0].Holdings
	require.Len(t, held, 1, "what a call changed shows at once")
	assert.InDelta(t, float64(g.deps.Clock.Now().Add(time.Minute)), float64(held[0].Expires), float64(20*time.Second), "on the gateway's clock")
	taken := g.await(t, event.HoldingTaken, "n2/g0")
	assert.InDelta(t, float64(g.deps.Clock.Now()), float64(taken.At), float64(time.Minute), "on the gateway's clock")
	answer, err := g.Probe("n2", "g0", admin.ProbeRequest{})
	require.NoError(t, err)
	assert.False(t, answer.Granted)
	gone, err := g.Release("n2", "g0", "hog")
	require.NoError(t, err)
	assert.True(t, gone.Gone)
	r, err := g.Restart("n2", "g0")
	require.NoError(t, err)
	assert.Equal(t, "n2/g0/llama-3.1-8b", r.ID)
	g.await(t, event.EngineDied, "n2/g0/llama-3.1-8b")
}

func TestControlErrorsKeepTheirMeaning(t *testing.T) {
	g := dialNodes(t, patient, "", serveNode(t, "n1", "127.0.0.1:0", "").address, "127.0.0.1:1")
	g.ready(t, 0)
	_, err := g.Hold("n1", "g9", admin.HoldRequest{ID: "x", Share: 0.5, TTL: time.Second})
	require.ErrorIs(t, err, node.ErrNoDevice)
	_, err = g.Hold("n1", "g0", admin.HoldRequest{ID: "x", TTL: time.Second})
	require.ErrorIs(t, err, node.ErrBadRequest)
	_, err = g.Probe("n9", "g0", admin.ProbeRequest{})
	require.ErrorIs(t, err, node.ErrNoDevice)
	_, err = g.Probe("n2", "g0", admin.ProbeRequest{})
	require.ErrorIs(t, err, node.ErrNodeDown)
	gone, err := g.Release("n2", "g0", "x")
	require.NoError(t, err)
	assert.True(t, gone.Gone, "it went with its node")
	_, err = g.Kill("n1", admin.KillRequest{ID: "f", TTL: time.Second})
	require.ErrorContains(t, err, "was not started by this server")
	_, err = g.Revive("n9", "f")
	require.ErrorIs(t, err, node.ErrNoNode)
	_, err = g.Replicas()[1].Engine.Generate(t.Context(), engine.Request{})
	require.Error(t, err)
	assert.Equal(t, engine.ReasonUnreachable, engine.AsError(err).Reason)
	assert.Equal(t, engine.Dead, g.Replicas()[1].Engine.Load().State)
	assert.Equal(t, string(engine.Dead), g.State()[1].Replicas[0].State)
	assert.True(t, g.State()[1].Devices[0].Simulated, "a fault can be aimed before the node is there")
}

// A node whose socket closes: its streams end at once, and it comes back as a new epoch.
func TestLostConnectionEndsStreams(t *testing.T) {
	n2 := serveNode(t, "n2", "127.0.0.1:0", "")
	g := dialNodes(t, patient, "", serveNode(t, "n1", "127.0.0.1:0", "").address, n2.address)
	g.ready(t, 1)
	s := g.ask(t, 1, 2000)
	<-s.C
	n2.end()
	_, last := read(s)
	require.NotNil(t, last.Err)
	assert.Equal(t, engine.ReasonDead, last.Err.Reason)
	dead := g.await(t, event.NodeDead, "n2")
	assert.Equal(t, "connection_lost", dead.Reason)
	assert.True(t, dead.Detection() && dead.Names("n2"))
	assert.Equal(t, engine.Dead, g.Replicas()[1].Engine.Load().State)

	serveNode(t, "n2", n2.address, "")
	back := g.await(t, event.NodeReturned, "n2")
	assert.Equal(t, "returned", back.Reason)
	assert.Equal(t, "2", back.Attrs["epoch"])
	g.ready(t, 1)
	text, _ := read(g.ask(t, 1, 10))
	assert.Equal(t, synth.AnswerKey("llama-3.1-8b", " hello", 0).Text(0, 10), text)
	assert.EqualValues(t, 2, g.Replicas()[1].Engine.Load().Generation>>32)
}

// wall is a TCP relay that can stop passing bytes without closing anything: a stopped process.
type wall struct {
	mu     sync.Mutex
	frozen chan struct{} // nil: passing
}

func (w *wall) freeze() { w.mu.Lock(); w.frozen = make(chan struct{}); w.mu.Unlock() }
func (w *wall) thaw()   { w.mu.Lock(); close(w.frozen); w.frozen = nil; w.mu.Unlock() }

func (w *wall) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		frozen := w.frozen
		w.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (w *wall) listen(t *testing.T, to string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp", to)
			if err != nil {
				_ = front.Close()
				continue
			}
			go w.copy(back, front)
			go w.copy(front, back)
		}
	}()
	return l.Addr().String()
}

// A node that falls silent with its connection open: suspected, then dead, its streams cut; when it
// speaks again, nothing of what it held back is delivered, and it is a new epoch.
func TestSilentNodeIsCutAndFenced(t *testing.T) {
	w := &wall{}
	h := Heartbeat{Every: 20 * time.Millisecond, SuspectAfter: 200 * time.Millisecond, DeadAfter: 600 * time.Millisecond}
	g := dialNodes(t, h, "", serveNode(t, "n1", "127.0.0.1:0", "").address, w.listen(t, serveNode(t, "n2", "127.0.0.1:0", "").address))
	g.ready(t, 1)
	s := g.ask(t, 1, 5000)
	<-s.C
	w.freeze()
	g.await(t, event.NodeSuspected, "n2")
	assert.Equal(t, engine.Dead, g.Replicas()[1].Engine.Load().State, "no candidate while it is suspected")
	text, last := read(s)
	require.NotNil(t, last.Err)
	assert.Equal(t, engine.ReasonUnreachable, last.Err.Reason)
	assert.Equal(t, "no_heartbeat", g.await(t, event.NodeDead, "n2").Reason)
	w.thaw()
	g.await(t, event.NodeReturned, "n2")
	g.ready(t, 1)
	_, open := <-s.C
	assert.False(t, open, "the old stream says nothing more")
	key := synth.AnswerKey("llama-3.1-8b", " hello", 0)
	assert.Equal(t, key.Text(1, last.Index), text, "what came before is whole and in order")

	// The router's part: another replica continues with the next token.
	rest, err := g.Replicas()[0].Engine.Generate(t.Context(), engine.Request{Model: "llama-3.1-8b", Prompt: " hello",
		PromptTokens: 100, MaxTokens: last.Index + 10, IgnoreEOS: true, ResumeAt: last.Index, Sent: key.Text(0, last.Index)})
	require.NoError(t, err)
	text, _ = read(rest)
	assert.Equal(t, key.Text(last.Index, last.Index+10), text)
}

// Who is not the node meant, or has another config, is not taken for it.
func TestStrangersAreNotTaken(t *testing.T) {
	n1 := serveNode(t, "n1", "127.0.0.1:0", "secret")
	for _, tc := range []struct {
		says, token string
		cfg         node.Config
		ask         string
	}{
		{"the node there is n1, not n2", "secret", small, n1.address},
		{"node token is missing or wrong", "guess", small, n1.address},
	} {
		clock := event.NewClock()
		p := &peer{id: "n2", cfg: patient, token: tc.token, deps: Deps{Clock: clock, Events: event.NewLog(clock, 10)}, log: nil}
		require.ErrorContains(t, p.live(t.Context(), tc.ask), tc.says)
	}
	p := &peer{id: "n1", engines: []*remoteEngine{{replica: "n1/g0/other"}}, cfg: patient, token: "secret",
		deps: Deps{Clock: event.NewClock()}}
	require.ErrorContains(t, p.live(t.Context(), n1.address), "start both with the same config")
}

// A socket that accepts and says nothing is no node; the attempt ends by itself.
func TestMuteSocketIsNoNode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	p := &peer{id: "n1", cfg: patient, deps: Deps{Clock: event.NewClock()}}
	require.Error(t, p.live(t.Context(), l.Addr().String()))
}

func TestConfigNamesTheProblem(t *testing.T) {
	_, err := New(Config{Node: small}, Deps{})
	require.ErrorContains(t, err, "cannot start node processes")
	_, err = New(Config{Node: small, Addresses: []string{"a:1"}}, Deps{})
	require.ErrorContains(t, err, "1 node addresses for 2 nodes")
}
