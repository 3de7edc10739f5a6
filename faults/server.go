package faults

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/brownout-dev/brownout/internal/event"
)

// Holder is what the API stands before: faults/agent.
type Holder interface {
	Clock() event.Reading
	Kinds() []KindInfo
	Targets(ctx context.Context) (map[string][]string, error)
	// Check resolves the selector and injects nothing.
	Check(ctx context.Context, req InjectRequest) ([]string, error)
	// Inject returns when the fault is proven or known as unproven, or, with a ramp, when
	// ProveWithin has passed; ctx ending earlier clears the fault.
	Inject(ctx context.Context, req InjectRequest) (Held, error)
	Renew(ctx context.Context, id string, req RenewRequest) (Held, error)
	Clear(ctx context.Context, id string) (Held, error)
	StopAll(ctx context.Context) []Held
	Get(id string) (Held, error)
	List() []Held
	Journal() ([]Entry, error)
}

// maxRequest bounds a request body, in bytes.
const maxRequest = 64 << 10

// NewServer is the HTTP API over a holder. The token may not be empty: nobody injects faults unnamed.
func NewServer(h Holder, token string) (http.Handler, error) {
	if token == "" {
		return nil, errors.New("the fault API needs a token: set one in the environment of the process")
	}
	s := &server{holder: h, token: sha256.Sum256([]byte(token))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults/clock", s.clock)
	mux.HandleFunc("GET /faults/kinds", s.kinds)
	mux.HandleFunc("GET /faults/targets", s.targets)
	mux.HandleFunc("GET /faults/journal", s.journal)
	mux.HandleFunc("GET /faults", s.list)
	mux.HandleFunc("POST /faults", s.inject)
	mux.HandleFunc("POST /faults/check", s.check)
	mux.HandleFunc("POST /faults/stop-all", s.stopAll)
	mux.HandleFunc("GET /faults/{id}", s.get)
	mux.HandleFunc("DELETE /faults/{id}", s.clear)
	mux.HandleFunc("POST /faults/{id}/renew", s.renew)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, Error{Error: fmt.Sprintf("the fault API has no %s %s", r.Method, r.URL.Path)})
	})
	return s.authenticated(mux), nil
}

type server struct {
	holder Holder
	token  [sha256.Size]byte // hashed, so that comparing takes the same time for every length
}

func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		hash := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(hash[:], s.token[:]) != 1 || !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="faults"`)
			answer(w, http.StatusUnauthorized, Error{Error: "the fault API wants its token: send 'Authorization: Bearer …' with the token the holder was started with"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		next.ServeHTTP(w, r)
	})
}

func (s *server) clock(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.holder.Clock())
}

func (s *server) kinds(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.holder.Kinds())
}

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.holder.List())
}

func (s *server) targets(w http.ResponseWriter, r *http.Request) {
	targets, err := s.holder.Targets(r.Context())
	reply(w, http.StatusOK, targets, err)
}

func (s *server) journal(w http.ResponseWriter, _ *http.Request) {
	entries, err := s.holder.Journal()
	reply(w, http.StatusOK, entries, err)
}

func (s *server) get(w http.ResponseWriter, r *http.Request) {
	held, err := s.holder.Get(r.PathValue("id"))
	reply(w, http.StatusOK, held, err)
}

func (s *server) inject(w http.ResponseWriter, r *http.Request) {
	var req InjectRequest
	if err := decode(r.Body, &req); err != nil {
		fail(w, err)
		return
	}
	held, err := s.holder.Inject(r.Context(), req)
	reply(w, http.StatusCreated, held, err)
}

func (s *server) check(w http.ResponseWriter, r *http.Request) {
	var req InjectRequest
	if err := decode(r.Body, &req); err != nil {
		fail(w, err)
		return
	}
	targets, err := s.holder.Check(r.Context(), req)
	reply(w, http.StatusOK, targets, err)
}

func (s *server) renew(w http.ResponseWriter, r *http.Request) {
	var req RenewRequest
	if err := decode(r.Body, &req); err != nil {
		fail(w, err)
		return
	}
	held, err := s.holder.Renew(r.Context(), r.PathValue("id"), req)
	reply(w, http.StatusOK, held, err)
}

func (s *server) clear(w http.ResponseWriter, r *http.Request) {
	held, err := s.holder.Clear(r.Context(), r.PathValue("id"))
	reply(w, http.StatusOK, held, err)
}

func (s *server) stopAll(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, s.holder.StopAll(r.Context()))
}

func decode(body io.Reader, into any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return fmt.Errorf("%w: its body is longer than %d bytes", ErrRequest, tooLong.Limit)
		}
		return fmt.Errorf("%w: its body is not the JSON this call takes (%w)", ErrRequest, err)
	}
	if d.More() {
		return fmt.Errorf("%w: there is more than one JSON value in its body", ErrRequest)
	}
	return nil
}

func reply(w http.ResponseWriter, code int, body any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, code, body)
}

func fail(w http.ResponseWriter, err error) {
	answer(w, status(err), Error{Error: err.Error()})
}

// status maps the reasons of errors.go.
func status(err error) int {
	if _, ok := errors.AsType[*SyntaxError](err); ok {
		return http.StatusBadRequest
	}
	for _, row := range []struct {
		reason error
		code   int
	}{
		{ErrNoMatch, http.StatusNotFound},
		{ErrUnknown, http.StatusNotFound},
		{ErrTooWide, http.StatusConflict},
		{ErrConflict, http.StatusConflict},
		{ErrEnded, http.StatusGone},
		{ErrUnsupported, http.StatusBadRequest},
		{ErrRequest, http.StatusBadRequest},
		{ErrDriver, http.StatusBadGateway},
		{ErrStopping, http.StatusServiceUnavailable},
		{ErrFull, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, row.reason) {
			return row.code
		}
	}
	return http.StatusInternalServerError
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	// A caller that hung up meanwhile learns the outcome from GET /faults or the journal.
	_ = json.NewEncoder(w).Encode(body)
}
