// Package pool is the list of replicas: who is there, who may be asked, whether anybody is ready.
// It knows engines by interface only.
//
// What may not live here: choosing among members (router), building engines, HTTP.
package pool

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// Gate is the breaker's part of a member. See package breaker for the contracts.
type Gate interface {
	Allow(within time.Duration) (settle func(error) bool, ok bool)
	Permits(now time.Time) bool
	Reopens(now time.Time) time.Duration
	Recovered() time.Time
	State() string
}

// Replica is one engine serving one model.
type Replica struct {
	ID     string // "n2/g1/llama-3.1-8b"
	Node   string // "n2"
	Device string // "n2/g1"
	Model  string
	Engine engine.Engine
	Gate   Gate // nil: no breaker, everything is permitted
}

// Member is a replica in the pool, with what the pool learnt about it.
type Member struct {
	Replica
	Pace    Pace
	served  atomic.Uint64
	outlier outlier
	unready atomic.Int64 // Unix ns since when a look found it not ready; 0 while ready
}

// Served counts one complete answer.
func (m *Member) Served() { m.served.Add(1) }

// ServedTotal is how many answers it completed.
func (m *Member) ServedTotal() uint64 { return m.served.Load() }

// GateState is the breaker's word, "" without a breaker.
func (m *Member) GateState() string {
	if m.Gate == nil {
		return ""
	}
	return m.Gate.State()
}

// Look is the engine's load; on the way it remembers since when the engine is not ready.
func (m *Member) Look(now time.Time) engine.Load {
	load := m.Engine.Load()
	if load.State == engine.Ready {
		m.unready.Store(0)
	} else {
		m.unready.CompareAndSwap(0, now.UnixNano())
	}
	return load
}

// Config is the pool's part of the server's configuration.
type Config struct {
	Reload   time.Duration // how long an engine takes to come back; only the hint in Retry-After uses it
	Ejection Ejection
}

// Pool is a fixed list of members. Safe for concurrent use.
type Pool struct {
	cfg     Config
	members []*Member
	byModel map[string][]*Member
}

// New makes every replica a member.
func New(cfg Config, replicas []Replica) *Pool {
	p := &Pool{cfg: cfg, byModel: make(map[string][]*Member)}
	for _, r := range replicas {
		m := &Member{Replica: r}
		p.members = append(p.members, m)
		p.byModel[r.Model] = append(p.byModel[r.Model], m)
	}
	return p
}

// Members are all members, in the order given. The caller may not change the slice.
func (p *Pool) Members() []*Member { return p.members }

// Of are the members that serve model; empty for an unknown one. The caller may not change the slice.
func (p *Pool) Of(model string) []*Member { return p.byModel[model] }

// Models are the names served, sorted.
func (p *Pool) Models() []string {
	names := make([]string, 0, len(p.byModel))
	for name := range p.byModel {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Ready reports whether at least one engine is ready.
func (p *Pool) Ready() bool {
	now := time.Now()
	return slices.ContainsFunc(p.members, func(m *Member) bool { return m.Look(now).State == engine.Ready })
}

// RetryAfter is the shortest time after which a member of model may take requests again, by what is
// measured: when its breaker lets probes in, when its ejection ends, when its reload should be over.
// At least one second.
func (p *Pool) RetryAfter(model string, now time.Time) time.Duration {
	best := time.Duration(-1)
	for _, m := range p.byModel[model] {
		var wait time.Duration
		if m.Look(now).State != engine.Ready {
			since := time.Duration(now.UnixNano() - m.unready.Load())
			wait = max(0, p.cfg.Reload-since)
		}
		if m.Gate != nil {
			wait = max(wait, m.Gate.Reopens(now))
		}
		wait = max(wait, m.outlier.remaining(now))
		if best < 0 || wait < best {
			best = wait
		}
	}
	return max(best, time.Second)
}
