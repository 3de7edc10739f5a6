package client

import (
	"context"
	"errors"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/reports/record"
)

// errHungUp is the cause with which a request's context ends when the plan says that the client hangs up.
// The transport then closes the connection, or resets the stream of HTTP/2: the server sees it.
var errHungUp = errors.New("hung up by plan")

// hangUpLater arms the planned instant, if there is one.
func (x *exchange) hangUpLater(cancel context.CancelCauseFunc) (stop func() bool) {
	if x.req.CancelAfter <= 0 {
		return func() bool { return true }
	}
	at := x.req.Due.Add(x.req.CancelAfter)
	return time.AfterFunc(at.Sub(x.c.Clock.Now()), func() { cancel(errHungUp) }).Stop
}

// hangUpNow ends a stream that has said as much as the plan wants to hear. Where tokens are not known,
// content chunks stand for them.
func (x *exchange) hangUpNow(ev openai.Event) {
	heard := x.rec.Chunks
	if x.exact {
		heard = x.model.tokens
	}
	if n := x.req.CancelTokens; n > 0 && heard >= n {
		x.endAt(ev.At, record.Cancelled, "")
	}
}
