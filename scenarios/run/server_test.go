package run

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// A server that was there already told more than it keeps before this run began. That is no gap of the run's.
func TestEventsOfEarlierRunsAreNoGap(t *testing.T) {
	newest := uint64(9000)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		since, _ := strconv.ParseUint(r.URL.Query().Get("since"), 10, 64)
		var page admin.EventPage
		for seq := max(since+1, newest-10); seq <= newest; seq++ {
			page.Events = append(page.Events, event.Event{Seq: seq})
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	defer h.Close()
	for _, skip := range []bool{true, false} {
		newest = 9000
		s, err := newServer(&target.Target{Admin: h.URL}, event.NewClock())
		require.NoError(t, err)
		if skip {
			require.NoError(t, s.skipPast(t.Context()))
		}
		newest = 9003
		s.rest(t.Context())
		if skip {
			assert.Len(t, s.events, 3)
			assert.Zero(t, s.gap)
			continue
		}
		assert.NotZero(t, s.gap, "negative control")
	}
}
