package openai

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router"
)

// chat is POST /v1/chat/completions.
func (h *Handler) chat(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	h.deps.Meter.Began()
	if !h.enter() {
		p := drainingProblem()
		writeProblem(w, p)
		h.deps.Meter.Ended(p.status, p.word())
		return
	}
	defer h.leave()
	status, outcome := http.StatusInternalServerError, "panic"
	defer func() { h.deps.Meter.Ended(status, outcome) }()

	a, p := h.read(w, r)
	if p != nil {
		writeProblem(w, p)
		status, outcome = p.status, p.word()
		return
	}
	a.ID = w.Header().Get(openai.HeaderRequestID)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.force, cancel)()
	give, err := h.workers.take(ctx)
	if err != nil {
		p := h.workerProblem(err)
		if p.status != statusClientGone {
			writeProblem(w, p)
		}
		status, outcome = p.status, p.word()
		return
	}
	defer give()
	call := h.deps.Router.Open(ctx, a.Request)
	defer call.Close()
	x := &exchange{h: h, w: w, call: call, ask: a, began: began, last: began, control: http.NewResponseController(w)}
	if a.stream {
		status, outcome = x.stream()
	} else {
		status, outcome = x.whole()
	}
}

// exchange is one request and its answer.
type exchange struct {
	h       *Handler
	w       http.ResponseWriter
	control *http.ResponseController
	call    *router.Call
	ask     ask
	began   time.Time
	last    time.Time // of the newest content
	spoke   bool      // content came
	writing time.Time // the present write deadline
}

// observe books one piece of content.
func (x *exchange) observe(chunk *engine.Chunk) {
	now := time.Now()
	if x.spoke {
		x.h.deps.Meter.NextToken(now.Sub(x.last))
	} else {
		x.spoke = true
		x.h.deps.Meter.FirstToken(now.Sub(x.began), x.ask.PromptTokens)
	}
	x.last = now
	x.h.deps.Meter.Generated(chunk.Tokens)
}

// headers says where the answer came from, once that is known and before anything is written.
func (x *exchange) headers() {
	if x.h.draining.Load() {
		x.w.Header().Set("Connection", "close")
	}
	if !x.h.cfg.Headers || x.call.Node() == "" {
		return
	}
	x.w.Header().Set(openai.HeaderNode, x.call.Node())
	x.w.Header().Set(openai.HeaderAttempts, strconv.Itoa(x.call.Attempts()))
}

// problem is what the caller hears of a failed call.
func (x *exchange) problem(err error) *problem {
	e, ok := errors.AsType[*router.Error](err)
	if !ok {
		e = &router.Error{Cause: router.Failed, Text: err.Error()}
	}
	if e.Cause == router.ClientGone && x.h.force.Err() != nil {
		return drainingProblem()
	}
	return problemOf(e)
}

// whole answers with one JSON body.
func (x *exchange) whole() (status int, outcome string) {
	var text strings.Builder
	for {
		chunk, err := x.call.Next(nil)
		if err != nil {
			p := x.problem(err)
			if p.status == statusClientGone {
				return p.status, p.word()
			}
			if x.call.Attempts() > 0 && x.h.cfg.Headers {
				x.w.Header().Set(openai.HeaderAttempts, strconv.Itoa(x.call.Attempts()))
			}
			x.armWrite()
			writeProblem(x.w, p)
			return p.status, p.word()
		}
		if chunk.Text != "" {
			x.observe(&chunk)
			text.WriteString(chunk.Text)
		}
		if chunk.Finish == "" {
			continue
		}
		x.headers()
		x.armWrite()
		finish := string(chunk.Finish)
		prompt, completion := x.ask.PromptTokens, x.call.Tokens()
		writeJSON(x.w, http.StatusOK, openai.ChatResponse{
			ID: chatID(x.ask.ID), Object: "chat.completion", Created: x.began.Unix(), Model: x.ask.Model,
			Choices: []openai.ChatChoice{{
				Message:      openai.AnswerMessage{Role: "assistant", Content: text.String()},
				FinishReason: &finish,
			}},
			Usage: &openai.Usage{PromptTokens: prompt, CompletionTokens: completion, TotalTokens: prompt + completion},
		})
		return http.StatusOK, "ok"
	}
}

func chatID(requestID string) string { return "chatcmpl-" + requestID }

// armWrite bounds the writes that follow. The deadline moves only when a quarter of it is used up:
// setting it costs more than the clock.
func (x *exchange) armWrite() {
	limit := x.h.cfg.WriteTimeout
	now := time.Now()
	if x.writing.Sub(now) > limit*3/4 {
		return
	}
	x.writing = now.Add(limit)
	// Only a recorder in a test has no deadlines.
	_ = x.control.SetWriteDeadline(x.writing)
}
