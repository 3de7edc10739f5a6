package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/reports/record"
)

// exchange is one request on its way. Only the goroutine of Do writes it.
type exchange struct {
	c     *Client
	kind  *kind
	req   *Request
	rec   record.Record
	gaps  []time.Duration
	model checker
	mould mould
	watch *watchdog

	exact       bool
	finished    bool // a finish reason came
	done        bool // [DONE] came
	usage       bool
	degraded    bool
	lastRead    uint64
	chunkReads  uint64 // reads that brought a content chunk
	gapExceeded event.Time
}

const headerFallback = "x-brownout-fallback" // set by a gateway that answered from another model or a cache

func (x *exchange) run(parent context.Context) {
	x.rec.Sent = x.c.Clock.Now()
	x.watch.begin(parent, x.rec.Sent, x.kind.Stream, x.hangUpAt())
	resp, err := x.c.carrier.send(parent, x.req, x.watch)
	if err != nil {
		x.broke(parent, err)
		x.watch.stop()
		return
	}
	x.head(resp)
	switch {
	case resp.Status() != http.StatusOK:
		x.refusal(resp)
	case x.kind.Stream:
		x.stream(parent, resp)
	default:
		x.whole(parent, resp)
	}
	resp.done(x.watch.stop())
}

// head reads what the answer's header says.
func (x *exchange) head(resp answer) {
	x.rec.Status = resp.Status()
	x.rec.Node = clip(resp.Header(openai.HeaderNode), 128)
	if n, err := strconv.Atoi(resp.Header(openai.HeaderAttempts)); err == nil && n > 0 && n < 1000 {
		x.rec.Attempts = n
	}
	f := resp.Header(headerFallback)
	x.degraded = f != "" && f != "false" && f != "0"
	x.exact = x.c.Exact && !x.degraded // a fallback may be another model: its words are not known
}

// end settles the request. The first call wins: what follows a decided outcome cannot change it.
func (x *exchange) end(o record.Outcome, note string) {
	x.endAt(x.c.Clock.Now(), o, note)
}

func (x *exchange) endAt(at event.Time, o record.Outcome, note string) {
	if x.rec.Outcome != record.Unset {
		return
	}
	x.rec.End, x.rec.Outcome = at, o
	if note != "" {
		x.note(note)
	}
}

// note keeps the first sentence.
func (x *exchange) note(text string) {
	if x.rec.Note == "" {
		x.rec.Note = clip(x.c.hide.Replace(text), 300)
	}
}

// broke puts a transport error into its outcome.
func (x *exchange) broke(parent context.Context, err error) {
	late := x.watch.late()
	if late == nil && parent.Err() != nil {
		x.end(record.Unfinished, "still open when the load generator stopped")
		return
	}
	o, note := classify(late, err)
	x.end(o, note)
}

// refusal reads the reason of a status other than 200, bounded, and keeps the connection usable.
func (x *exchange) refusal(resp answer) {
	body, err := io.ReadAll(io.LimitReader(resp, 16<<10))
	x.c.counts.bytes.Add(uint64(len(body)))
	note := errorText(body)
	if note == "" {
		note = "status " + strconv.Itoa(resp.Status())
	}
	if err != nil {
		note += " (and the error's body broke off)"
	}
	x.end(statusOutcome(resp.Status()), note)
}

func statusOutcome(code int) record.Outcome {
	switch {
	case code == http.StatusTooManyRequests:
		return record.RateLimited
	case code == http.StatusServiceUnavailable:
		return record.Overloaded
	case code/100 == 4:
		return record.HTTP4xx
	case code/100 == 5:
		return record.HTTP5xx
	}
	return record.Corrupt // a redirect or an empty 2xx is no answer to this call
}

// whole reads an answer without stream.
func (x *exchange) whole(parent context.Context, resp answer) {
	data, err := x.c.readBody(resp)
	switch {
	case err != nil:
		x.broke(parent, err)
	case int64(len(data)) > x.c.MaxBody:
		x.end(record.Corrupt, fmt.Sprintf("the answer is longer than %d bytes", x.c.MaxBody))
	case !mediaType(resp, "application/json"):
		x.end(record.Corrupt, "content type "+strconv.Quote(resp.Header("Content-Type"))+" where application/json was due")
	default:
		c, err := decodeAny(data)
		if err != nil {
			x.end(record.Corrupt, err.Error())
			return
		}
		at := x.c.Clock.Now()
		if c.serverErr != nil {
			x.endAt(at, record.ErrorEvent, orText(errorText(data), "an error in a 200"))
			return
		}
		finished := c.finished
		c.finished = false // content and reason come together here
		x.take(&c, openai.Event{At: at})
		x.finished = finished
		x.complete(at)
	}
}

// complete decides on an answer that came to a regular end at that instant.
func (x *exchange) complete(at event.Time) {
	if x.rec.Outcome != record.Unset {
		return
	}
	if !x.finished {
		x.endAt(at, record.Truncated, "the answer ended without a finish reason")
		return
	}
	if !x.model.any && !x.model.other {
		x.endAt(at, record.Empty, "a finish reason came, but no content")
		return
	}
	if x.exact {
		if !x.usage {
			x.rec.OutputTokens = x.model.tokens
		}
		if note := x.model.short(); note != "" {
			x.endAt(at, record.Corrupt, note)
			return
		}
		if x.usage && x.rec.OutputTokens != x.model.tokens {
			x.endAt(at, record.Corrupt, fmt.Sprintf("usage says %d output tokens, %d came", x.rec.OutputTokens, x.model.tokens))
			return
		}
	}
	if x.rec.Streaming && !x.done {
		if x.c.Strict {
			x.endAt(at, record.Truncated, "missing [DONE]")
			return
		}
		x.note("missing [DONE]")
	}
	if x.degraded {
		x.endAt(at, record.Degraded, "served by a fallback")
		return
	}
	x.endAt(at, record.OK, "")
}

// mediaType compares without parameters; a missing type passes, as many servers of one engine send none.
func mediaType(resp answer, want string) bool {
	got, _, _ := strings.Cut(resp.Header("Content-Type"), ";")
	got = strings.TrimSpace(got)
	return got == "" || strings.EqualFold(got, want)
}
