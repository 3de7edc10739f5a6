package openai

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// ask is one validated chat request.
type ask struct {
	engine.Request
	stream, usage bool
}

// read takes the body off r, bounded, and validates it.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (ask, *problem) {
	// Bounded here and not by the http.Server: its ReadTimeout would also end a stream that is
	// still being answered. Only a recorder in a test has no deadlines.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.cfg.ReadTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.cfg.MaxBody))
	_ = control.SetReadDeadline(time.Time{})
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return ask{}, &problem{
			status: http.StatusRequestEntityTooLarge, code: "too_large",
			text: fmt.Sprintf("the body is larger than %d bytes; send a shorter conversation", tooLarge.Limit), goodbye: true,
		}
	}
	if err != nil {
		return ask{}, &problem{status: http.StatusBadRequest, code: "bad_request", goodbye: true, text: "the body could not be read to its end"}
	}
	return h.parse(body)
}

// parse reads and validates a body. It is a pure function of body, the config and the models served.
func (h *Handler) parse(body []byte) (ask, *problem) {
	var req openai.ChatRequest
	if err := json.Unmarshal(body, &req); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return ask{}, invalid(wrong.Field, fmt.Sprintf("%s cannot be %s", wrong.Field, article(wrong.Value)))
		}
		return ask{}, &problem{status: http.StatusBadRequest, code: "bad_json", text: "the body is not a JSON object: " + clip(err.Error()), outcome: "bad_request"}
	}
	if p := unsupported(&req); p != nil {
		return ask{}, p
	}
	a := ask{stream: req.Stream, usage: req.StreamOptions != nil && req.StreamOptions.IncludeUsage}
	a.IgnoreEOS, a.Model = req.IgnoreEOS, req.Model
	if req.Seed != nil {
		a.Seed = *req.Seed
	}
	if p := h.lengths(&req, &a); p != nil {
		return ask{}, p
	}
	var p *problem
	if a.Stop, p = stops(req.Stop); p != nil {
		return ask{}, p
	}
	if req.Model == "" {
		return ask{}, invalid("model", "model is missing; GET /v1/models lists what is served")
	}
	if !slices.Contains(h.deps.Pool.Models(), req.Model) {
		return ask{}, &problem{
			status: http.StatusNotFound, code: "model_not_found", param: "model",
			text: fmt.Sprintf("the model %q is not served here; GET /v1/models lists what is", clip(req.Model)),
		}
	}
	return a, nil
}

func (h *Handler) lengths(req *openai.ChatRequest, a *ask) *problem {
	if len(req.Messages) == 0 || len(req.Messages) > h.cfg.MaxMessages {
		return invalid("messages", fmt.Sprintf("messages must hold 1 to %d entries, not %d", h.cfg.MaxMessages, len(req.Messages)))
	}
	for i, m := range req.Messages {
		switch m.Role {
		case "system", "developer", "user", "assistant":
		default:
			return invalid("messages", fmt.Sprintf("messages[%d].role is %q; it must be system, developer, user or assistant", i, clip(m.Role)))
		}
	}
	prompt, err := openai.FlattenPrompt(req.Messages)
	if err != nil {
		return invalid("messages", err.Error())
	}
	a.Prompt, a.PromptTokens = prompt, max(1, synth.Count(prompt))
	name, asked := "max_tokens", req.MaxTokens
	if req.MaxCompletionTokens != nil {
		name, asked = "max_completion_tokens", req.MaxCompletionTokens
	}
	a.MaxTokens = h.cfg.DefaultMaxTokens
	if asked != nil {
		a.MaxTokens = *asked
	}
	if a.MaxTokens < 1 || a.MaxTokens > h.cfg.MaxTokens {
		return invalid(name, fmt.Sprintf("%s must be between 1 and %d, not %d", name, h.cfg.MaxTokens, a.MaxTokens))
	}
	return nil
}

// unsupported refuses what would change the answer and cannot be honoured: to ignore it would be a lie.
func unsupported(req *openai.ChatRequest) *problem {
	refuse := func(param, text string) *problem {
		return &problem{status: http.StatusBadRequest, code: "unsupported_parameter", param: param, text: text, outcome: "bad_request"}
	}
	switch {
	case req.N != nil && *req.N != 1:
		return refuse("n", fmt.Sprintf("n is %d; only 1 answer per request is supported", *req.N))
	case given(req.Tools) && string(req.Tools) != "[]":
		return refuse("tools", "tools are not supported")
	case req.Logprobs != nil && *req.Logprobs:
		return refuse("logprobs", "logprobs are not supported")
	case given(req.ResponseFormat) && !isText(req.ResponseFormat):
		return refuse("response_format", `response_format must be absent or {"type":"text"}; others are not supported`)
	case req.PresencePenalty != nil && *req.PresencePenalty != 0:
		return refuse("presence_penalty", "presence_penalty must be 0; penalties are not supported")
	case req.FrequencyPenalty != nil && *req.FrequencyPenalty != 0:
		return refuse("frequency_penalty", "frequency_penalty must be 0; penalties are not supported")
	case req.Temperature != nil && (*req.Temperature < 0 || *req.Temperature > 2):
		return invalid("temperature", "temperature must be between 0 and 2")
	case req.TopP != nil && (*req.TopP <= 0 || *req.TopP > 1):
		return invalid("top_p", "top_p must be above 0 and at most 1")
	case req.StreamOptions != nil && !req.Stream:
		return invalid("stream_options", "stream_options needs stream: true")
	}
	return nil
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func isText(raw json.RawMessage) bool {
	var f struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(raw, &f) == nil && f.Type == "text"
}

// Stop strings are matched token by token, so their number and length are bounded.
const (
	maxStops    = 4
	maxStopSize = 256
)

func stops(raw json.RawMessage) ([]string, *problem) {
	if !given(raw) {
		return nil, nil
	}
	var list []string
	var one string
	if json.Unmarshal(raw, &one) == nil {
		list = []string{one}
	} else if json.Unmarshal(raw, &list) != nil {
		return nil, invalid("stop", "stop must be a string or a list of strings")
	}
	if len(list) > maxStops {
		return nil, invalid("stop", fmt.Sprintf("stop holds %d strings; %d are allowed", len(list), maxStops))
	}
	for i, s := range list {
		if s == "" || len(s) > maxStopSize {
			return nil, invalid("stop", fmt.Sprintf("stop[%d] must have 1 to %d bytes, not %d", i, maxStopSize, len(s)))
		}
	}
	return list, nil
}

func article(jsonType string) string {
	if jsonType == "array" || jsonType == "object" {
		return "an " + jsonType
	}
	return "a " + jsonType
}

// clip keeps what a caller wrote from filling an error.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// requestID is the caller's id where it may stand in headers, events and JSON as it is, else a new one.
func requestID(theirs string) string {
	ok := len(theirs) > 0 && len(theirs) <= 128
	for i := 0; ok && i < len(theirs); i++ {
		c := theirs[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._:/-", c) >= 0
	}
	if ok {
		return theirs
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
