package remote

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/node"
)

// Process is a node process that was started. Safe for concurrent use.
type Process interface {
	Address() string // host:port of its gRPC socket
	PID() int
	Kill()                 // at once and without a word, SIGKILL
	Stop()                 // in order; returns when it has ended
	Done() <-chan struct{} // closed when it has ended
}

// Launch starts the process of a node and returns once it listens. Its engines take load to be ready.
type Launch func(ctx context.Context, id string, load time.Duration) (Process, error)

const (
	killWithin = 2 * time.Second
	// steady is how long a process must live for its end not to count as a failed start.
	steady = 5 * time.Second
)

// keeper keeps the process of one node running, or down while an outage says so.
type keeper struct {
	id    string
	deps  Deps
	first time.Duration // load time of the first process
	later time.Duration // and of every one after it
	found func(address string)

	mu       sync.Mutex
	outages  node.Outages
	process  Process // the running one, or nil
	starting bool
	address  string        // of the newest
	pid      int           // of the newest
	changed  chan struct{} // closed and replaced at every change
}

func newKeeper(id string, cfg node.Config, deps Deps, found func(string)) *keeper {
	return &keeper{id: id, deps: deps, first: cfg.FirstLoad, later: cfg.Reload, found: found, changed: make(chan struct{})}
}

// run starts the process, and starts it again, until ctx ends and the last one has ended.
func (k *keeper) run(ctx context.Context) {
	again := backoff{least: 100 * time.Millisecond, most: 5 * time.Second}
	load := k.first
	for k.awaitPermit(ctx) {
		began := k.deps.Clock.Now()
		p, err := k.start(ctx, load)
		if err != nil {
			if ctx.Err() == nil {
				k.deps.Log.Error("node not started", "node", k.id, "err", err)
			}
		} else {
			load = k.later
			k.attend(ctx, p)
		}
		// A process that was killed on order comes back as soon as it may; one that does not last waits.
		if k.deps.Clock.Now().Sub(began) >= steady || k.isDown() {
			again.reset()
			continue
		}
		select {
		case <-time.After(again.pause(rand.Float64())):
		case <-ctx.Done():
		}
	}
}

// awaitPermit waits until the node may run; false when ctx ended.
func (k *keeper) awaitPermit(ctx context.Context) bool {
	for ctx.Err() == nil {
		k.mu.Lock()
		now := k.deps.Clock.Now()
		for _, out := range k.outages.Expire(now) {
			k.deps.Events.Emit(node.Order(now, event.NodePermitted, k.id, "expired", out))
		}
		due, waiting := k.outages.Due()
		k.starting = !waiting // in one step with the look: a kill either finds no start under way or waits for it
		changed := k.changed
		k.mu.Unlock()
		if !waiting {
			return true
		}
		timer := time.NewTimer(max(0, due.Sub(now)))
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return false
}

// start launches a process. An outage that began meanwhile kills it at once.
func (k *keeper) start(ctx context.Context, load time.Duration) (Process, error) {
	p, err := k.deps.Launch(ctx, k.id, load)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.starting = false
	k.signal()
	if err != nil {
		return nil, err
	}
	k.process, k.address, k.pid = p, p.Address(), p.PID()
	if k.outages.Down() {
		p.Kill()
	} else {
		k.found(k.address)
	}
	return p, nil
}

// attend returns when the process has ended; it ends it when ctx does.
func (k *keeper) attend(ctx context.Context, p Process) {
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Stop()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.process = nil
	k.signal()
}

func (k *keeper) isDown() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.outages.Down()
}

func (k *keeper) kill(r admin.KillRequest) (admin.Outage, error) {
	if err := node.ValidateKill(r); err != nil {
		return admin.Outage{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.deps.Clock.Now()
	out, fresh, err := k.outages.Add(now, r)
	if err != nil {
		return admin.Outage{}, err
	}
	if fresh {
		k.deps.Events.Emit(node.Order(now, event.NodeKilled, k.id, "asked", out))
	}
	if k.process != nil {
		k.process.Kill()
	}
	k.signal()
	k.awaitGone()
	return out, nil
}

// awaitGone waits a bounded time for the process to have ended. mu is held, and given up meanwhile.
func (k *keeper) awaitGone() {
	limit := time.After(killWithin)
	for k.process != nil || k.starting {
		changed := k.changed
		k.mu.Unlock()
		select {
		case <-changed:
		case <-limit:
			k.mu.Lock()
			return // the proof will say that it is still there
		}
		k.mu.Lock()
	}
}

func (k *keeper) revive(id string) admin.Outage {
	k.mu.Lock()
	defer k.mu.Unlock()
	out, was := k.outages.End(id)
	if was {
		k.deps.Events.Emit(node.Order(k.deps.Clock.Now(), event.NodePermitted, k.id, "asked", out))
	}
	k.signal()
	return out
}

// life is what the keeper knows of its node.
func (k *keeper) life() admin.NodeLife {
	k.mu.Lock()
	defer k.mu.Unlock()
	return admin.NodeLife{Address: k.address, PID: k.pid, Outages: k.outages.List()}
}

// signal tells everybody who waits for a change. mu is held.
func (k *keeper) signal() {
	close(k.changed)
	k.changed = make(chan struct{})
}
