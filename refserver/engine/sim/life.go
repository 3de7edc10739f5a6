package sim

import (
	"strconv"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// claim starts a process: it takes context and weights. As vLLM does, an engine that is not graceful
// insists that utilisation × total is free before it starts.
func (c *core) claim(now event.Time, generation uint64) error {
	c.notes.emit(now, event.EngineLoading, "", "generation", strconv.FormatUint(generation, 10))
	if !c.cfg.Graceful {
		if err := c.dev.Claim(now, c.foot.Claim); err != nil {
			return err
		}
	}
	if err := c.dev.Alloc(now, gpu.Context, c.foot.Context); err != nil {
		return err
	}
	return c.dev.Alloc(now, gpu.Weights, c.foot.Weights)
}

// serve ends the load: graphs and the KV cache, which a graceful engine takes smaller, down to MinKV,
// rather than not at all.
func (c *core) serve(now event.Time, generation uint64) error {
	if err := c.dev.Alloc(now, gpu.Graphs, c.foot.Graphs); err != nil {
		return err
	}
	blocks := c.foot.Blocks
	if c.cfg.Graceful {
		if fit := c.foot.BlocksFor(c.dev.Free()); float64(fit) >= c.cfg.MinKV*float64(blocks) {
			blocks = fit
		}
	}
	if err := c.dev.Alloc(now, gpu.KV, int64(blocks)*c.foot.BlockBytes); err != nil {
		return err
	}
	c.sched.budget, c.sched.blocks, c.sched.free = c.cfg.TokenBudget, blocks, blocks
	c.relief.next = now.Add(c.cfg.Recover)
	attrs := []string{"generation", strconv.FormatUint(generation, 10), "kv_blocks", strconv.Itoa(blocks)}
	if blocks < c.foot.Blocks {
		c.notes.emit(now, event.KVShrunk, "load", attrs...)
	}
	c.notes.emit(now, event.EngineReady, "", attrs...)
	return nil
}

// failLoad ends a process that did not get the memory it needs.
func (c *core) failLoad(now event.Time, err error) {
	c.dev.ReleaseAll(now)
	c.notes.emit(now, event.LoadFailed, "oom", "error", err.Error())
}

// die ends the process: its streams break, and the device forgets it. Sequences of the batch count as
// killed, so as possible causes, only if the engine died of its own work.
func (c *core) die(now event.Time, reason string, late []*sequence) {
	own := reason == reasonOOM
	running := len(c.sched.running)
	for i, queue := range [...][]*sequence{c.sched.running, c.sched.waiting, late} {
		for _, q := range queue {
			q.stream.end(engine.Chunk{Err: &engine.Error{
				Reason: engine.ReasonDead, Text: "the engine process ended: " + reason, Killed: own && i == 0,
			}})
		}
	}
	c.sched.running, c.sched.waiting, c.sched.step = nil, nil, nil
	c.sched.blocks, c.sched.free = 0, 0
	c.dev.ReleaseAll(now)
	c.notes.emit(now, event.EngineDied, reason, "running", strconv.Itoa(running))
}

// Why an engine process ends.
const (
	reasonOOM      = "oom"
	reasonRestart  = "restart"
	reasonShutdown = "shutdown"
	reasonNode     = "node_lost"
)
