// Package openai serves the OpenAI API: chat completions (whole and streamed), models, health.
// It decodes, validates, encodes and streams; what happens to a request is the router's.
//
// What may not live here: retry policy, engines, limits, administration.
package openai

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router"
)

// Router opens requests.
type Router interface {
	Open(ctx context.Context, req engine.Request) *router.Call
}

// Pool is what the API must know of the replicas.
type Pool interface {
	Models() []string
	Ready() bool
	RetryAfter(model string, now time.Time) time.Duration
}

// Meter counts. Implementations may not block; NextToken and Generated may not allocate.
type Meter interface {
	Began()
	Ended(code int, outcome string)
	FirstToken(d time.Duration, promptTokens int)
	NextToken(gap time.Duration)
	Generated(tokens int)
}

// Deps is what a Handler works with. All are required.
type Deps struct {
	Router Router
	Pool   Pool
	Meter  Meter
	Log    *slog.Logger
}

// Handler is the API. Safe for concurrent use.
type Handler struct {
	cfg     Config
	deps    Deps
	created int64
	mux     *http.ServeMux
	workers *workers

	inFlight atomic.Int64
	draining atomic.Bool
	idle     chan struct{} // gets a value when a drained handler may have become idle
	force    context.Context
	cut      context.CancelFunc
}

// New builds the API. cfg must be valid.
func New(cfg Config, deps Deps) *Handler {
	h := &Handler{cfg: cfg, deps: deps, created: time.Now().Unix(), mux: http.NewServeMux(), workers: newWorkers(cfg.Workers, cfg.Backlog), idle: make(chan struct{}, 1)}
	h.force, h.cut = context.WithCancel(context.Background())
	h.mux.HandleFunc("/v1/chat/completions", only(http.MethodPost, h.chat))
	h.mux.HandleFunc("/v1/models", only(http.MethodGet, h.models))
	h.mux.HandleFunc("/healthz", only(http.MethodGet, h.live))
	h.mux.HandleFunc("/readyz", only(http.MethodGet, h.ready))
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, &problem{status: http.StatusNotFound, code: "not_found", text: "there is no " + clip(r.URL.Path) + " here"})
	})
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A deadline that an earlier response left on this connection must not end this one.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		h.deps.Log.Debug("write deadline", "error", err)
	}
	w.Header().Set(openai.HeaderRequestID, requestID(r.Header.Get(openai.HeaderRequestID)))
	h.mux.ServeHTTP(w, r)
}

// InFlight is how many chat requests are inside.
func (h *Handler) InFlight() int { return int(h.inFlight.Load()) }

// Draining reports whether Drain was called.
func (h *Handler) Draining() bool { return h.draining.Load() }

// Drain turns readiness off and refuses new requests, waits until those inside have finished, and
// when ctx ends first breaks the rest with an explicit error each (never a silent truncation).
// It returns how many had to be broken.
func (h *Handler) Drain(ctx context.Context) int {
	h.draining.Store(true)
	for h.inFlight.Load() > 0 {
		select {
		case <-h.idle:
		case <-ctx.Done():
			left := int(h.inFlight.Load())
			h.cut()
			grace := time.NewTimer(h.cfg.WriteTimeout)
			defer grace.Stop()
			for h.inFlight.Load() > 0 {
				select {
				case <-h.idle:
				case <-grace.C:
					return left
				}
			}
			return left
		}
	}
	return 0
}

// enter counts a request in; false while draining. The counter goes up before the flag is read, so
// that Drain sees every request it did not refuse.
func (h *Handler) enter() bool {
	h.inFlight.Add(1)
	if h.draining.Load() {
		h.leave()
		return false
	}
	return true
}

func (h *Handler) leave() {
	if h.inFlight.Add(-1) == 0 {
		select {
		case h.idle <- struct{}{}:
		default:
		}
	}
}

func (h *Handler) live(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") }

func (h *Handler) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case h.draining.Load():
		writeText(w, http.StatusServiceUnavailable, "draining\n")
	case !h.deps.Pool.Ready():
		writeText(w, http.StatusServiceUnavailable, "no replica is ready\n")
	default:
		writeText(w, http.StatusOK, "ok\n")
	}
}

func (h *Handler) models(w http.ResponseWriter, _ *http.Request) {
	list := openai.ModelList{Object: "list", Data: []openai.Model{}}
	for _, name := range h.deps.Pool.Models() {
		list.Data = append(list.Data, openai.Model{ID: name, Object: "model", Created: h.created, OwnedBy: "brownout"})
	}
	writeJSON(w, http.StatusOK, list)
}

func only(method string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			writeProblem(w, &problem{
				status: http.StatusMethodNotAllowed, code: "method_not_allowed",
				text: clip(r.URL.Path) + " takes " + method + ", not " + clip(r.Method),
			})
			return
		}
		next(w, r)
	}
}
