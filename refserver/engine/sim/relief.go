package sim

import (
	"strconv"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// relief is what graceful handling of refused allocations remembers.
type relief struct {
	next event.Time // not before it is a larger budget or cache probed
}

// restoreSteps is how many probes fit into Config.Recover once the quiet time has passed: recovery
// starts cautiously and then goes on quickly, each probe being checked against free memory.
const restoreSteps = 8

// relieve answers one refused step by the mildest means left, so that it can be planned again. Each
// call makes the next plan smaller, so begin's loop ends: a budget halved (only prefills shrink with
// it), the newest sequence handed back, the KV cache shrunk, the last sequence given up.
func (c *core) relieve(now event.Time, b gpu.Batch) {
	c.relief.next = now.Add(c.cfg.Recover)
	s := &c.sched
	switch {
	case b.Prefill > 0 && s.budget > c.cfg.MinBudget:
		s.budget = max(c.cfg.MinBudget, s.budget/2)
		c.notes.emit(now, event.BudgetHalved, "oom", "token_budget", strconv.Itoa(s.budget))
	case len(s.running) > 1:
		c.handBack(s.newest(), engine.ReasonMigrate, "the device is short of memory; continue on another replica")
		c.notes.often(now, event.Migrated, "oom", "running", strconv.Itoa(len(s.running)))
	case c.shrink(now):
	default:
		c.handBack(s.newest(), engine.ReasonOOM, "the device has no memory for even one sequence")
	}
}

// shrink gives free KV blocks back to the device, enough for a full step but never the last MinKV of
// them. (A real engine can do so where the cache is mapped in pages, not in one tensor a layer.)
func (c *core) shrink(now event.Time) bool {
	floor := max(1, int(c.cfg.MinKV*float64(c.foot.Blocks)))
	goal := max(floor, c.sched.blocks-int(c.foot.Peak/c.foot.BlockBytes)-1)
	change := c.sched.resize(min(goal, c.sched.blocks))
	if change == 0 {
		return false
	}
	c.dev.Release(now, gpu.KV, int64(-change)*c.foot.BlockBytes)
	c.notes.emit(now, event.KVShrunk, "oom", "kv_blocks", strconv.Itoa(c.sched.blocks))
	return true
}

// limited: the budget or the cache is smaller than configured.
func (c *core) limited() bool {
	return c.sched.budget < c.cfg.TokenBudget || c.sched.blocks < c.foot.Blocks
}

// restore undoes relief step by step after a time without refusals, the budget first. It looks at free
// memory before it dares, so that a device that stays short is not refused again for the asking.
func (c *core) restore(now event.Time) {
	if !c.limited() || now < c.relief.next {
		return
	}
	c.relief.next = now.Add(c.cfg.Recover / restoreSteps)
	s := &c.sched
	free := c.dev.Free()
	if s.budget < c.cfg.TokenBudget {
		larger := min(2*s.budget, c.cfg.TokenBudget)
		samples := min(c.cfg.MaxSequences, len(s.running)+len(s.waiting))
		if c.cfg.Model.ActivationBytes(larger, samples) > free {
			return
		}
		s.budget = larger
	} else {
		// A refusal here would be counted as one of the engine's, so what does not fit is not asked for.
		more := min(c.foot.BlocksFor(free), c.foot.Blocks-s.blocks)
		if more <= 0 || c.dev.Alloc(now, gpu.KV, int64(more)*c.foot.BlockBytes) != nil {
			return
		}
		s.resize(s.blocks + more)
	}
	if !c.limited() {
		c.notes.emit(now, event.BudgetRestored, "memory_free",
			"token_budget", strconv.Itoa(s.budget), "kv_blocks", strconv.Itoa(s.blocks))
	}
}
