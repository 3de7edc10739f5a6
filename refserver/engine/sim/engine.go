package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
)

const (
	// maxBehind is how far the schedule of steps may lag before it is set anew to the present. Below
	// it late wake-ups are made good by the next steps, so that rates hold; beyond it a burst of
	// catching up would be worse than the loss. Either way the lateness is counted.
	maxBehind = 250 * time.Millisecond
	// pausedPoll is how often readers that lag are looked at when nothing else runs.
	pausedPoll = 5 * time.Millisecond
)

// Engine serves one model on one simulated device. It implements engine.Engine.
type Engine struct {
	cfg   Config
	deps  Deps
	desk  *desk
	steps *Steps

	core *core // Run's goroutine alone, but for cfg and foot, which never change
}

// New checks the config and returns an engine that is dead until Run.
func New(cfg Config, deps Deps) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	c, err := newCore(cfg, deps.Device, deps.Events)
	if err != nil {
		return nil, err
	}
	return &Engine{cfg: cfg, deps: deps, desk: newDesk(cfg.MaxWaiting), steps: &Steps{}, core: c}, nil
}

// Generate implements engine.Engine.
func (e *Engine) Generate(ctx context.Context, req engine.Request) (*engine.Stream, error) {
	prompt := max(1, req.PromptTokens)
	if err := e.fits(prompt + max(1, req.MaxTokens)); err != nil {
		return nil, err
	}
	t, end := newStream(req)
	q := &sequence{prompt: prompt, next: req.ResumeAt, end: end, stream: t}
	if q.next >= q.end { // the caller has the whole answer but its end
		t.end(engine.Chunk{Finish: t.finish})
		return &engine.Stream{C: t.out}, nil
	}
	t.detach = context.AfterFunc(ctx, func() {
		t.cancelled.Store(true)
		e.desk.signal()
	})
	if err := e.desk.submit(q); err != nil {
		t.detach()
		return nil, err
	}
	return &engine.Stream{C: t.out}, nil
}

// fits refuses what this engine can never hold, and what its cache cannot hold while it is shrunk.
func (e *Engine) fits(tokens int) error {
	blocks := (tokens + e.cfg.BlockTokens - 1) / e.cfg.BlockTokens
	if tokens > e.cfg.Model.Window || blocks > e.core.foot.Blocks {
		return &engine.Error{Reason: engine.ReasonTooLong, Text: fmt.Sprintf(
			"prompt and max_tokens are %d tokens together; this engine holds at most %d",
			tokens, min(e.cfg.Model.Window, e.core.foot.Blocks*e.cfg.BlockTokens))}
	}
	load := &e.desk.load
	if load.state.Load() == engine.Ready && int64(blocks) > load.blocks.Load() {
		return &engine.Error{Reason: engine.ReasonOOM, Text: "the engine's KV cache is smaller than usual and cannot hold this request"}
	}
	return nil
}

// Load implements engine.Engine.
func (e *Engine) Load() engine.Load { return e.desk.load.read() }

// Snapshot is Load and what else an operator may see. It takes no lock.
func (e *Engine) Snapshot() Snapshot { return e.desk.load.snapshot() }

// Steps is the engine's record of how punctual its steps were.
func (e *Engine) Steps() *Steps { return e.steps }

// Peak is the largest allocation the engine makes at run time, in bytes: the activations of a step
// with the full configured token budget.
func (e *Engine) Peak() int64 { return e.core.foot.Peak }

// Restart kills the engine's process, whose streams break at once, and lets Run load a new one. It
// returns when requests are refused; the load is under way then.
func (e *Engine) Restart() { e.desk.kill(reasonRestart) }

// Run is the engine's life: load, serve, die, load again. It blocks until ctx ends, breaks all streams
// and returns nil. It may be called once.
func (e *Engine) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { e.desk.kill(reasonShutdown) })()
	wait := e.cfg.FirstLoad
	for {
		e.desk.awaitPermit()
		stop, ok := e.desk.enter()
		if !ok {
			return nil
		}
		if err := e.load(wait, stop); err != nil {
			e.desk.fall()
			e.core.failLoad(e.now(), err)
			e.sleep(e.now().Add(e.cfg.Reload), stop)
		} else {
			oom := e.desk.open() && e.serve(stop)
			why, late := e.desk.fall()
			if oom {
				why = reasonOOM
			}
			e.core.die(e.now(), why, late)
		}
		e.desk.load.publish(e.core)
		wait = e.cfg.Reload
	}
}

// load takes what an engine process takes, and its time. A process killed meanwhile is no error.
func (e *Engine) load(wait time.Duration, stop chan struct{}) error {
	generation := e.desk.load.generation.Load()
	now := e.now()
	if err := e.core.claim(now, generation); err != nil {
		return err
	}
	if !e.sleep(now.Add(wait), stop) {
		return nil
	}
	err := e.core.serve(e.now(), generation)
	e.desk.load.publish(e.core)
	return err
}

// serve runs steps until the process is killed (false) or dies of a refused allocation (true).
//
// Steps follow an absolute schedule: each starts where the one before was planned to end, so that a
// late wake-up does not slow the engine down.
func (e *Engine) serve(stop chan struct{}) (oom bool) {
	c := e.core
	plan := e.now()
	for {
		now := e.now()
		if now.Sub(plan) > maxBehind {
			plan = now
		}
		c.sched.waiting = e.desk.take(c.sched.waiting)
		end, v := c.begin(plan, now)
		e.desk.load.publish(c)
		switch v {
		case dead:
			return true
		case idle:
			if !e.idle(stop) {
				return false
			}
			plan = e.now()
		case stepping:
			if !e.sleep(end, stop) {
				return false
			}
			woke := e.now()
			e.deps.Device.Timed(woke, woke.Sub(now), c.nominal)
			e.steps.record(woke, woke.Sub(end), end.Sub(plan))
			c.finish(end)
			plan = end
		}
	}
}

// idle waits for a request, a cancellation, a lagging reader or the next probe of relief.
func (e *Engine) idle(stop chan struct{}) bool {
	var due <-chan time.Time
	now := e.now()
	if len(e.core.sched.running)+len(e.core.sched.waiting) > 0 {
		timer := time.NewTimer(pausedPoll)
		defer timer.Stop()
		due = timer.C
	} else if at, ok := e.core.nextRestore(now); ok {
		timer := time.NewTimer(at.Sub(now))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-stop:
		return false
	case <-e.desk.wake:
	case <-due:
	}
	return true
}

func (e *Engine) now() event.Time { return e.deps.Clock.Now() }

func (e *Engine) sleep(until event.Time, stop chan struct{}) bool {
	return e.deps.Waiter.Until(e.deps.Clock.Wall(until), stop)
}
