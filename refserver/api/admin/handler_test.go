package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

var errNone = errors.New("no such device")

type control struct {
	last     admin.HoldRequest
	throttle admin.ThrottleRequest
}

func (c *control) Hold(node, _ string, r admin.HoldRequest) (admin.Holding, error) {
	c.last = r
	if node != "n1" {
		return admin.Holding{}, errNone
	}
	return admin.Holding{ID: r.ID, Bytes: 5}, nil
}
func (c *control) Release(_, _, id string) (admin.Holding, error) {
	return admin.Holding{ID: id, Gone: true}, nil
}
func (c *control) Throttle(_, _ string, r admin.ThrottleRequest) (admin.Throttle, error) {
	c.throttle = r
	return admin.Throttle{ID: r.ID, Factor: 1, Target: r.Factor}, nil
}
func (c *control) Unthrottle(_, _, id string) (admin.Throttle, error) {
	return admin.Throttle{ID: id, Gone: true}, nil
}
func (c *control) Probe(string, string, admin.ProbeRequest) (admin.ProbeAnswer, error) {
	return admin.ProbeAnswer{Granted: true, Bytes: 7}, nil
}
func (c *control) Restart(node, gpu string) (admin.Replica, error) {
	return admin.Replica{ID: node + "/" + gpu}, nil
}

func newDeps(token string, ctl *control) (Deps, *event.Log) {
	clock := event.NewClock()
	log := event.NewLog(clock, 16)
	deps := Deps{
		Token: token, Clock: clock, Events: log, Done: make(chan struct{}),
		State:   func() admin.State { return admin.State{Model: "m"} },
		Rate:    func(p, o int) (float64, float64) { return float64(p), float64(o) },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metric 1\n")) }),
		Status:  func(error) int { return http.StatusNotFound },
	}
	if ctl != nil {
		deps.Control, deps.Nodes = ctl, ctl
	}
	return deps, log
}

