package k6ext

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Users of a closed loop ask one after the other: never two at once, and each as soon as it was answered.
func TestClosedLoopInK6(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{TTFT: 20 * time.Millisecond, Gap: time.Millisecond}})
	o := trial{load: arrivalsOf(url, map[string]any{
		"plan.arrivals": map[string]any{"process": "closed", "concurrency": 4, "think_ns": "10ms"},
	})}.run(t)
	require.Zero(t, o.code, o.text)
	require.True(t, o.shard.Complete)
	assert.Equal(t, 4, o.shard.Footer.Client.MaxInFlight)
	assert.Empty(t, o.shard.Footer.Client.GaveUp)
	users := map[uint64][]record.Record{}
	for _, r := range o.shard.Records {
		require.Equal(t, record.OK, r.Outcome, "%s", r.Note)
		users[r.Arrival%4] = append(users[r.Arrival%4], r)
	}
	require.Len(t, users, 4)
	for _, of := range users {
		require.Greater(t, len(of), 3)
		slices.SortFunc(of, func(a, b record.Record) int { return int(a.Arrival) - int(b.Arrival) })
		for i := 1; i < len(of); i++ {
			require.Equal(t, of[i-1].Arrival+4, of[i].Arrival)
			require.Equal(t, of[i-1].End.Add(10*time.Millisecond), of[i].Due, "the answer, and the think time")
			require.GreaterOrEqual(t, of[i].Sent, of[i].Due)
		}
	}
}

// A closed loop of a mix: classes, hang-ups and the calibration, which nobody can tell a head-room of.
func TestClosedLoopOfAMixInK6(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{TTFT: 5 * time.Millisecond, Gap: 5 * time.Millisecond}})
	plan := planOf(t, func(p *load.Plan) {
		p.Arrivals = load.Arrivals{Process: load.Closed, Concurrency: 6, Think: 10 * time.Millisecond}
		p.Cancel = &load.Cancel{Share: 0.5, AfterTokens: 3}
		p.Mix = []load.Class{{Name: "chat", Weight: 2}, {Name: "batch", Weight: 1, Stream: new(false), Cancel: &load.Cancel{}}}
	})
	o := trial{load: arrivalsOf(url, map[string]any{"plan": plan, "calibrate": true})}.run(t)
	require.Zero(t, o.code, o.text)
	users, seen := plan.Users(), map[string]int{}
	want := map[uint64]load.Arrival{}
	for a := range plan.All() {
		for ok := true; ok && a.Index < 10_000; a, ok = users.Next(a, 0, false) {
			want[a.Index] = a
		}
	}
	for _, r := range o.shard.Records {
		a := want[r.Arrival]
		require.Equal(t, a.ID, r.ID)
		require.Equal(t, plan.Mix[a.Class].Name, r.Class)
		seen[r.Class]++
		if a.CancelTokens > 0 {
			require.Equal(t, record.Cancelled, r.Outcome, "%s", r.Note)
			require.Equal(t, "chat", r.Class)
			seen["hung up"]++
		} else {
			require.Equal(t, record.OK, r.Outcome, "%s", r.Note)
		}
	}
	assert.Positive(t, seen["batch"])
	assert.Greater(t, seen["chat"], seen["hung up"])
	assert.Positive(t, seen["hung up"])
	c := o.shard.Footer.Client.Calibration
	require.NotNil(t, c)
	assert.Empty(t, c.Failed)
	assert.False(t, c.HeadroomKnown())
	assert.NotContains(t, o.text, "head-room")
}

func TestTraceInK6(t *testing.T) {
	server := &fakellm.Server{}
	url := serve(t, server)
	file := filepath.Join(t.TempDir(), "t.csv")
	text := "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.0,7,3\n2023-11-16 18:15:46.5,9,4\n2023-11-16 18:15:48.0,5,2\n2023-11-16 18:18:48.0,5,2\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	arrivals := func(sum string) map[string]any {
		return arrivalsOf(url, map[string]any{"plan.arrivals": map[string]any{
			"process": "trace", "trace": map[string]any{"file": file, "speed": 2, "sha256": sum},
		}})
	}
	o := trial{load: arrivals("")}.run(t)
	require.Zero(t, o.code, o.text)
	slices.SortFunc(o.shard.Records, func(a, b record.Record) int { return int(a.Arrival) - int(b.Arrival) })
	require.Len(t, o.shard.Records, 3, "what fits the plan")
	for i, want := range []struct {
		due    time.Duration
		tokens int
	}{{0, 3}, {250 * time.Millisecond, 4}, {time.Second, 2}} {
		r := o.shard.Records[i]
		assert.Equal(t, o.shard.Header.Start.Add(want.due), r.Due)
		assert.Equal(t, want.tokens, r.OutputTokens)
		assert.Equal(t, record.OK, r.Outcome, "%s", r.Note)
	}

	before := server.Requests()
	o = trial{load: arrivals(strings.Repeat("0", 64))}.run(t)
	assert.NotZero(t, o.code)
	assert.Contains(t, o.text, "it changed since")
	assert.Equal(t, before, server.Requests(), "nothing is sent")
}
