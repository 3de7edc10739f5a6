package openai

import (
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router"
)

// fullWrite is when content that already waits goes into the next write instead.
const fullWrite = 16 << 10

// stream answers with server-sent events. Nothing is written until the first content (or the
// keep-alive interval has passed): until then a failure still has its own status code.
func (x *exchange) stream() (status int, outcome string) {
	enc := newEncoder(chatID(x.ask.ID), x.ask.Model, x.began.Unix())
	tick := time.NewTimer(x.h.cfg.KeepAlive)
	defer tick.Stop()
	waiting := tick.C // nil once content came
	committed := false
	for {
		chunk, err := x.call.Next(waiting)
		switch {
		case errors.Is(err, router.ErrTick):
			if !committed {
				x.commit()
				committed = true
			}
			enc.keepAlive()
			tick.Reset(x.h.cfg.KeepAlive)
		case err != nil:
			return x.broken(enc, err, committed)
		default:
			if !committed {
				x.headers()
				x.commit()
				committed = true
			}
			if waiting != nil { // the first content, or the end of an empty answer
				waiting = nil
				enc.role()
			}
			x.encode(enc, &chunk)
		}
		if err := x.write(enc); err != nil {
			return statusClientGone, lost(err)
		}
		if chunk.Finish != "" {
			return http.StatusOK, "ok"
		}
	}
}

// encode adds the chunk and whatever else already waits; it never waits for more.
func (x *exchange) encode(enc *encoder, chunk *engine.Chunk) {
	for next, more := *chunk, true; more; next, more = x.call.Ready() {
		if next.Text != "" {
			x.observe(&next)
			enc.content(next.Text)
		}
		if next.Finish != "" {
			enc.finish(next.Finish)
			if x.ask.usage {
				enc.usage(x.ask.PromptTokens, x.call.Tokens())
			}
			enc.done()
			return
		}
		if len(enc.buf) >= fullWrite {
			return
		}
	}
}

func (x *exchange) commit() {
	header := x.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would hold tokens back
	x.w.WriteHeader(http.StatusOK)
}

// write sends the buffer and flushes it. An error means that the client is gone or too slow.
func (x *exchange) write(enc *encoder) error {
	x.armWrite()
	_, err := x.w.Write(enc.buf)
	enc.buf = enc.buf[:0]
	if err != nil {
		return err
	}
	return x.control.Flush()
}

// broken ends a failed stream: with a status while nothing was written, in-band after that.
func (x *exchange) broken(enc *encoder, err error, committed bool) (status int, outcome string) {
	p := x.problem(err)
	switch {
	case p.status == statusClientGone:
		return p.status, p.word()
	case !committed:
		if x.h.cfg.Headers && x.call.Attempts() > 0 {
			x.w.Header().Set(openai.HeaderAttempts, strconv.Itoa(x.call.Attempts()))
		}
		x.armWrite()
		writeProblem(x.w, p)
		return p.status, p.word()
	}
	enc.fault(p.detail())
	if err := x.write(enc); err != nil {
		return statusClientGone, lost(err)
	}
	return http.StatusOK, "error_event"
}

// lost tells a reader that was too slow from one that went away.
func lost(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "slow_reader"
	}
	return "client_cancel"
}
