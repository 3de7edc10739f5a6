package modules

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/js/modulestest"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/k6ext/session"
)

// vu is the module in one runtime of k6.
type vu struct {
	*modulestest.Runtime
	t       *testing.T
	test    *session.Test
	metrics *sample.Metrics
	out     chan metrics.SampleContainer
	state   *lib.State
}

func newVU(t *testing.T) *vu {
	t.Helper()
	rt := modulestest.NewRuntime(t)
	registry := rt.VU.InitEnvField.Registry
	out := make(chan metrics.SampleContainer, 1000)
	v := &vu{Runtime: rt, t: t, out: out, state: &lib.State{
		Samples: out, Tags: lib.NewVUStateTags(registry.RootTagSet().With("scenario", "s")),
	}}
	root := &Root{registry: session.NewRegistry()}
	require.NoError(t, rt.SetupModuleSystem(map[string]any{Name: root}, nil, nil))
	exports := root.NewModuleInstance(rt.VU).Exports()
	v.test, _ = root.registry.Test(registry)
	var err error
	v.metrics, err = sample.Register(registry)
	require.NoError(t, err)
	for name, export := range exports.Named {
		require.NoError(t, rt.VU.Runtime().Set(name, export))
	}
	return v
}

// start leaves the init context.
func (v *vu) start() *vu { v.MoveToVUContext(v.state); return v }

// eval runs code, JSON-encodes what it leaves in the global "result" and decodes it.
func (v *vu) eval(code string, into any) error {
	v.t.Helper()
	_, err := v.RunOnEventLoop("result = undefined;\n" + code)
	if err != nil || into == nil {
		return err
	}
	text, err := v.VU.Runtime().RunString("JSON.stringify(result)")
	require.NoError(v.t, err)
	require.NoError(v.t, json.Unmarshal([]byte(text.String()), into), "%s", text)
	return nil
}

// samples is everything that was sent until now, as name{tag=value…} → values.
func (v *vu) samples(tags ...string) map[string][]float64 {
	got := map[string][]float64{}
	for {
		select {
		case c := <-v.out:
			for _, s := range c.GetSamples() {
				name := s.Metric.Name
				for _, tag := range tags {
					if value, ok := s.Tags.Get(tag); ok {
						name += " " + value
					}
				}
				got[name] = append(got[name], s.Value)
			}
		default:
			return got
		}
	}
}

func serve(t *testing.T, s *fakellm.Server) string {
	t.Helper()
	url, stop, err := s.Listen()
	require.NoError(t, err)
	t.Cleanup(stop)
	return url
}

// fakeHolder stands in for the process that holds faults.
type fakeHolder struct {
	mu    sync.Mutex
	calls []string
	on    map[string]bool
	lose  bool // the fault is gone at the first renewal
}

func (h *fakeHolder) listen(t *testing.T) string {
	t.Helper()
	h.on = map[string]bool{}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func (h *fakeHolder) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.calls, " ")
}

func (h *fakeHolder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	answer := func(code int, v any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/faults/"), "/renew")
	switch {
	case r.Header.Get("Authorization") != "Bearer sesame":
		answer(http.StatusUnauthorized, faults.Error{Error: "wrong token"})
	case r.Method == http.MethodPost && r.URL.Path == "/faults":
		var req faults.InjectRequest
		_ = json.NewDecoder(r.Body).Decode(&req)
		h.calls = append(h.calls, "inject")
		id := fmt.Sprint("f", len(h.calls))
		h.on[id] = true
		answer(http.StatusCreated, faults.Held{ID: id, Fault: req.Fault, Step: faults.StepEffective, Targets: []string{"n1/g0"}, Evidence: "seen"})
	case r.Method == http.MethodGet:
		answer(http.StatusOK, []faults.Held{{ID: "f0", Step: faults.StepExpired}})
	case strings.HasSuffix(r.URL.Path, "/renew"):
		h.calls = append(h.calls, "renew")
		if h.lose || !h.on[id] {
			answer(http.StatusGone, faults.Error{Error: "the fault is over"})
			return
		}
		answer(http.StatusOK, faults.Held{ID: id, Step: faults.StepRenewed})
	default:
		h.calls = append(h.calls, "clear")
		if h.lose {
			answer(http.StatusOK, faults.Held{ID: id, Step: faults.StepExpired, Cause: faults.CauseLease})
			return
		}
		delete(h.on, id)
		answer(http.StatusOK, faults.Held{ID: id, Step: faults.StepCleared, Cause: faults.CauseAsked, Gone: "not seen"})
	}
}
