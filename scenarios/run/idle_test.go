package run

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/scenarios/target"
)

func TestIdle(t *testing.T) {
	var asked atomic.Int32
	busy := int32(2)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		st := admin.State{Nodes: []admin.Node{{Replicas: []admin.Replica{{}}}}}
		switch asked.Add(1) {
		case 1:
			st.InFlight = 1
		case busy:
			st.Nodes[0].Replicas[0].Waiting = 1
		}
		_ = json.NewEncoder(w).Encode(st) // a reader that hung up fails the test by itself
	}))
	t.Cleanup(s.Close)
	require.NoError(t, Idle(t.Context(), &target.Target{Kind: "foreign", Admin: s.URL}, 0, time.Minute))
	assert.Equal(t, int32(3), asked.Load(), "it waited until the gateway and every engine were empty")

	require.NoError(t, Idle(t.Context(), &target.Target{Kind: "foreign"}, 0, time.Minute), "one that cannot say so gets a pause")

	always := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(admin.State{InFlight: 7})
	}))
	t.Cleanup(always.Close)
	err := Idle(t.Context(), &target.Target{Kind: "foreign", Admin: always.URL}, 0, 50*time.Millisecond)
	require.ErrorContains(t, err, "still busy")
}
