package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
)

// holder answers every call with err or with something that names the call.
type holder struct {
	err  error
	seen []string
}

func (h *holder) saw(format string, args ...any) error {
	h.seen = append(h.seen, fmt.Sprintf(format, args...))
	return h.err
}
func (h *holder) Clock() event.Reading { _ = h.saw("clock"); return event.Reading{Clock: "c", Now: 5} }
func (h *holder) Kinds() []faults.KindInfo {
	_ = h.saw("kinds")
	return faults.Catalogue()
}
func (h *holder) Targets(context.Context) (map[string][]string, error) {
	return map[string][]string{"gpu": {"a"}}, h.saw("targets")
}
func (h *holder) Check(_ context.Context, r faults.InjectRequest) ([]string, error) {
	return []string{"a"}, h.saw("check %s", r.Fault)
}
func (h *holder) Inject(_ context.Context, r faults.InjectRequest) (faults.Held, error) {
	return faults.Held{ID: "f-1", Step: faults.StepEffective}, h.saw("inject %s %s %s", r.Fault, r.Lease, r.ProveWithin)
}
func (h *holder) Renew(_ context.Context, id string, r faults.RenewRequest) (faults.Held, error) {
	return faults.Held{ID: id}, h.saw("renew %s %s", id, r.Lease)
}
func (h *holder) Clear(_ context.Context, id string) (faults.Held, error) {
	return faults.Held{ID: id, Step: faults.StepCleared}, h.saw("clear %s", id)
}
func (h *holder) StopAll(context.Context) []faults.Held {
	_ = h.saw("stop-all")
	return []faults.Held{{ID: "f-1"}}
}
func (h *holder) Get(id string) (faults.Held, error) { return faults.Held{ID: id}, h.saw("get %s", id) }
func (h *holder) List() []faults.Held {
	_ = h.saw("list")
	return []faults.Held{{ID: "f-1"}, {ID: "f-2"}}
}
func (h *holder) Journal() ([]faults.Entry, error) {
	return []faults.Entry{{ID: "f-1"}}, h.saw("journal")
}

func serve(t *testing.T, h faults.Holder) *httptest.Server {
	handler, err := faults.NewServer(h, "secret")
	require.NoError(t, err)
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, endpoint, token string) *faults.Client {
	c, err := faults.NewClient(faults.ClientConfig{Endpoint: endpoint, Token: token})
	require.NoError(t, err)
	return c
}

func TestClientAndServer(t *testing.T) {
	h := &holder{}
	c := client(t, serve(t, h).URL+"/", "secret")
	ctx := t.Context()
	calls := []func() (any, error){
		func() (any, error) { return c.Clock(ctx) },
		func() (any, error) { return c.Kinds(ctx) },
		func() (any, error) { return c.Targets(ctx) },
		func() (any, error) { return c.Check(ctx, faults.InjectRequest{Fault: "F"}) },
		func() (any, error) {
			return c.Inject(ctx, faults.InjectRequest{Fault: "F", Lease: time.Second, ProveWithin: time.Minute})
		},
		func() (any, error) { return c.Renew(ctx, "f-1", 2*time.Second) },
		func() (any, error) { return c.Get(ctx, "f-1") },
		func() (any, error) { return c.List(ctx) },
		func() (any, error) { return c.Journal(ctx) },
		func() (any, error) { return c.Clear(ctx, "f-1") },
		func() (any, error) { return c.StopAll(ctx) },
	}
	want := []any{
		event.Reading{Clock: "c", Now: 5}, faults.Catalogue(), map[string][]string{"gpu": {"a"}}, []string{"a"},
		faults.Held{ID: "f-1", Step: faults.StepEffective}, faults.Held{ID: "f-1"}, faults.Held{ID: "f-1"},
		[]faults.Held{{ID: "f-1"}, {ID: "f-2"}}, []faults.Entry{{ID: "f-1"}},
		faults.Held{ID: "f-1", Step: faults.StepCleared}, []faults.Held{{ID: "f-1"}},
	}
	for i, call := range calls {
		got, err := call()
		require.NoError(t, err)
		assert.Equal(t, want[i], got)
	}
	assert.Equal(t, []string{"clock", "kinds", "targets", "check F", "inject F 1s 1m0s", "renew f-1 2s", "get f-1", "list",
		"journal", "clear f-1", "stop-all"}, h.seen)
}

func TestStatusOfReasons(t *testing.T) {
	h := &holder{}
	c := client(t, serve(t, h).URL, "secret")
	_, syntax := faults.Parse("x")
	for _, row := range []struct {
		err  error
		code int
	}{
		{syntax, 400}, {faults.ErrRequest, 400}, {faults.ErrUnsupported, 400}, {faults.ErrNoMatch, 404}, {faults.ErrUnknown, 404},
		{faults.ErrTooWide, 409}, {faults.ErrConflict, 409}, {faults.ErrEnded, 410}, {faults.ErrDriver, 502},
		{faults.ErrStopping, 503}, {faults.ErrFull, 503}, {fmt.Errorf("else"), 500},
	} {
		h.err = fmt.Errorf("wrapped: %w", row.err)
		_, err := c.Inject(t.Context(), faults.InjectRequest{})
		var api *faults.APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, row.code, api.Code, row.err)
		assert.Equal(t, h.err.Error(), err.Error(), "the holder's sentence arrives as it is")
	}
}

func TestServerRefusesStrangers(t *testing.T) {
	_, err := faults.NewServer(&holder{}, "")
	require.ErrorContains(t, err, "needs a token")
	h := &holder{}
	s := serve(t, h)
	for _, header := range []string{"", "secret", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret"} {
		req := httptest.NewRequestWithContext(t.Context(), "POST", s.URL+"/faults/stop-all", nil)
		req.RequestURI = ""
		req.Header.Set("Authorization", header)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 401, resp.StatusCode, header)
	}
	_, err = client(t, s.URL, "wrong").StopAll(t.Context())
	require.ErrorContains(t, err, "wants its token")
	assert.Empty(t, h.seen, "no call may reach the holder")
}

func TestServerBoundsBodies(t *testing.T) {
	h := &holder{}
	s := serve(t, h)
	for body, want := range map[string]int{
		`{"fault":"F"}`:           201,
		`{"fault":"F","lease":1}`: 400, // not a field
		`{"fault":`:               400,
		`{"fault":"F"} {}`:        400,
		`{"fault":"` + strings.Repeat("x", 70_000) + `"}`: 400,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/faults", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer secret")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, want, resp.StatusCode, body[:min(30, len(body))])
	}
	assert.Len(t, h.seen, 1)
}

func TestClientErrorsAreSentences(t *testing.T) {
	for _, endpoint := range []string{"", "127.0.0.1:9100", "ftp://x", "http://"} {
		_, err := faults.NewClient(faults.ClientConfig{Endpoint: endpoint, Token: "t"})
		require.ErrorContains(t, err, "http://127.0.0.1:9100", endpoint)
	}
	_, err := faults.NewClient(faults.ClientConfig{Endpoint: "http://x"})
	require.ErrorContains(t, err, "wants a token")

	dead := httptest.NewServer(http.NotFoundHandler())
	c := client(t, dead.URL, "t")
	_, err = c.List(t.Context())
	require.ErrorContains(t, err, "check the endpoint", "another server there")
	dead.Close()
	_, err = c.List(t.Context())
	require.ErrorContains(t, err, "is it running there?")

	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	defer odd.Close()
	_, err = client(t, odd.URL, "t").Kinds(t.Context())
	require.ErrorContains(t, err, "does not answer like a fault holder")
}
