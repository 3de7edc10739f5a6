package openai

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/refserver/router"
)

// problem is a failed call on its way to the caller.
type problem struct {
	status     int
	code       string // OpenAI's error code
	param      string // the field to blame, "" when none
	text       string // one sentence
	retryAfter time.Duration
	outcome    string // the metric's word; code where empty
	goodbye    bool   // close the connection
}

func (p *problem) word() string {
	if p.outcome != "" {
		return p.outcome
	}
	return p.code
}

func (p *problem) detail() openai.ErrorDetail {
	kind := "invalid_request_error"
	switch {
	case p.status == http.StatusNotFound:
		kind = "not_found_error"
	case p.status >= 500:
		kind = "server_error"
	}
	d := openai.ErrorDetail{Message: p.text, Type: kind}
	if p.param != "" {
		d.Param = &p.param
	}
	if p.code != "" {
		d.Code = &p.code
	}
	return d
}

// invalid is a 400 that blames a field.
func invalid(param, text string) *problem {
	return &problem{status: http.StatusBadRequest, code: "invalid_value", param: param, text: text, outcome: "bad_request"}
}

// problemOf says which status a failed Call has. 503 is the server's capacity, 504 its patience,
// 500 a request that it will not try again; 400 is the caller's.
func problemOf(e *router.Error) *problem {
	p := &problem{text: e.Text, retryAfter: e.RetryAfter}
	switch e.Cause {
	case router.TooLong:
		p.status, p.code, p.param = http.StatusBadRequest, "context_length_exceeded", "messages"
	case router.BadRequest:
		p.status, p.code = http.StatusBadRequest, "bad_request"
	case router.Poisoned:
		p.status, p.code = http.StatusInternalServerError, "poisoned_request"
	case router.Timeout:
		p.status, p.code = http.StatusGatewayTimeout, "timeout"
	case router.NoReplica:
		p.status, p.code = http.StatusServiceUnavailable, "no_replica"
	case router.Overloaded:
		p.status, p.code = http.StatusServiceUnavailable, "overloaded"
	case router.ClientGone:
		// Nobody reads it; 499 is nginx's word for a client that went away, for the metric alone.
		p.status, p.code = statusClientGone, "client_cancel"
	default:
		p.status, p.code = http.StatusServiceUnavailable, "engine_failed"
	}
	return p
}

const statusClientGone = 499

func drainingProblem() *problem {
	return &problem{
		status: http.StatusServiceUnavailable, code: "draining", text: "the server is shutting down; ask another one",
		retryAfter: time.Second, goodbye: true,
	}
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.goodbye {
		w.Header().Set("Connection", "close")
	}
	writeJSON(w, p.status, openai.ErrorBody{Error: p.detail()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // only our own wire structs come here, and they always marshal
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone cannot be told
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // as above
}
