package refserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/drivers/refserver"
	"github.com/brownout-dev/brownout/faults/faultstest"
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

const gib = int64(1) << 30

// server is the least of a reference server's admin listener: two nodes with two GPUs of 80 GiB, of
// which the engine leaves 8 free, and an activation peak of 1 GiB.
type server struct {
	mu       sync.Mutex
	now      event.Time
	clock    string
	holdings map[string]map[string]admin.Holding // by device, by id
	ttl      time.Duration
	refused  map[string]*admin.Refusal
	restarts []string
	real     bool
	busy     int64 // activations of a running step
	leak     int64 // foreign memory nobody explains
	off      bool  // control surface off
	failHold string

	throttles map[string]map[string]admin.ThrottleRequest // by device, by id
	ran       map[string]run                              // by device
	idle      bool                                        // no steps run
	sluggish  float64                                     // slowness that no throttle explains
	nodes     *nodes
}

func start(t *testing.T) (*server, string) {
	s := &server{clock: "srv", now: 1000, holdings: map[string]map[string]admin.Holding{}, refused: map[string]*admin.Refusal{},
		throttles: map[string]map[string]admin.ThrottleRequest{}, ran: map[string]run{}, nodes: &nodes{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/clock", s.do(func(*http.Request) (int, any) { return 200, s.reading() }))
	mux.HandleFunc("GET /admin/state", s.do(s.state))
	mux.HandleFunc("POST /admin/control/gpus/{node}/{gpu}/holdings", s.do(s.hold))
	mux.HandleFunc("DELETE /admin/control/gpus/{node}/{gpu}/holdings/{id}", s.do(s.release))
	mux.HandleFunc("POST /admin/control/gpus/{node}/{gpu}/throttles", s.do(s.throttle))
	mux.HandleFunc("DELETE /admin/control/gpus/{node}/{gpu}/throttles/{id}", s.do(s.unthrottle))
	mux.HandleFunc("POST /admin/control/gpus/{node}/{gpu}/probe", s.do(s.probe))
	mux.HandleFunc("POST /admin/control/replicas/{node}/{gpu}/restart", s.do(s.restart))
	mux.HandleFunc("POST /admin/control/nodes/{node}/kill", s.do(s.kill))
	mux.HandleFunc("DELETE /admin/control/nodes/{node}/kill/{id}", s.do(s.revive))
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	return s, ts.URL
}

func (s *server) do(h func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.off && r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		code, body := 401, any(admin.Error{Error: "no"})
		if r.URL.Path == "/admin/clock" || r.Header.Get("Authorization") == "Bearer admin" {
			code, body = h(r)
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (s *server) reading() event.Reading { s.now++; return event.Reading{Clock: s.clock, Now: s.now} }
func dev(r *http.Request) string         { return r.PathValue("node") + "/" + r.PathValue("gpu") }

func (s *server) held(dev string) (sum int64) {
	for _, h := range s.holdings[dev] {
		sum += h.Bytes
	}
	return sum + s.leak
}
func (s *server) free(dev string) int64 { return 8*gib - s.busy - s.held(dev) }

func (s *server) state(*http.Request) (int, any) {
	st := admin.State{Clock: s.reading()}
	for _, n := range []string{"n1", "n2"} {
		node := s.nodes.node(n)
		for _, g := range []string{"g0", "g1"} {
			id := n + "/" + g
			d := admin.Device{ID: id, Simulated: !s.real, Total: 80 * gib, Free: s.free(id), LastRefused: s.refused[id],
				Ledger: map[string]int64{"foreign": s.held(id), "activations": s.busy}}
			for _, h := range s.holdings[id] {
				d.Holdings = append(d.Holdings, h)
			}
			s.run(&d)
			node.Devices = append(node.Devices, d)
		}
		st.Nodes = append(st.Nodes, node)
	}
	return 200, st
}

func (s *server) hold(r *http.Request) (int, any) {
	var req admin.HoldRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || dev(r) == s.failHold {
		return 500, admin.Error{Error: "the device is busy"}
	}
	if s.holdings[dev(r)] == nil {
		s.holdings[dev(r)] = map[string]admin.Holding{}
	}
	h := admin.Holding{ID: req.ID, Bytes: int64(float64(s.free(dev(r))) * req.Share)}
	s.ttl = req.TTL
	s.holdings[dev(r)][req.ID] = h
	return 201, h
}

func (s *server) release(r *http.Request) (int, any) {
	h := s.holdings[dev(r)][r.PathValue("id")]
	delete(s.holdings[dev(r)], r.PathValue("id"))
	return 200, h
}

func (s *server) probe(r *http.Request) (int, any) {
	if len(s.nodes.node(r.PathValue("node")).Outages) > 0 {
		return 409, admin.Error{Error: "the node is down"}
	}
	free := s.free(dev(r))
	return 200, admin.ProbeAnswer{Granted: free >= gib, Bytes: gib, Free: free, Total: 80 * gib}
}

func (s *server) restart(r *http.Request) (int, any) {
	s.restarts = append(s.restarts, dev(r))
	return 202, admin.Replica{ID: dev(r) + "/m"}
}

func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func driver(t *testing.T, url string) *refserver.Driver {
	d, err := refserver.New(refserver.Config{AdminURL: url + "/", Token: "admin"})
	require.NoError(t, err)
	return d
}

func parse(t *testing.T, line string) faults.Fault {
	f, err := faults.Parse(line)
	require.NoError(t, err)
	return f
}

func TestConforms(t *testing.T) {
	for _, line := range []string{
		"gpu.oom on gpu=n2/g1 for 10s", "gpu.oom on node=n1 for 10s reserve=90%", "gpu.oom on gpu=n2/g1 for 10s trigger=restart",
		"gpu.slow on gpu=n2/g1 for 10s", "gpu.slow on node=n1 for 10s factor=2x jitter=20%",
	} {
		t.Run(line, func(t *testing.T) {
			urls := map[string]string{}
			faultstest.Conform(t, faultstest.Case{Fault: line, New: func(t *testing.T) faults.Driver {
				if urls[t.Name()] == "" {
					_, urls[t.Name()] = start(t)
				}
				return driver(t, urls[t.Name()])
			}})
		})
	}
}

func TestArmSaysWhatItDoes(t *testing.T) {
	s, url := start(t)
	d := driver(t, url)
	f := parse(t, "gpu.oom on gpu=n2/g1 for 10s trigger=restart reserve=100%")
	_, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.Equal(t, 15*time.Second, s.ttl, "the server lets go by itself, a little after the holder would have")
	assert.Equal(t, []string{"n2/g1"}, s.restarts)
	assert.Equal(t, 8*gib, s.holdings["n2/g1"]["f-1"].Bytes)
	proof, err := d.Prove(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.Equal(t, faults.Proof{Holds: true, Evidence: "a probe of 1.00 GiB on n2/g1 was refused: 0.00 GiB of 80.00 GiB free"}, proof)
}

// TestRefusalOfTheEngineIsProof: and only a new one, on this device, by this server.
func TestRefusalOfTheEngineIsProof(t *testing.T) {
	s, url := start(t)
	d := driver(t, url)
	f := parse(t, "gpu.oom on gpu=n2/g1 for 10s reserve=1%") // so small that the probe is granted
	prove := func() faults.Proof {
		p, err := d.Prove(t.Context(), "f-1", f, []string{"n2/g1"})
		require.NoError(t, err)
		return p
	}
	s.set(func() { s.refused["n2/g1"] = &admin.Refusal{At: 999, Bytes: gib, For: "kv"} })
	_, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.False(t, prove().Holds, "an old refusal")
	s.set(func() { s.refused["n1/g1"] = &admin.Refusal{At: 1 << 40, Bytes: gib, For: "kv"} })
	assert.False(t, prove().Holds, "another device's")
	s.set(func() {
		s.refused["n2/g1"] = &admin.Refusal{At: s.now + 1, Bytes: 3 * gib / 2, Free: gib, For: "activations"}
		s.clock = "another"
	})
	assert.False(t, prove().Holds, "another process's clock")
	s.set(func() { s.clock = "srv" })
	assert.Equal(t, faults.Proof{Holds: true,
		Evidence: "an allocation of 1.50 GiB for activations on n2/g1 was refused: 1.00 GiB of 80.00 GiB free"}, prove())
	s.set(func() { s.holdings = map[string]map[string]admin.Holding{} })
	assert.False(t, prove().Holds, "a refusal without our holding is somebody else's doing")
}

// TestNoOp is the negative control: a fault that does nothing is never proven.
func TestNoOp(t *testing.T) {
	s, url := start(t)
	d, err := refserver.New(refserver.Config{AdminURL: url, Token: "admin", NoOp: true})
	require.NoError(t, err)
	f := parse(t, "gpu.oom on gpu=n2/g1 for 10s trigger=restart")
	undo, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.Empty(t, s.restarts)
	s.set(func() { s.busy = 8 * gib; s.refused["n2/g1"] = &admin.Refusal{At: 1 << 40} }) // tight all the same
	proof, err := d.Prove(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.False(t, proof.Holds)
	assert.Contains(t, proof.Evidence, "nothing is held")
	require.NoError(t, d.Clear(t.Context(), "f-1", undo))
}

func TestProveGoneLooksAtMemory(t *testing.T) {
	s, url := start(t)
	d := driver(t, url)
	f := parse(t, "gpu.oom on gpu=n2/g1 for 10s")
	gone := func() faults.Proof {
		p, err := d.ProveGone(t.Context(), "f-1", f, []string{"n2/g1"})
		require.NoError(t, err)
		return p
	}
	assert.True(t, gone().Holds)
	s.set(func() { s.busy = 8*gib - 1 })
	assert.True(t, gone().Holds, "the engine's own running step is no trace of the fault")
	assert.Contains(t, gone().Evidence, "running step")
	s.set(func() { s.busy = 0; s.leak = 1 })
	assert.Contains(t, gone().Evidence, "no holding explains")
	assert.False(t, gone().Holds)
	s.set(func() {
		s.leak = 0
		s.holdings["n2/g1"] = map[string]admin.Holding{"other": {ID: "other", Bytes: 7*gib + 1}}
	})
	assert.False(t, gone().Holds, "nothing of ours, and still no room")
	assert.Contains(t, gone().Evidence, "was refused")
	s.set(func() { s.holdings["n2/g1"]["other"] = admin.Holding{ID: "other", Bytes: gib} })
	assert.True(t, gone().Holds, "another's holding is not ours")
	p, err := d.ProveGone(t.Context(), "f-1", f, []string{"n9/g9"})
	require.NoError(t, err)
	assert.True(t, p.Holds)
	assert.Contains(t, p.Evidence, "does not exist any more")
}

func TestHalfArmedIsUndone(t *testing.T) {
	s, url := start(t)
	s.failHold = "n2/g1"
	d := driver(t, url)
	f := parse(t, "gpu.oom on node=n2 for 10s")
	undo, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g0", "n2/g1"})
	require.ErrorContains(t, err, "the device is busy")
	require.Len(t, s.holdings["n2/g0"], 1)
	require.NoError(t, d.Clear(t.Context(), "f-1", undo))
	assert.Empty(t, s.holdings["n2/g0"])
	require.ErrorContains(t, d.Clear(t.Context(), "f-1", []byte("junk")), "not this driver's")
}

func TestCandidatesAreSimulatedGPUs(t *testing.T) {
	s, url := start(t)
	d := driver(t, url)
	got, err := d.Candidates(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{"gpu": {"n1/g0", "n1/g1", "n2/g0", "n2/g1"}, "node": {"n1", "n2"}}, got)
	s.set(func() { s.real = true })
	got, err = d.Candidates(t.Context())
	require.NoError(t, err)
	assert.Empty(t, got["gpu"], "a real device's memory is not the server's to take")
}

func TestErrorsAreSentences(t *testing.T) {
	for _, bad := range []string{"", "localhost:1", "unix:///x"} {
		_, err := refserver.New(refserver.Config{AdminURL: bad})
		require.ErrorContains(t, err, "http://127.0.0.1:9101", bad)
	}
	s, url := start(t)
	f := parse(t, "gpu.oom on gpu=n2/g1 for 10s")
	arm := func(d *refserver.Driver) error {
		_, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
		return err
	}
	s.set(func() { s.off = true })
	require.ErrorContains(t, arm(driver(t, url)), "does not let itself be controlled")
	stranger, err := refserver.New(refserver.Config{AdminURL: url, Token: "hunter2"})
	require.NoError(t, err)
	_, err = stranger.Candidates(t.Context())
	require.ErrorContains(t, err, "refuses the admin token")
	assert.NotContains(t, err.Error(), "hunter2")

	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "state") {
			fmt.Fprint(w, "<html>")
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	_, err = driver(t, odd.URL).Candidates(t.Context())
	require.ErrorContains(t, err, "check the admin address")
	require.ErrorContains(t, arm(driver(t, odd.URL)), "500 Internal Server Error")
	odd.Close()
	_, err = driver(t, odd.URL).Candidates(t.Context())
	require.ErrorContains(t, err, "is it running there?")
}
