package sim

import (
	"math"
	"sync/atomic"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// loadGauge is the engine's load, readable without a lock. The goroutine writes the schedule's part
// after each plan; arrivals count themselves at once, so that a balancer does not herd between steps.
type loadGauge struct {
	state      atomic.Value // engine.State
	generation atomic.Uint64

	arrived     atomic.Int64 // on the desk
	arrivedDebt atomic.Int64

	running   atomic.Int64
	scheduled atomic.Int64 // waiting in the schedule
	debt      atomic.Int64
	kvUsage   atomic.Uint64 // float64 bits
	blocks    atomic.Int64
	budget    atomic.Int64
	tokens    atomic.Uint64
}

func (g *loadGauge) waiting() int { return int(g.arrived.Load() + g.scheduled.Load()) }

func (g *loadGauge) publish(c *core) {
	s := &c.sched
	g.running.Store(int64(len(s.running)))
	g.scheduled.Store(int64(len(s.waiting)))
	g.debt.Store(int64(s.debt()))
	usage := 0.0
	if s.blocks > 0 {
		usage = float64(s.blocks-s.free) / float64(s.blocks)
	}
	g.kvUsage.Store(math.Float64bits(usage))
	g.blocks.Store(int64(s.blocks))
	g.budget.Store(int64(s.budget))
	g.tokens.Store(c.tokens)
}

func (g *loadGauge) read() engine.Load {
	return engine.Load{
		State: g.state.Load().(engine.State), Generation: g.generation.Load(),
		Running: int(g.running.Load()), Waiting: g.waiting(),
		KVUsage:   math.Float64frombits(g.kvUsage.Load()),
		TokenDebt: int(g.debt.Load() + g.arrivedDebt.Load()),
	}
}

// Snapshot is Load and what else an operator may see.
type Snapshot struct {
	engine.Load
	KVBlocks    int
	TokenBudget int
	Tokens      uint64 // of answers, since start
}

func (g *loadGauge) snapshot() Snapshot {
	return Snapshot{
		Load: g.read(), KVBlocks: int(g.blocks.Load()), TokenBudget: int(g.budget.Load()), Tokens: g.tokens.Load(),
	}
}
