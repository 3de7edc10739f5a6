package openai

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// workers bounds how many requests are served at a time. Each holds a worker from its first attempt to its
// last byte, as in a server that handles a request by a blocking thread or process; the others wait in
// the order they came.
type workers struct {
	slots   chan struct{} // blocked senders are served first in, first out
	backlog int64
	waiting atomic.Int64
	held    atomic.Int64 // ns a worker is held, a mean that fades
}

// newWorkers is nil, which bounds nothing, for n = 0.
func newWorkers(n, backlog int) *workers {
	if n == 0 {
		return nil
	}
	return &workers{slots: make(chan struct{}, n), backlog: int64(backlog)}
}

// take waits for a worker. Whoever gets one must call give. The error is why there is none:
// errBacklog, or the context's.
func (w *workers) take(ctx context.Context) (give func(), err error) {
	if w == nil {
		return func() {}, nil
	}
	select {
	case w.slots <- struct{}{}:
	default:
		if err := w.wait(ctx); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	return func() {
		w.hold(time.Since(began))
		<-w.slots
	}, nil
}

func (w *workers) wait(ctx context.Context) error {
	defer w.waiting.Add(-1)
	if w.waiting.Add(1) > w.backlog {
		return errBacklog
	}
	select {
	case w.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hold takes one sample into the mean. Samples that come at once may cost each other, never break it.
func (w *workers) hold(d time.Duration) {
	old := w.held.Load()
	if old == 0 {
		w.held.Store(int64(d))
		return
	}
	w.held.Store(old + (int64(d)-old)/8)
}

// clears is when those who wait now will have been served, by the mean time that a worker is held.
func (w *workers) clears() time.Duration {
	return max(time.Second, time.Duration(w.waiting.Load()*w.held.Load()/int64(cap(w.slots))))
}

type backlogError struct{}

func (backlogError) Error() string { return "all workers are busy and the backlog is full" }

// errBacklog: there is no worker, and no more may wait for one.
var errBacklog backlogError

// workerProblem is what a caller hears who got no worker.
func (h *Handler) workerProblem(err error) *problem {
	switch {
	case err == errBacklog: //nolint:errorlint // take returns it as it is
		return &problem{
			status: http.StatusServiceUnavailable, code: "overloaded", outcome: "backlog_full",
			text: err.Error() + "; try again later", retryAfter: h.workers.clears(),
		}
	case h.force.Err() != nil:
		return drainingProblem()
	}
	return &problem{status: statusClientGone, code: "client_cancel", text: "the client went away"}
}
