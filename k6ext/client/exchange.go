package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
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
	watch *watchdog

	exact       bool
	finished    bool // a finish reason came
	done        bool // [DONE] came
	usage       bool
	degraded    bool
	lastRead    uint64
	gapExceeded event.Time
}

const headerFallback = "x-brownout-fallback" // set by a gateway that answered from another model or a cache

func (x *exchange) run(parent context.Context) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	x.rec.Sent = x.c.Clock.Now()
	x.watch = newWatchdog(x.c.settings, x.kind.Stream, x.rec.Sent, cancel)
	defer x.watch.stop()
	defer x.hangUpLater(cancel)()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.watch.connected() }})
	hr, err := x.c.request(ctx, x.req)
	if err != nil {
		x.end(record.Refused, err.Error())
		return
	}
	resp, err := x.c.transport.RoundTrip(hr)
	if err != nil {
		x.broke(ctx, parent, err)
		return
	}
	defer resp.Body.Close()
	x.head(resp)
	switch {
	case resp.StatusCode != http.StatusOK:
		x.refusal(resp)
	case x.kind.Stream:
		x.stream(ctx, parent, resp)
	default:
		x.whole(ctx, parent, resp)
	}
}

// head reads what the answer's header says.
func (x *exchange) head(resp *http.Response) {
	x.rec.Status = resp.StatusCode
	x.rec.Node = clip(resp.Header.Get(openai.HeaderNode), 128)
	if n, err := strconv.Atoi(resp.Header.Get(openai.HeaderAttempts)); err == nil && n > 0 && n < 1000 {
		x.rec.Attempts = n
	}
	f := resp.Header.Get(headerFallback)
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
func (x *exchange) broke(ctx, parent context.Context, err error) {
	cause := context.Cause(ctx)
	if errors.Is(cause, errHungUp) {
		x.end(record.Cancelled, "")
		return
	}
	_, late := errors.AsType[*timeout](cause)
	if !late && parent.Err() != nil {
		x.end(record.Unfinished, "still open when the load generator stopped")
		return
	}
	o, note := classify(ctx, err)
	x.end(o, note)
}

// refusal reads the reason of a status other than 200, bounded, and keeps the connection usable.
func (x *exchange) refusal(resp *http.Response) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	x.c.counts.bytes.Add(uint64(len(body)))
	note := errorText(body)
	if note == "" {
		note = "status " + strconv.Itoa(resp.StatusCode)
	}
	if err != nil {
		note += " (and the error's body broke off)"
	}
	x.end(statusOutcome(resp.StatusCode), note)
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
func (x *exchange) whole(ctx, parent context.Context, resp *http.Response) {
	data, err := x.c.readBody(resp.Body)
	switch {
	case err != nil:
		x.broke(ctx, parent, err)
	case int64(len(data)) > x.c.MaxBody:
		x.end(record.Corrupt, fmt.Sprintf("the answer is longer than %d bytes", x.c.MaxBody))
	case !mediaType(resp, "application/json"):
		x.end(record.Corrupt, "content type "+strconv.Quote(resp.Header.Get("Content-Type"))+" where application/json was due")
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
func mediaType(resp *http.Response, want string) bool {
	got, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	got = strings.TrimSpace(got)
	return got == "" || strings.EqualFold(got, want)
}