func call(h http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (c *control) Kill(node string, r admin.KillRequest) (admin.Outage, error) {
	if node != "n1" {
		return admin.Outage{}, errNone
	}
	return admin.Outage{ID: r.ID, Expires: event.Time(r.TTL)}, nil
}

func (c *control) Revive(_, id string) (admin.Outage, error) {
	return admin.Outage{ID: id, Gone: true}, nil
}

var controlRoutes = [][2]string{
	{"POST", "/admin/control/nodes/n1/kill"}, {"DELETE", "/admin/control/nodes/n1/kill/x"},
	{"POST", "/admin/control/gpus/n1/g0/holdings"}, {"DELETE", "/admin/control/gpus/n1/g0/holdings/x"},
	{"POST", "/admin/control/gpus/n1/g0/throttles"}, {"DELETE", "/admin/control/gpus/n1/g0/throttles/x"},
	{"POST", "/admin/control/gpus/n1/g0/probe"}, {"POST", "/admin/control/replicas/n1/g0/restart"},
}

func TestTokenGuardsAllButTheClock(t *testing.T) {
	deps, _ := newDeps("secret", &control{})
	h := New(deps)
	assert.Equal(t, 200, call(h, "GET", "/admin/clock", "", "").Code)
	guarded := append([][2]string{{"GET", "/admin/state"}, {"GET", "/admin/events?follow=false"}, {"GET", "/metrics"}}, controlRoutes...)
	for _, route := range guarded {
		for _, wrong := range []string{"", "secre", "secret2", "SECRET"} {
			w := call(h, route[0], route[1], wrong, "{}")
			assert.Equal(t, 401, w.Code, route)
			assert.NotContains(t, w.Body.String(), "secret")
		}
		assert.Less(t, call(h, route[0], route[1], "secret", "{}").Code, 300, route)
	}
}

func TestControlNeedsSwitchAndToken(t *testing.T) {
	off, _ := newDeps("secret", nil)
	open, _ := newDeps("", &control{})
	for _, route := range controlRoutes {
		assert.Equal(t, 404, call(New(off), route[0], route[1], "secret", "{}").Code, "switched off")
		assert.Equal(t, 404, call(New(open), route[0], route[1], "", "{}").Code, "no token configured")
	}
	assert.Equal(t, 200, call(New(open), "GET", "/admin/state", "", "").Code)
}

func TestControlCalls(t *testing.T) {
	ctl := &control{}
	deps, _ := newDeps("s", ctl)
	h := New(deps)
	w := call(h, "POST", "/admin/control/gpus/n1/g0/holdings", "s", `{"id":"f1","share_of_free":0.5,"ttl_ns":1000}`)
	assert.Equal(t, 201, w.Code)
	assert.JSONEq(t, `{"id":"f1","bytes":5,"target_bytes":0,"expires_ns":0}`, w.Body.String())
	assert.Equal(t, admin.HoldRequest{ID: "f1", Share: 0.5, TTL: 1000}, ctl.last)
	for body, status := range map[string]int{
		`{"id":`: 400, `{"size":1}`: 400, `{}{}`: 400, `{"id":"` + strings.Repeat("x", maxBody) + `"}`: 413,
	} {
		w = call(h, "POST", "/admin/control/gpus/n1/g0/holdings", "s", body)
		assert.Equal(t, status, w.Code)
		assert.Contains(t, w.Body.String(), `"error"`)
	}
	w = call(h, "POST", "/admin/control/gpus/n9/g0/holdings", "s", `{}`)
	assert.Equal(t, 404, w.Code)
	assert.Contains(t, w.Body.String(), "no such device")
	assert.Contains(t, call(h, "DELETE", "/admin/control/gpus/n1/g0/holdings/f1", "s", "").Body.String(), `"gone":true`)
	w = call(h, "POST", "/admin/control/gpus/n1/g0/throttles", "s", `{"id":"f2","factor":8,"jitter_share":0.1,"seed":3,"ramp_ns":4,"ttl_ns":1000}`)
	assert.Equal(t, 201, w.Code)
	assert.JSONEq(t, `{"id":"f2","factor":1,"target_factor":8,"expires_ns":0}`, w.Body.String())
	assert.Equal(t, admin.ThrottleRequest{ID: "f2", Factor: 8, Jitter: 0.1, Seed: 3, Ramp: 4, TTL: 1000}, ctl.throttle)
	assert.Contains(t, call(h, "DELETE", "/admin/control/gpus/n1/g0/throttles/f2", "s", "").Body.String(), `"gone":true`)
	assert.Contains(t, call(h, "POST", "/admin/control/gpus/n1/g0/probe", "s", "").Body.String(), `"granted":true`)
	assert.Equal(t, 202, call(h, "POST", "/admin/control/replicas/n1/g0/restart", "s", "").Code)
	w = call(h, "POST", "/admin/control/nodes/n1/kill", "s", `{"id":"f1","ttl_ns":1000}`)
	assert.Equal(t, 201, w.Code)
	assert.JSONEq(t, `{"id":"f1","expires_ns":1000}`, w.Body.String())
	assert.Equal(t, 404, call(h, "POST", "/admin/control/nodes/n9/kill", "s", `{}`).Code)
	assert.Contains(t, call(h, "DELETE", "/admin/control/nodes/n1/kill/f1", "s", "").Body.String(), `"gone":true`)
}

func TestStateAndSaturation(t *testing.T) {
	deps, _ := newDeps("", nil)
	h := New(deps)
	assert.NotContains(t, call(h, "GET", "/admin/state", "", "").Body.String(), "saturation")
	assert.Contains(t, call(h, "GET", "/admin/state?prompt=512&output=64", "", "").Body.String(), `"saturation_per_s":512,"saturation_n_minus_1_per_s":64`)
	for _, q := range []string{"prompt=512", "prompt=0&output=1", "prompt=x&output=1", "prompt=9999999&output=1"} {
		assert.Equal(t, 400, call(h, "GET", "/admin/state?"+q, "", "").Code, q)
	}
	assert.Equal(t, "metric 1\n", call(h, "GET", "/metrics", "", "").Body.String())
}

func TestEventPage(t *testing.T) {
	deps, log := newDeps("", nil)
	h := New(deps)
	assert.JSONEq(t, `{"events":[],"dropped":0}`, call(h, "GET", "/admin/events?follow=false", "", "").Body.String())
	for range 100 {
		log.Emit(event.Event{Kind: event.OOM})
	}
	var page admin.EventPage
	require.NoError(t, json.Unmarshal(call(h, "GET", "/admin/events?follow=false&since=3", "", "").Body.Bytes(), &page))
	assert.EqualValues(t, 97, uint64(len(page.Events))+page.Dropped)
	assert.EqualValues(t, 100, page.Events[len(page.Events)-1].Seq)
	assert.Equal(t, 400, call(h, "GET", "/admin/events?since=x", "", "").Code)
	assert.Equal(t, 400, call(h, "GET", "/admin/events?follow=perhaps", "", "").Code)
}

func TestFollowersSeeEveryEventAndEnd(t *testing.T) {
	deps, log := newDeps("", nil)
	done := make(chan struct{})
	deps.Done = done
	log.Emit(event.Event{Kind: event.EngineReady})
	server := httptest.NewServer(New(deps))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	follow := func(ctx context.Context, since string) *bufio.Scanner {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/admin/events", nil)
		r.Header.Set("Last-Event-ID", since)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return bufio.NewScanner(resp.Body)
	}
	next := func(s *bufio.Scanner) (e event.Event, ok bool) {
		for s.Scan() {
			if data, found := strings.CutPrefix(s.Text(), "data: "); found {
				return e, json.Unmarshal([]byte(data), &e) == nil
			}
		}
		return e, false
	}
	all, late := follow(ctx, ""), follow(t.Context(), "1")
	e, ok := next(all)
	require.True(t, ok)
	assert.Equal(t, event.EngineReady, e.Kind)
	log.Emit(event.Event{Kind: event.OOM})
	e, _ = next(all)
	assert.EqualValues(t, 2, e.Seq)
	e, _ = next(late)
	assert.EqualValues(t, 2, e.Seq, "it began after 1")
	close(done)
	_, ok = next(late)
	assert.False(t, ok, "the server's end ends followers")
}
