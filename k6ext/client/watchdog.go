package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// timeout is why our patience ended.
type timeout struct {
	outcome record.Outcome
	text    string
}

// watchdog ends a request that passes one of its timeouts, or whose load is over. A token only stores
// its instant; the one timer looks at it when it fires and sleeps on if there was progress.
//
// One watchdog serves many requests, one after the other. A timer or an end of the load that comes
// late, when the request it was for is over, looks at the state again and finds nothing to do.
type watchdog struct {
	s      *settings
	last   atomic.Int64 // event.Time of the newest progress
	onOver func()       // over, as one value for all requests

	mu     sync.Mutex // everything below
	parent context.Context
	leave  func() bool // stops waiting for the end of parent
	sent   event.Time
	stream bool
	hangUp event.Time // by plan; never = not
	phase  phase
	timer  *time.Timer
	wakes  event.Time // when timer fires
	cut    aborter    // of what the request waits for; nil = nothing to end
	ended  bool       // cut was due
	why    *timeout   // because of this; nil = parent ended
}

// aborter ends what somebody waits for, with an error. It may take no lock of the watchdog's.
type aborter interface{ Abort() }

// cancelled is the aborter of what waits for a context.
type cancelled context.CancelFunc

// Abort implements aborter.
func (c cancelled) Abort() { c() }

type phase uint8

const (
	stopped phase = iota
	connecting
	waiting // for the first content
	streaming
)

func newWatchdog(s *settings) *watchdog {
	w := &watchdog{s: s}
	w.onOver = w.over
	return w
}

// begin watches over a request that is sent now. stream: its answer comes token by token; hangUp: when
// the plan says that the client leaves, never = it stays.
func (w *watchdog) begin(parent context.Context, sent event.Time, stream bool, hangUp event.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stream, w.hangUp = stream, hangUp
	w.parent, w.sent, w.phase, w.cut, w.ended, w.why = parent, sent, connecting, nil, false, nil
	w.leave = context.AfterFunc(parent, w.onOver)
	at, _, _ := w.deadline()
	w.wakes = at
	if w.timer == nil {
		w.timer = time.AfterFunc(at.Sub(sent), w.fire)
		return
	}
	w.timer.Reset(at.Sub(sent))
}

// cutBy says what ends the wait of the request from now on; at once, if its end was due already.
func (w *watchdog) cutBy(cut aborter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if w.ended && cut != nil {
		cut.Abort()
	}
}

// connected: the request has a connection.
func (w *watchdog) connected() { w.enter(waiting) }

// first: the first content came.
func (w *watchdog) first(at event.Time) {
	w.last.Store(int64(at))
	w.enter(streaming)
}

// progress: something that counts came.
func (w *watchdog) progress(at event.Time) { w.last.Store(int64(at)) }

// stop ends the watch: nothing is cut any more. It reports whether something was.
func (w *watchdog) stop() (cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.cut = stopped, nil
	w.timer.Stop()
	w.leave()
	w.parent, w.leave = nil, nil
	return w.ended
}

// late is the timeout that ended the request; nil = none did.
func (w *watchdog) late() *timeout {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// enter moves the timer if the next phase's deadline is nearer than this one's. A farther one is found
// when the timer fires.
func (w *watchdog) enter(p phase) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase >= p || w.phase == stopped {
		return
	}
	w.phase = p
	if at, _, _ := w.deadline(); at < w.wakes {
		w.wakes = at
		w.timer.Reset(at.Sub(w.s.Clock.Now()))
	}
}

// deadline is when patience ends if nothing more comes, and why.
func (w *watchdog) deadline() (at event.Time, o record.Outcome, text string) {
	at, o, text = w.sent.Add(w.s.TotalTimeout), record.TimeoutTotal, "the whole answer took too long"
	nearer := func(t event.Time, outcome record.Outcome, why string) {
		if t < at {
			at, o, text = t, outcome, why
		}
	}
	if w.hangUp != 0 {
		nearer(w.hangUp, record.Cancelled, "")
	}
	switch {
	case w.phase == connecting:
		nearer(w.sent.Add(w.s.ConnectTimeout), record.TimeoutConnect, "no connection in time")
	case w.phase == waiting && w.stream:
		nearer(w.sent.Add(w.s.TTFTTimeout), record.TimeoutTTFT, "no first content in time")
	case w.phase == streaming && w.stream:
		nearer(event.Time(w.last.Load()).Add(w.s.StallTimeout), record.TimeoutStall, "the stream stalled")
	}
	return at, o, text
}

func (w *watchdog) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == stopped || w.ended {
		return
	}
	at, o, text := w.deadline()
	if left := at.Sub(w.s.Clock.Now()); left > 0 {
		w.wakes = at
		w.timer.Reset(left)
		return
	}
	w.end(&timeout{o, text})
}

// over: the load ended.
func (w *watchdog) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase != stopped && !w.ended && w.parent.Err() != nil {
		w.end(nil)
	}
}

// end is called with mu held.
func (w *watchdog) end(why *timeout) {
	w.ended, w.why = true, why
	if w.cut != nil {
		w.cut.Abort()
	}
}
