package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/reports/record"
)

// stream reads a streamed answer until it is decided, then to its end so that the connection can
// be used again. A corrupt or failed stream is given up at once: its end is when it went wrong.
func (x *exchange) stream(parent context.Context, resp answer) {
	if !mediaType(resp, "text/event-stream") {
		x.notAStream(parent, resp)
		return
	}
	r := x.c.readers.Get().(*openai.EventReader)
	r.Reset(resp)
	defer func() {
		x.c.counts.bytes.Add(r.Bytes())
		x.c.counts.chunks.Add(uint64(x.rec.Chunks))
		x.c.counts.chunkReads.Add(x.chunkReads)
		r.Reset(http.NoBody) // the pool must not hold on to the connection
		x.c.readers.Put(r)
	}()
	for {
		ev, err := r.Next()
		switch {
		case err == nil:
			x.event(ev)
			if o := x.rec.Outcome; o != record.Unset && o != record.OK && o != record.Degraded {
				return
			}
		case x.done: // decided: whatever comes after [DONE] only costs the connection
			return
		case errors.Is(err, io.EOF):
			if !x.finished && r.Partial() {
				x.end(record.Truncated, "the stream ended inside an event")
			}
			x.complete(x.c.Clock.Now())
			return
		case errors.Is(err, openai.ErrEventTooLarge):
			x.end(record.Corrupt, fmt.Sprintf("an event is longer than %d bytes", x.c.MaxBody))
			return
		default:
			x.broke(parent, err)
			return
		}
	}
}

// notAStream decides on a 200 that is no event stream.
func (x *exchange) notAStream(parent context.Context, resp answer) {
	data, err := x.c.readBody(resp)
	if err != nil {
		x.broke(parent, err)
		return
	}
	if c, err := decodeAny(data); err == nil && c.serverErr != nil {
		x.end(record.ErrorEvent, errorText(data))
		return
	}
	x.end(record.Corrupt, "content type "+strconv.Quote(resp.Header("Content-Type"))+" where text/event-stream was due")
}

// event takes one event of the stream.
func (x *exchange) event(ev openai.Event) {
	if x.done {
		return
	}
	data := bytes.TrimSpace(ev.Data)
	if string(data) == "[DONE]" {
		x.done = true
		x.complete(ev.At)
		return
	}
	if len(data) == 0 {
		return
	}
	if string(ev.Type) == "error" {
		x.endAt(ev.At, record.ErrorEvent, orText(errorText(data), "an error event"))
		return
	}
	c, err := x.mould.decode(data)
	if err != nil {
		x.endAt(ev.At, record.Corrupt, err.Error())
		return
	}
	if c.serverErr != nil {
		x.endAt(ev.At, record.ErrorEvent, orText(errorText(data), "an error event"))
		return
	}
	x.take(&c, ev)
}

// take counts, times and checks one chunk. It runs once a token and allocates nothing but the
// growth of gaps, which are reused.
func (x *exchange) take(c *chunk, ev openai.Event) {
	if c.usage {
		x.usage = true
		x.rec.PromptTokens, x.rec.OutputTokens, x.rec.TokensBy = c.prompt, c.output, record.TokensByUsage
		x.watch.progress(ev.At)
	}
	if c.choices > 0 && c.index != 0 {
		x.endAt(ev.At, record.Corrupt, fmt.Sprintf("choice %d, which was not asked for", c.index))
		return
	}
	if c.content() {
		if x.finished {
			x.endAt(ev.At, record.Corrupt, "content after the finish reason")
			return
		}
		if x.rec.Streaming {
			x.stamp(ev)
		}
		if x.req.OnText != nil && len(c.text) > 0 {
			x.req.OnText(c.text)
		}
		if note := x.model.take(c, x.exact); note != "" {
			x.endAt(ev.At, record.Corrupt, note)
			return
		}
		if !c.finished {
			x.hangUpNow(ev)
		}
	}
	if c.finished {
		x.finished = true
		x.watch.progress(ev.At)
	}
}

// stamp times one content chunk.
func (x *exchange) stamp(ev openai.Event) {
	if ev.Read != x.lastRead {
		x.lastRead = ev.Read
		x.chunkReads++
	}
	x.rec.Chunks++
	if !x.usage {
		x.rec.OutputTokens = x.rec.Chunks
	}
	if x.rec.First == 0 {
		x.rec.First = ev.At
		x.watch.first(ev.At)
	} else {
		gap := ev.At.Sub(x.rec.Last)
		x.gaps = append(x.gaps, gap)
		x.rec.MaxGap = max(x.rec.MaxGap, gap)
		if limit := x.kind.limits.Gap; limit > 0 && gap > limit && x.gapExceeded == 0 {
			x.gapExceeded = x.rec.Last.Add(limit)
		}
		x.watch.progress(ev.At)
	}
	x.rec.Last = ev.At
}
