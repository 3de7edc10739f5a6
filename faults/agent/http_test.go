package agent

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/faultstest"
)

// TestOverHTTP is a whole life as the load generator sees it.
func TestOverHTTP(t *testing.T) {
	b := newBench(t, t.TempDir(), &faultstest.World{}, faultstest.Script{})
	b.run()
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	c, err := faults.NewClient(faults.ClientConfig{Endpoint: server.URL, Token: "t"})
	require.NoError(t, err)
	ctx := t.Context()

	kinds, err := c.Kinds(ctx)
	require.NoError(t, err)
	require.Len(t, kinds, 1)
	assert.Equal(t, []string{"scripted"}, kinds[0].Drivers)
	targets, err := c.Targets(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"n1", "n2"}, targets["node"])
	reading, err := c.Clock(ctx)
	require.NoError(t, err)
	assert.Equal(t, b.Clock().Clock, reading.Clock)

	held, err := c.Inject(ctx, faults.InjectRequest{Fault: "gpu.oom on gpu=n2/g1 for 10m", Lease: time.Minute, Run: "r9"})
	require.NoError(t, err)
	assert.Equal(t, faults.StepEffective, held.Step)
	renewed, err := c.Renew(ctx, held.ID, 5*time.Minute)
	require.NoError(t, err)
	assert.Greater(t, renewed.Expires, held.Expires)
	for fault, code := range map[string]int{
		"gpu.oom on gpu=n2/g1 for 1s": http.StatusConflict,
		"gpu.oom on gpu=*/* for 1s":   http.StatusConflict,
		"gpu.oom on gpu=x/y for 1s":   http.StatusNotFound,
		"gpu.oom for 1s":              http.StatusBadRequest,
	} {
		_, err := c.Inject(ctx, faults.InjectRequest{Fault: fault})
		var refused *faults.APIError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, code, refused.Code, fault)
	}
	cleared, err := c.Clear(ctx, held.ID)
	require.NoError(t, err)
	assert.Equal(t, faults.StepCleared, cleared.Step)
	_, err = c.Renew(ctx, held.ID, time.Minute)
	var refused *faults.APIError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusGone, refused.Code)

	_, err = c.Inject(ctx, faults.InjectRequest{Fault: "gpu.oom on gpu=n1/* for 10m"})
	require.NoError(t, err)
	stopped, err := c.StopAll(ctx)
	require.NoError(t, err)
	require.Len(t, stopped, 1)
	assert.Equal(t, faults.CauseStopAll, stopped[0].Cause)
	entries, err := c.Journal(ctx)
	require.NoError(t, err)
	assert.Len(t, entries, 7)
	assert.Equal(t, "r9", entries[0].Run)
	all, err := c.List(ctx)
	require.NoError(t, err)
	assert.Len(t, all, 2)
	require.NoError(t, b.stop())
	onDisk, err := faults.ReadJournalFile(filepath.Join(b.dir, "journal.jsonl"), 0)
	require.NoError(t, err)
	assert.Equal(t, entries, onDisk)
}
