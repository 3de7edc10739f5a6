package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// timeout is the cause with which a request's context ends when our patience does.
type timeout struct {
	outcome record.Outcome
	text    string
}

func (t *timeout) Error() string { return t.text }

// watchdog ends a request that passes one of its timeouts. A token only stores its instant; the one
// timer looks at it when it fires and sleeps on if there was progress.
type watchdog struct {
	s      *settings
	stream bool // the answer comes token by token
	sent   event.Time
	cancel context.CancelCauseFunc
	last   atomic.Int64 // event.Time of the newest progress

	mu    sync.Mutex // phase and timer
	phase phase
	timer *time.Timer
}

type phase uint8

const (
	connecting phase = iota
	waiting          // for the first content
	streaming
	stopped
)

func newWatchdog(s *settings, stream bool, sent event.Time, cancel context.CancelCauseFunc) *watchdog {
	w := &watchdog{s: s, stream: stream, sent: sent, cancel: cancel}
	w.mu.Lock()
	defer w.mu.Unlock()
	at, _ := w.deadline()
	w.timer = time.AfterFunc(at.Sub(sent), w.fire)
	return w
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

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = stopped
	w.timer.Stop()
}

// enter sets the timer anew, because the next phase's deadline may be nearer than this one's.
func (w *watchdog) enter(p phase) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase >= p {
		return
	}
	w.phase = p
	at, _ := w.deadline()
	w.timer.Reset(at.Sub(w.s.Clock.Now()))
}

// deadline is when patience ends if nothing more comes, and why.
func (w *watchdog) deadline() (event.Time, *timeout) {
	total := w.sent.Add(w.s.TotalTimeout)
	at, why := total, &timeout{record.TimeoutTotal, "the whole answer took too long"}
	nearer := func(t event.Time, o record.Outcome, text string) {
		if t < at {
			at, why = t, &timeout{o, text}
		}
	}
	switch {
	case w.phase == connecting:
		nearer(w.sent.Add(w.s.ConnectTimeout), record.TimeoutConnect, "no connection in time")
	case w.phase == waiting && w.stream:
		nearer(w.sent.Add(w.s.TTFTTimeout), record.TimeoutTTFT, "no first content in time")
	case w.phase == streaming && w.stream:
		nearer(event.Time(w.last.Load()).Add(w.s.StallTimeout), record.TimeoutStall, "the stream stalled")
	}
	return at, why
}

func (w *watchdog) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == stopped {
		return
	}
	at, why := w.deadline()
	if left := at.Sub(w.s.Clock.Now()); left > 0 {
		w.timer.Reset(left)
		return
	}
	w.cancel(why)
}
