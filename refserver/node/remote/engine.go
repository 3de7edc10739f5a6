package remote

import (
	"context"
	"sync/atomic"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// remoteEngine is one engine of a peer. It implements engine.Engine.
type remoteEngine struct {
	peer    *peer
	replica string
	index   int          // in the peer's loads
	open    atomic.Int64 // streams of ours
	debt    atomic.Int64 // prompt tokens of ours without a first frame
}

// Load is the newest heartbeat's word, made younger by what was opened and closed here since. An engine
// of a node that is gone is dead, and so is one of a suspected node while suspicion counts (see crowd).
// No lock, no call.
func (e *remoteEngine) Load() engine.Load {
	v := e.peer.view.Load()
	if v == nil || !v.up || e.index >= len(v.loads) || !v.trusted && e.peer.crowd.believes() {
		return engine.Load{State: engine.Dead}
	}
	l := v.loads[e.index].load
	// A heartbeat's debt is stale within a step, and a balancer that believes it herds: what is ours is
	// known here, and only what others owe is taken from it.
	l.TokenDebt = max(0, l.TokenDebt-v.loads[e.index].debt) + int(e.debt.Load())
	since := int(e.open.Load()) - v.loads[e.index].open
	if since < 0 { // ended since: they were running, as far as they were
		ended := min(-since, l.Running)
		l.Running -= ended
		l.Waiting = max(0, l.Waiting+since+ended)
		return l
	}
	l.Waiting += since
	return l
}

// Generate opens a stream on the node's present epoch. It never waits: a refusal of the node comes as
// the stream's terminal chunk.
func (e *remoteEngine) Generate(ctx context.Context, req engine.Request) (*engine.Stream, error) {
	l := e.peer.link.Load()
	if l == nil {
		return nil, &engine.Error{Reason: engine.ReasonUnreachable, Text: "there is no connection to node " + e.peer.id}
	}
	return l.generate(ctx, e, req), nil
}
