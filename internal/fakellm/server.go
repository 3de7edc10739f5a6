package fakellm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
)

// HeaderScript carries a Script for one request.
const HeaderScript = "x-fakellm"

// Server answers by script. Its zero value answers properly.
type Server struct {
	Default Script
	// Pick chooses the script by the request's ordinal, from 0, where no header does; nil = Default.
	Pick func(n uint64) Script
	// Slots is how many answers are made at once; the rest wait in the order they came. 0 = all. With answers
	// that take d each, the server bears Slots/d requests/s, exactly.
	Slots int
	// Seen is shown every chat completion as it came; calls may overlap. nil = nobody looks.
	Seen func(r *http.Request, body []byte)

	requests atomic.Uint64
	open     atomic.Int64
	once     sync.Once
	slots    chan struct{} // nil without Slots
	within   func(d int64) // told +1 and −1 around each answer; nil but in tests
}

// Requests is how many chat completions were asked for.
func (s *Server) Requests() uint64 { return s.requests.Load() }

// Open is how many of them are being answered now.
func (s *Server) Open() int64 { return s.open.Load() }

// Listen serves on a loopback port until stop is called; url has no trailing slash.
func (s *Server) Listen() (url string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	return "http://" + l.Addr().String(), s.Serve(l), nil
}

// Serve serves on l until stop is called.
func (s *Server) Serve(l net.Listener) (stop func()) {
	h := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.Serve(l) }() // ends with ErrServerClosed on stop
	return func() { h.Close() }
}

// ServeHTTP implements /v1/chat/completions and /v1/models.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/v1/models":
		writeJSON(w, http.StatusOK, openai.ModelList{Object: "list", Data: []openai.Model{{ID: "fake", Object: "model", OwnedBy: "fakellm"}}})
	case r.Method == http.MethodPost && r.URL.Path == "/v1/chat/completions":
		s.open.Add(1)
		defer s.open.Add(-1)
		s.chat(w, r, s.requests.Add(1)-1)
	default:
		fail(w, http.StatusNotFound, "no such path")
	}
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request, n uint64) {
	script, err := s.script(r, n)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
	if err != nil {
		fail(w, http.StatusBadRequest, "the body cannot be read: "+err.Error())
		return
	}
	if s.Seen != nil {
		s.Seen(r, body)
	}
	var req openai.ChatRequest
	if err := json.Unmarshal(body, &req); err != nil {
		fail(w, http.StatusBadRequest, "the body is no chat completion: "+err.Error())
		return
	}
	prompt, err := openai.FlattenPrompt(req.Messages)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a := answer{
		w: w, r: r, script: script, model: req.Model, usage: !req.Stream || (req.StreamOptions != nil && req.StreamOptions.IncludeUsage),
		key: synth.AnswerKey(req.Model, prompt, value(req.Seed)), prompt: synth.Count(prompt), tokens: length(&req, script),
		ctl: http.NewResponseController(w),
	}
	w.Header().Set(openai.HeaderNode, cmp.Or(script.Node, "fake/g0"))
	w.Header().Set(openai.HeaderAttempts, "1")
	if script.Fallback {
		w.Header().Set("x-brownout-fallback", "cache")
	}
	if !s.enter(r) {
		return
	}
	defer s.leave()
	if s.within != nil {
		s.within(1)
		defer s.within(-1)
	}
	a.run(req.Stream)
}

// enter waits for a slot; false when the client left first.
func (s *Server) enter(r *http.Request) bool {
	s.once.Do(func() {
		if s.Slots > 0 {
			s.slots = make(chan struct{}, s.Slots)
		}
	})
	if s.slots == nil {
		return true
	}
	select {
	case s.slots <- struct{}{}:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *Server) leave() {
	if s.slots != nil {
		<-s.slots
	}
}

func (s *Server) script(r *http.Request, n uint64) (Script, error) {
	if text := r.Header.Get(HeaderScript); text != "" {
		return ParseScript(text)
	}
	if s.Pick != nil {
		return s.Pick(n), nil
	}
	return s.Default, nil
}

func length(req *openai.ChatRequest, s Script) int {
	const most = 1 << 16
	switch {
	case s.Tokens > 0:
		return min(s.Tokens, most)
	case req.MaxTokens != nil:
		return min(max(*req.MaxTokens, 0), most)
	}
	return 16
}

func value(p *uint64) uint64 {
	if p == nil {
		return 0
	}
	return *p
}

func fail(w http.ResponseWriter, code int, message string) {
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, code, openai.ErrorBody{Error: openai.ErrorDetail{Message: message, Type: "fakellm"}})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a client that left needs no answer
}

var errBroken = errors.New("the script broke the connection")

// abort ends the connection without an HTTP ending; hard sends a reset where the transport has one.
func abort(ctl *http.ResponseController, hard bool) error {
	_ = ctl.Flush() // what was written before counts
	conn, _, err := ctl.Hijack()
	if err != nil {
		return err
	}
	if tcp, ok := conn.(*net.TCPConn); ok && hard {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	return errBroken
}

func statusOf(failWord string) (code int, ok bool) {
	text, ok := strings.CutPrefix(failWord, FailStatus+"=")
	if !ok {
		return 0, false
	}
	code, err := strconv.Atoi(text)
	return code, err == nil
}
