package sim

import (
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// core is one engine without its goroutine: schedule, memory and life as functions of now.
type core struct {
	cfg    Config
	dev    *gpu.Device
	timing gpu.Timing
	foot   gpu.Footprint
	notes  *notices

	sched schedule

	start       event.Time    // of the running step
	nominal     time.Duration // it takes on an undisturbed device
	activations int64         // it holds

	relief relief
	tokens uint64 // of answers, all lives
}

func newCore(cfg Config, dev *gpu.Device, sink event.Sink) (*core, error) {
	foot, err := cfg.footprint(dev.Spec())
	if err != nil {
		return nil, err
	}
	return &core{
		cfg: cfg, dev: dev, foot: foot, timing: gpu.TimingOf(dev.Spec(), cfg.Model).Slowed(cfg.Slowdown),
		notes: newNotices(sink, dev.ID(), cfg.ID),
		sched: schedule{
			maxSequences: cfg.MaxSequences, blockTokens: cfg.BlockTokens, budget: cfg.TokenBudget,
		},
	}, nil
}

// verdict is what begin decided.
type verdict uint8

const (
	stepping verdict = iota // a step runs until the returned instant
	idle                    // nothing can be computed now
	dead                    // an allocation was refused and the process does not survive that
)

// begin plans a step that starts at start and allocates its activations. now is the time of day, for
// the books; it is start or a little later.
func (c *core) begin(start, now event.Time) (end event.Time, v verdict) {
	c.dropCancelled()
	c.restore(now)
	for {
		b := c.sched.plan()
		c.notePreempted(now)
		if b.Tokens() == 0 {
			return 0, idle
		}
		need := c.cfg.Model.ActivationBytes(b.Tokens(), b.Samples)
		err := c.dev.Alloc(now, gpu.Activations, need)
		if err == nil {
			c.start, c.activations, c.nominal = start, need, c.timing.Step(b)
			return start.Add(c.dev.Stretch(now, c.nominal)), stepping
		}
		c.notes.often(now, event.OOM, "activations", "bytes", strconv.FormatInt(need, 10), "tokens", strconv.Itoa(b.Tokens()))
		if !c.cfg.Graceful {
			return 0, dead
		}
		c.relieve(now, b)
	}
}

// finish ends the step at its planned end and sends every token it made.
func (c *core) finish(end event.Time) {
	c.dev.Ran(c.start, end, c.activations)
	c.activations = 0
	ended := false
	for _, q := range c.sched.finish() {
		i := q.next
		q.next++
		c.tokens++
		if q.stream.push(i, q.next == q.end) {
			c.sched.retire(q)
			ended = true
		}
	}
	if ended {
		c.sched.sweep()
	}
}

// dropCancelled frees slot and blocks of requests whose callers have gone.
func (c *core) dropCancelled() {
	found := false
	for _, queue := range [...][]*sequence{c.sched.running, c.sched.waiting} {
		for _, q := range queue {
			if q.stream.cancelled.Load() {
				c.sched.retire(q)
				q.stream.close()
				found = true
			}
		}
	}
	if found {
		c.sched.sweep()
	}
}

// handBack ends a sequence with an error; the engine lives.
func (c *core) handBack(q *sequence, reason engine.Reason, text string) {
	c.sched.retire(q)
	q.stream.end(engine.Chunk{Err: &engine.Error{Reason: reason, Text: text}})
	c.sched.sweep()
}

func (c *core) notePreempted(now event.Time) {
	if n := c.sched.preempted; n > 0 {
		c.sched.preempted = 0
		c.notes.often(now, event.Preempted, "kv_blocks", "sequences", strconv.Itoa(n))
	}
}

// nextRestore is when begin should be called again although no request changed; ok false: never.
func (c *core) nextRestore(now event.Time) (at event.Time, ok bool) {
	if !c.limited() {
		return 0, false
	}
	return max(c.relief.next, now.Add(time.Millisecond)), true
}
