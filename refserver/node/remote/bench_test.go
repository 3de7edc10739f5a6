package remote

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/host"
)

// echo is a machine whose engine sends a token for every word it is given.
type echo struct{ words chan struct{} }

func (e *echo) Load() engine.Load { return engine.Load{State: engine.Ready} }
func (e *echo) Generate(ctx context.Context, _ engine.Request) (*engine.Stream, error) {
	c := make(chan engine.Chunk, 33)
	go func() {
		defer close(c)
		for i := 0; ; i++ {
			select {
			case <-e.words:
				c <- engine.Chunk{Text: " token", Index: i, Tokens: 1}
			case <-ctx.Done():
				return
			}
		}
	}()
	return &engine.Stream{C: c}, nil
}

func (e *echo) Replicas() []node.Replica {
	r := small.Plan()[0]
	r.Engine = e
	return []node.Replica{r}
}
func (e *echo) State() []admin.Node {
	return []admin.Node{{ID: "n1", Replicas: []admin.Replica{{ID: small.Plan()[0].ID}}}}
}
func (e *echo) Steps() admin.Steps { return admin.Steps{} }
func (e *echo) Hold(string, string, admin.HoldRequest) (h admin.Holding, err error) {
	return h, err
}
func (e *echo) Release(string, string, string) (h admin.Holding, err error) { return h, err }
func (e *echo) Probe(string, string, admin.ProbeRequest) (a admin.ProbeAnswer, err error) {
	return a, err
}
func (e *echo) Restart(string, string) (r admin.Replica, err error) { return r, err }
func (e *echo) Throttle(string, string, admin.ThrottleRequest) (t admin.Throttle, err error) {
	return t, err
}
func (e *echo) Unthrottle(string, string, string) (t admin.Throttle, err error) { return t, err }

// BenchmarkTokenOverTheWire is the way of one token from an engine to the router and of nothing else:
// one at a time, so that its time is the delay that the wire adds.
func BenchmarkTokenOverTheWire(b *testing.B) {
	clock := event.NewClock()
	e := &echo{words: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = host.New(host.Deps{Machine: e, Events: event.NewLog(clock, 1), Clock: clock}).Run(ctx, l) })
	cfg := small
	cfg.Nodes = 1
	c, err := New(Config{Node: cfg, Heartbeat: patient, Addresses: []string{l.Addr().String()}}, Deps{Clock: clock, Events: event.NewLog(clock, 9)})
	require.NoError(b, err)
	wg.Go(func() { _ = c.Run(ctx) })
	replica := c.Replicas()[0].Engine
	require.Eventually(b, func() bool { return replica.Load().State == engine.Ready }, 10*time.Second, time.Millisecond)
	s, err := replica.Generate(ctx, engine.Request{})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		e.words <- struct{}{}
		<-s.C
	}
}
