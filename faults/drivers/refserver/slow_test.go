package refserver_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/drivers/refserver"
	"github.com/brownout-dev/brownout/internal/admin"
)

// run is what a device's engine did: each look at the state is one step of 10 ms by the model later.
type run struct {
	steps         uint64
	actual, model float64
	newest        []float64 // ratios
}

func (s *server) throttle(r *http.Request) (int, any) {
	var req admin.ThrottleRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return 400, admin.Error{Error: err.Error()}
	}
	if s.throttles[dev(r)] == nil {
		s.throttles[dev(r)] = map[string]admin.ThrottleRequest{}
	}
	s.ttl = req.TTL
	s.throttles[dev(r)][req.ID] = req
	return 201, admin.Throttle{ID: req.ID}
}

func (s *server) unthrottle(r *http.Request) (int, any) {
	delete(s.throttles[dev(r)], r.PathValue("id"))
	return 200, admin.Throttle{Gone: true}
}

// run lets a device run one step and describes it.
func (s *server) run(d *admin.Device) {
	r, factor := s.ran[d.ID], max(1, s.sluggish)
	for _, t := range s.throttles[d.ID] {
		factor = max(factor, t.Factor)
		d.Throttles = append(d.Throttles, admin.Throttle{ID: t.ID, Factor: t.Factor})
	}
	if !s.idle {
		r.steps++
		r.actual += 0.01 * factor
		r.model += 0.01
		if r.newest = append(r.newest, factor); len(r.newest) > 8 {
			r.newest = r.newest[1:]
		}
		s.ran[d.ID] = r
	}
	d.StepsTotal, d.StepSeconds, d.StepModelSeconds, d.StepsWatched = r.steps, r.actual, r.model, len(r.newest)
	for _, f := range r.newest {
		d.StepRatio += f / float64(len(r.newest))
	}
}

func TestSlowIsMeasured(t *testing.T) {
	s, url := start(t)
	d := driver(t, url)
	f := parse(t, "gpu.slow on gpu=n2/g1 for 10s ramp=2s factor=8x jitter=25% seed=7")
	on := []string{"n2/g1"}
	for range 10 {
		_, err := d.Candidates(t.Context()) // the server has run for a while
		require.NoError(t, err)
	}
	_, err := d.Arm(t.Context(), "f-1", f, on)
	require.NoError(t, err)
	assert.Equal(t, admin.ThrottleRequest{ID: "f-1", Factor: 8, Jitter: 0.25, Seed: 7, Ramp: 2 * time.Second, TTL: 15 * time.Second}, s.throttles["n2/g1"]["f-1"])
	prove := func() faults.Proof {
		p, err := d.Prove(t.Context(), "f-1", f, on)
		require.NoError(t, err)
		return p
	}
	assert.Contains(t, prove().Evidence, "too few steps")
	assert.Equal(t, faults.Proof{Holds: true, Evidence: "n2/g1 is slow: its last 2 steps took 8.0 times what the model gives them"}, prove(),
		"steps from before are not counted")
	s.set(func() { s.throttles["n2/g1"]["f-1"] = admin.ThrottleRequest{ID: "f-1", Factor: 1} }) // it does nothing after all
	for range 8 {
		prove()
	}
	assert.Equal(t, faults.Proof{Evidence: "n2/g1 is not slow enough: its last 8 steps took 1.0 times what the model gives them"}, prove())
	s.set(func() { s.throttles["n2/g1"]["f-1"] = admin.ThrottleRequest{ID: "f-1", Factor: 5} }) // half-way up a ramp
	for range 8 {
		prove()
	}
	assert.True(t, prove().Holds, "many quick steps before do not hide the newest")
	s.set(func() { s.throttles = map[string]map[string]admin.ThrottleRequest{}; s.sluggish = 9 })
	for range 8 {
		assert.False(t, prove().Holds, "slow, but not by us")
	}
	p, err := d.Prove(t.Context(), "f-1", f, []string{"n9/g9"})
	require.NoError(t, err)
	assert.Contains(t, p.Evidence, "no GPU n9/g9")
}

func TestIdleDeviceProvesNothing(t *testing.T) {
	s, url := start(t)
	s.idle = true
	d := driver(t, url)
	f := parse(t, "gpu.slow on gpu=n2/g1 for 10s")
	_, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	for range 5 {
		p, err := d.Prove(t.Context(), "f-1", f, []string{"n2/g1"})
		require.NoError(t, err)
		assert.False(t, p.Holds)
	}
}

// TestSlowNoOp is the negative control: a device that is slow for another reason does not prove a fault
// that did nothing.
func TestSlowNoOp(t *testing.T) {
	s, url := start(t)
	d, err := refserver.New(refserver.Config{AdminURL: url, Token: "admin", NoOp: true})
	require.NoError(t, err)
	f := parse(t, "gpu.slow on gpu=n2/g1 for 10s")
	s.set(func() { s.sluggish = 20 })
	undo, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.Empty(t, s.throttles)
	for range 20 {
		proof, err := d.Prove(t.Context(), "f-1", f, []string{"n2/g1"})
		require.NoError(t, err)
		assert.False(t, proof.Holds)
		assert.Contains(t, proof.Evidence, "nothing holds n2/g1 down")
	}
	require.NoError(t, d.Clear(t.Context(), "f-1", undo))
}

func TestSlowGoneIsMeasured(t *testing.T) {
	s, url := start(t)
	d := driver(t, url)
	f := parse(t, "gpu.slow on gpu=n2/g1 for 10s factor=8x")
	gone := func() faults.Proof {
		p, err := d.ProveGone(t.Context(), "f-1", f, []string{"n2/g1"})
		require.NoError(t, err)
		return p
	}
	s.set(func() { s.idle = true })
	assert.Equal(t, faults.Proof{Holds: true, Evidence: "nothing of the fault holds n2/g1 down: it is idle"}, gone())
	s.set(func() { s.idle = false; s.sluggish = 3 })
	assert.False(t, gone().Holds, "no throttle, and still slow")
	s.set(func() { s.sluggish = 2.5 })
	for range 8 {
		gone()
	}
	assert.True(t, gone().Holds, "within a quarter of the extra time")
	_, err := d.Arm(t.Context(), "f-1", f, []string{"n2/g1"})
	require.NoError(t, err)
	assert.Contains(t, gone().Evidence, "still held down")
}

func TestUnknownKind(t *testing.T) {
	_, url := start(t)
	_, err := driver(t, url).Arm(t.Context(), "f-1", faults.Fault{Kind: "gpu.melt"}, nil)
	require.ErrorContains(t, err, "it does gpu.oom, gpu.slow")
}
