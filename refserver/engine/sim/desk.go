package sim

import (
	"sync"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// desk is where requests and commands wait for the engine's goroutine. Its mutex is held for a few
// instructions, never while a step is delivered.
type desk struct {
	max int // sequences that may wait, here and in the schedule

	mu       sync.Mutex
	state    engine.State
	arrived  []*sequence   // since the last take
	stop     chan struct{} // closed: the process must end at once
	why      string        // it was closed
	shutdown bool          // for good
	down     chan struct{} // no new process until it closes; nil: one may start. See down.go

	wake chan struct{} // holds one signal for an idle goroutine
	load loadGauge
}

func newDesk(limit int) *desk {
	d := &desk{max: limit, state: engine.Dead, stop: make(chan struct{}), wake: make(chan struct{}, 1)}
	d.load.state.Store(engine.Dead)
	return d
}

// submit queues a sequence, or says why not.
func (d *desk) submit(q *sequence) *engine.Error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.state == engine.Loading:
		return &engine.Error{Reason: engine.ReasonLoading, Text: "the engine is loading its weights"}
	case d.state == engine.Dead:
		return &engine.Error{Reason: engine.ReasonDead, Text: "the engine process is not running"}
	case d.load.waiting() >= d.max:
		return &engine.Error{Reason: engine.ReasonOverloaded, Text: "the engine's waiting queue is full"}
	}
	d.arrived = append(d.arrived, q)
	d.load.arrived.Add(1)
	d.load.arrivedDebt.Add(int64(q.need()))
	d.signal()
	return nil
}

// take moves what arrived to the end of into. The schedule's own count rises before the desk's falls,
// so that the limit is never passed in between.
func (d *desk) take(into []*sequence) []*sequence {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.arrived) == 0 {
		return into
	}
	into = append(into, d.arrived...)
	d.load.scheduled.Store(int64(len(into)))
	d.clear()
	return into
}

func (d *desk) clear() {
	clear(d.arrived)
	d.arrived = d.arrived[:0]
	d.load.arrived.Store(0)
	d.load.arrivedDebt.Store(0)
}

// signal wakes the goroutine if it is idle.
func (d *desk) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// kill refuses requests from now on and interrupts the goroutine. The first reason stands until enter.
func (d *desk) kill(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if why == reasonShutdown {
		d.shutdown = true
		d.permit()
	}
	d.set(engine.Dead)
	if d.why == "" {
		d.why = why
		close(d.stop)
	}
}

// fall is kill by the goroutine itself: it also hands over what arrived too late for take.
func (d *desk) fall() (why string, late []*sequence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set(engine.Dead)
	late = append(late, d.arrived...)
	d.clear()
	return d.why, late
}

// enter starts a new process and returns the channel that will end it; ok false after shutdown.
func (d *desk) enter() (stop chan struct{}, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shutdown {
		return nil, false
	}
	if d.why != "" {
		d.why, d.stop = "", make(chan struct{})
	}
	d.load.generation.Add(1)
	d.set(engine.Loading)
	return d.stop, true
}

// open admits requests; false when the process was killed while it loaded.
func (d *desk) open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why != "" {
		return false
	}
	d.set(engine.Ready)
	return true
}

func (d *desk) set(s engine.State) {
	d.state = s
	d.load.state.Store(s)
}
