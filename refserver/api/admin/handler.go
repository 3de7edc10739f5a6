// Package admin serves the admin listener: state, events, metrics and the plain control surface
// of package internal/admin, which names the routes and bodies.
//
// What may not live here: what the controls do, metrics themselves, anything of the public API.
package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Control is what the control calls do. node and gpu are ids such as "n2" and "g1".
type Control interface {
	Hold(node, gpu string, r admin.HoldRequest) (admin.Holding, error)
	Release(node, gpu, id string) (admin.Holding, error)
	Throttle(node, gpu string, r admin.ThrottleRequest) (admin.Throttle, error)
	Unthrottle(node, gpu, id string) (admin.Throttle, error)
	Probe(node, gpu string, r admin.ProbeRequest) (admin.ProbeAnswer, error)
	Restart(node, gpu string) (admin.Replica, error)
}

// Events is the log that the event routes read.
type Events interface {
	Since(seq uint64) (events []event.Event, dropped uint64, more <-chan struct{})
}

// Deps is what a Handler works with. Control and Nodes may be nil: then their routes do not exist.
type Deps struct {
	Token   string // "" lets everybody read; control then stays off
	Clock   *event.Clock
	Events  Events
	State   func() admin.State
	Rate    func(prompt, output int) (all, minus1 float64) // the timing model's saturation
	Metrics http.Handler
	Control Control
	Nodes   Nodes
	Status  func(error) int // the HTTP status of an error of Control or Nodes
	// Done ends event followers: an open stream would hold up a shutdown.
	Done <-chan struct{}
}

// Handler serves the admin routes. Safe for concurrent use.
type Handler struct {
	deps  Deps
	token [sha256.Size]byte
	mux   *http.ServeMux
}

// Limits of what a caller may send or ask.
const (
	maxBody   = 64 << 10
	maxTokens = 1 << 20
	writeTime = 10 * time.Second
)

// New builds the handler.
func New(deps Deps) *Handler {
	h := &Handler{deps: deps, token: sha256.Sum256([]byte(deps.Token)), mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /admin/clock", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, deps.Clock.Read()) })
	h.mux.HandleFunc("GET /admin/state", h.guarded(h.state))
	h.mux.HandleFunc("GET /admin/events", h.guarded(h.events))
	h.mux.HandleFunc("GET /metrics", h.guarded(deps.Metrics.ServeHTTP))
	if deps.Control != nil && deps.Token != "" {
		h.mux.HandleFunc("POST /admin/control/gpus/{node}/{gpu}/holdings", h.guarded(h.hold))
		h.mux.HandleFunc("DELETE /admin/control/gpus/{node}/{gpu}/holdings/{id}", h.guarded(h.release))
		h.mux.HandleFunc("POST /admin/control/gpus/{node}/{gpu}/throttles", h.guarded(h.throttle))
		h.mux.HandleFunc("DELETE /admin/control/gpus/{node}/{gpu}/throttles/{id}", h.guarded(h.unthrottle))
		h.mux.HandleFunc("POST /admin/control/gpus/{node}/{gpu}/probe", h.guarded(h.probe))
		h.mux.HandleFunc("POST /admin/control/replicas/{node}/{gpu}/restart", h.guarded(h.restart))
	}
	h.nodeRoutes()
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, r.Method+" "+r.URL.Path+" does not exist here; control calls need control: true and a token")
	})
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// guarded wants the token where one is configured. Digests are compared, so that neither content
// nor length of the token shows in the time it takes.
func (h *Handler) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		digest := sha256.Sum256([]byte(given))
		if h.deps.Token != "" && subtle.ConstantTimeCompare(digest[:], h.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "send the admin token as Authorization: Bearer")
			return
		}
		next(w, r)
	}
}

func (h *Handler) state(w http.ResponseWriter, r *http.Request) {
	state := h.deps.State()
	prompt, output := r.URL.Query().Get("prompt"), r.URL.Query().Get("output")
	if prompt != "" || output != "" {
		p, errP := strconv.Atoi(prompt)
		o, errO := strconv.Atoi(output)
		if errP != nil || errO != nil || p < 1 || o < 1 || p > maxTokens || o > maxTokens {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("prompt and output must both be numbers from 1 to %d", maxTokens))
			return
		}
		state.Saturation, state.SaturationMinus1 = h.deps.Rate(p, o)
	}
	answer(w, http.StatusOK, state)
}

func (h *Handler) hold(w http.ResponseWriter, r *http.Request) {
	var req admin.HoldRequest
	if !decode(w, r, &req) {
		return
	}
	holding, err := h.deps.Control.Hold(r.PathValue("node"), r.PathValue("gpu"), req)
	h.reply(w, http.StatusCreated, holding, err)
}

func (h *Handler) release(w http.ResponseWriter, r *http.Request) {
	holding, err := h.deps.Control.Release(r.PathValue("node"), r.PathValue("gpu"), r.PathValue("id"))
	h.reply(w, http.StatusOK, holding, err)
}

func (h *Handler) probe(w http.ResponseWriter, r *http.Request) {
	var req admin.ProbeRequest
	if !decode(w, r, &req) {
		return
	}
	probe, err := h.deps.Control.Probe(r.PathValue("node"), r.PathValue("gpu"), req)
	h.reply(w, http.StatusOK, probe, err)
}

func (h *Handler) restart(w http.ResponseWriter, r *http.Request) {
	replica, err := h.deps.Control.Restart(r.PathValue("node"), r.PathValue("gpu"))
	h.reply(w, http.StatusAccepted, replica, err)
}

func (h *Handler) reply(w http.ResponseWriter, status int, body any, err error) {
	if err != nil {
		refuse(w, h.deps.Status(err), err.Error())
		return
	}
	answer(w, status, body)
}

// decode reads a strict JSON body; an empty one is the zero value.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return true
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody))
		return false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "the body is not the JSON wanted: "+err.Error())
		return false
	}
	if d.More() {
		refuse(w, http.StatusBadRequest, "the body holds more than one JSON value")
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, admin.Error{Error: text})
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a NaN in a state: ours to mend, and better said than half-sent
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer could not be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone cannot be told
}
