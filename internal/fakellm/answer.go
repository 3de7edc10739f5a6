package fakellm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
)

// answer is one answer on its way. The first write error ends it.
type answer struct {
	w      http.ResponseWriter
	r      *http.Request
	ctl    *http.ResponseController
	script Script
	model  string
	key    synth.Key
	prompt int
	tokens int
	usage  bool
	held   bool // nothing is flushed before the end
	err    error
}

func (a *answer) run(stream bool) {
	if code, ok := statusOf(a.script.Fail); ok {
		fail(a.w, code, "scripted")
		return
	}
	if stream {
		a.stream()
	} else {
		a.whole()
	}
}

// words is the content of the answer, one entry a token, with the scripted damage.
func (a *answer) words() []string {
	words := make([]string, 0, a.tokens+1)
	for i := range a.tokens {
		words = append(words, a.key.Token(i))
	}
	at := min(a.script.After, max(len(words)-1, 0))
	if len(words) == 0 {
		return words
	}
	switch a.script.Fail {
	case FailLose:
		words = append(words[:at], words[at+1:]...)
	case FailRepeat:
		words = append(words[:at+1], words[at:]...)
	case FailWrong:
		words[at] = " WRONG"
	case FailMore:
		words = append(words, a.key.Token(len(words)))
	case FailFewer:
		words = words[:at]
	case FailEmpty:
		words = nil
	}
	return words
}

func (a *answer) whole() {
	a.wait(a.script.TTFT)
	switch a.script.Fail {
	case FailReset, FailClose:
		a.err = abort(a.ctl, a.script.Fail == FailReset)
		return
	case FailStall:
		a.stall()
		return
	case FailError, FailErrorType, FailErrorDone:
		writeJSON(a.w, http.StatusOK, map[string]any{"error": map[string]string{"message": "scripted error"}})
		return
	case FailJSON:
		a.w.Header().Set("Content-Type", "application/json")
		a.print(`{"choices":[`)
		return
	case FailType:
		a.w.Header().Set("Content-Type", "text/html")
		a.print("<html>")
		return
	}
	finish := new("length")
	if a.script.Fail == FailTruncate || a.script.Fail == FailPartial {
		finish = nil
	}
	out := openai.ChatResponse{ID: "fake", Object: "chat.completion", Model: a.model, Choices: []openai.ChatChoice{{
		Message: openai.AnswerMessage{Role: "assistant", Content: strings.Join(a.words(), "")}, FinishReason: finish,
	}}}
	if a.usage && !a.script.NoUsage {
		out.Usage = a.count()
	}
	writeJSON(a.w, http.StatusOK, out)
}

func (a *answer) count() *openai.Usage {
	u := &openai.Usage{PromptTokens: a.prompt, CompletionTokens: len(a.words())}
	if a.script.Fail == FailUsage {
		u.CompletionTokens++
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

func (a *answer) stream() {
	kind := "text/event-stream"
	if a.script.Fail == FailType {
		kind = "text/html"
	}
	a.w.Header().Set("Content-Type", kind)
	if a.script.Role {
		a.chunk(`{"role":"assistant","content":""}`, "null")
		a.chunk(`{}`, "null")
	}
	for range a.script.Reason {
		a.chunk(`{"reasoning_content":"hm"}`, "null")
	}
	words := a.words()
	step := max(a.script.PerChunk, 1)
	for i := 0; i < len(words); i += step {
		if i >= a.script.After && a.strike() {
			return
		}
		switch {
		case i == 0:
			a.wait(a.script.TTFT)
		case !a.script.Burst:
			a.wait(a.script.Gap)
		case i == step:
			a.wait(a.script.Gap)
			a.held = true
		}
		a.chunk(`{"content":`+a.quote(strings.Join(words[i:min(i+step, len(words))], ""))+`}`, "null")
	}
	if a.strike() {
		return
	}
	a.chunk(`{}`, `"length"`)
	if a.script.Fail == FailAfterEnd {
		a.chunk(`{"content":" late"}`, "null")
	}
	if a.usage && !a.script.NoUsage {
		u, _ := json.Marshal(a.count()) // plain numbers always marshal
		a.event(`{"id":"fake","object":"chat.completion.chunk","choices":[],"usage":` + string(u) + `}`)
	}
	if !a.script.NoDone {
		a.event("[DONE]")
	}
}

// strike does what Fail says at this point of a stream; true: the answer is over.
func (a *answer) strike() bool {
	switch a.script.Fail {
	case FailReset, FailClose:
		a.err = abort(a.ctl, a.script.Fail == FailReset)
	case FailStall:
		a.flush()
		a.stall()
	case FailError:
		a.event(`{"error":{"message":"scripted error","type":"server_error"}}`)
	case FailErrorType:
		a.print("event: error" + a.end())
		a.event(`{"message":"scripted error"}`)
	case FailErrorDone:
		a.print("event: error" + a.end())
		a.event(`{"message":"scripted error"}`)
		a.chunk(`{}`, `"length"`)
		a.event("[DONE]")
	case FailTruncate:
	case FailPartial:
		a.print(`data: {"choices":[{"index":0`)
	case FailJSON:
		a.event(`{"choices":[{"index":0,"delta":`)
	case FailTwoChoices:
		a.event(`{"choices":[{"index":1,"delta":{"content":"x"}}]}`)
	default:
		return a.err != nil
	}
	return true
}

func (a *answer) chunk(delta, finish string) {
	if a.script.Comments {
		a.print(": keep-alive" + a.end() + a.end())
	}
	a.event(`{"id":"fake","object":"chat.completion.chunk","created":1,"model":` + a.quote(a.model) +
		`,"choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}`)
}

func (a *answer) event(data string) {
	a.print("data: " + data + a.end() + a.end())
	a.flush()
}

func (a *answer) end() string {
	if a.script.CRLF {
		return "\r\n"
	}
	return "\n"
}

func (a *answer) print(text string) {
	if a.err == nil {
		_, a.err = a.w.Write([]byte(text))
	}
}

func (a *answer) flush() {
	if a.err == nil && !a.held {
		a.err = a.ctl.Flush()
	}
}

// wait sleeps, or ends the answer when the client leaves.
func (a *answer) wait(d time.Duration) {
	if d <= 0 || a.err != nil {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.r.Context().Done():
		a.err = a.r.Context().Err()
	}
}

// stall holds the answer until the client leaves, an hour at most.
func (a *answer) stall() { a.wait(time.Hour) }

func (a *answer) quote(text string) string {
	q, _ := json.Marshal(text) // a string always marshals
	if !a.script.Escaped {
		return string(q)
	}
	var b strings.Builder
	for _, r := range string(q) {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		}
	}
	return b.String()
}
