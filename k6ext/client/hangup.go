package client

import (
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/reports/record"
)

// hangUpAt is the instant at which the plan says that the client leaves; never = it stays. The connection
// is closed then, or the stream of HTTP/2 reset: the server sees it.
func (x *exchange) hangUpAt() event.Time {
	if x.req.CancelAfter <= 0 {
		return 0
	}
	return x.req.Due.Add(x.req.CancelAfter)
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
