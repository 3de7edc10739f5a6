package k6ext

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// holder stands in for the process that holds faults.
type holder struct {
	mu    sync.Mutex
	calls []string
	lose  bool // the fault is gone at the first renewal
	on    map[string]bool
}

func (h *holder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := "f" + fmt.Sprint(len(h.calls))
	answer := func(code int, v any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	if r.Header.Get("Authorization") != "Bearer sesame" {
		answer(http.StatusUnauthorized, faults.Error{Error: "wrong token"})
		return
	}
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/faults":
		var req faults.InjectRequest
		_ = json.NewDecoder(r.Body).Decode(&req)
		h.calls = append(h.calls, "inject "+req.Run)
		h.on[id] = true
		answer(http.StatusCreated, faults.Held{ID: id, Fault: req.Fault, Step: faults.StepEffective})
	case strings.HasSuffix(r.URL.Path, "/renew"):
		h.calls = append(h.calls, "renew")
		if h.lose {
			answer(http.StatusGone, faults.Error{Error: "the fault is over"})
			return
		}
		answer(http.StatusOK, faults.Held{Step: faults.StepRenewed})
	case r.Method == http.MethodDelete:
		h.calls = append(h.calls, "clear")
		delete(h.on, strings.TrimPrefix(r.URL.Path, "/faults/"))
		answer(http.StatusOK, faults.Held{Step: faults.StepCleared})
	default:
		answer(http.StatusNotFound, faults.Error{Error: "no such call"})
	}
}

func timelineOf(url string) map[string]any {
	return map[string]any{"executor": "brownout-timeline", "timeline": map[string]any{
		"endpoint": url, "token_env": "FAULT_TOKEN", "run": "r1", "lease_ns": "600ms", "total_ns": "20s",
		"steps": []any{map[string]any{"at_ns": "200ms", "fault": "gpu.oom on gpu=n1/g0 for 1s reserve=95%"}},
	}}
}

func TestTimelineWalksTheFaults(t *testing.T) {
	h := &holder{on: map[string]bool{}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	o := trial{
		load: arrivalsOf(serve(t, &fakellm.Server{}), nil), timeline: timelineOf(srv.URL), env: []string{"FAULT_TOKEN=sesame"},
	}.run(t)
	require.Zero(t, o.code, o.text)
	assert.Equal(t, "inject r1", h.calls[0])
	assert.Equal(t, "clear", h.calls[len(h.calls)-1])
	assert.Contains(t, h.calls, "renew")
	assert.Empty(t, h.on)
	require.Len(t, o.shard.Footer.Timeline, 1)
	f := o.shard.Footer.Timeline[0]
	assert.Equal(t, o.shard.Header.Start.Add(200*time.Millisecond), f.Planned, "one time zero for load and faults")
	assert.GreaterOrEqual(t, f.Requested, f.Planned)
	assert.GreaterOrEqual(t, f.Ended, f.Requested.Add(time.Second))
	assert.Empty(t, f.Error)
	assert.False(t, f.LeaseLost)
}

func TestTimelineNotesALostLease(t *testing.T) {
	h := &holder{on: map[string]bool{}, lose: true}
	srv := httptest.NewServer(h)
	defer srv.Close()
	o := trial{
		load: arrivalsOf(serve(t, &fakellm.Server{}), nil), timeline: timelineOf(srv.URL), env: []string{"FAULT_TOKEN=sesame"},
	}.run(t)
	require.Zero(t, o.code, o.text)
	require.Len(t, o.shard.Footer.Timeline, 1)
	assert.True(t, o.shard.Footer.Timeline[0].LeaseLost)
	assert.Equal(t, "the fault is over", o.shard.Footer.Timeline[0].Error)
}

func TestTimelineClearsWhenInterrupted(t *testing.T) {
	h := &holder{on: map[string]bool{}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	tl := timelineOf(srv.URL)
	tl["timeline"].(map[string]any)["steps"] = []any{map[string]any{"at_ns": 0, "fault": "gpu.oom on gpu=n1/g0 for 15s reserve=95%"}}
	o := trial{
		load:     arrivalsOf(serve(t, &fakellm.Server{}), map[string]any{"plan.duration_ns": "20s"}),
		timeline: tl, env: []string{"FAULT_TOKEN=sesame"},
		whileOn: func(p *os.Process, line load.Progress) {
			if line.Fault != "" {
				_ = p.Signal(syscall.SIGINT)
			}
		},
	}.run(t)
	require.Equal(t, 105, o.code, o.text)
	assert.Empty(t, h.on, "an aborted test leaves no fault behind")
	assert.NotZero(t, o.shard.Footer.Timeline[0].Ended)
}

func TestTimelineErrors(t *testing.T) {
	srv := httptest.NewServer(&holder{on: map[string]bool{}})
	defer srv.Close()
	url := serve(t, &fakellm.Server{})
	o := trial{load: arrivalsOf(url, nil), timeline: timelineOf(srv.URL), env: []string{"FAULT_TOKEN=wrong"}}.run(t)
	require.Zero(t, o.code, "a fault that fails makes the verdict unknown; the load goes on: %s", o.text)
	require.Len(t, o.shard.Footer.Timeline, 1)
	assert.Equal(t, "wrong token", o.shard.Footer.Timeline[0].Error)

	o = trial{load: arrivalsOf(url, nil), timeline: timelineOf(srv.URL)}.run(t)
	assert.NotZero(t, o.code)
	assert.Contains(t, o.text, "FAULT_TOKEN")
}
