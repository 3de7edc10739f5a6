package run

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/library"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

func built(t *testing.T, name string, set ...string) *running {
	t.Helper()
	data, ok := library.Read(name)
	require.True(t, ok)
	s, err := spec.Parse(name+".yaml", data, set)
	require.NoError(t, err)
	return &running{
		Config: Config{Spec: s}, id: "r1", clock: event.NewClock(), server: &server{},
		target: &target.Target{Kind: "refserver", API: "http://127.0.0.1:1", Faults: "http://127.0.0.1:2"},
	}
}

func words(reasons []slo.Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, r.Word)
	}
	return out
}

func TestOffsetsAreTheSharperOneWidenedByTheDrift(t *testing.T) {
	ms := time.Millisecond
	for name, tc := range map[string]struct {
		first, last event.Offset
		want        event.Offset
		problems    []string
	}{
		"start is sharper": {event.Offset{Clock: "c", Shift: 5 * ms, Error: 1 * ms}, event.Offset{Clock: "c", Shift: 7 * ms, Error: 4 * ms},
			event.Offset{Clock: "c", Shift: 5 * ms, Error: 3 * ms}, nil},
		"end is sharper": {event.Offset{Clock: "c", Shift: 5 * ms, Error: 4 * ms}, event.Offset{Clock: "c", Shift: 4 * ms, Error: 1 * ms},
			event.Offset{Clock: "c", Shift: 4 * ms, Error: 2 * ms}, nil},
		"no end":   {event.Offset{Clock: "c", Shift: 5 * ms, Error: 4 * ms}, event.Offset{}, event.Offset{Clock: "c", Shift: 5 * ms, Error: 4 * ms}, nil},
		"replaced": {event.Offset{Clock: "c", Error: ms}, event.Offset{Clock: "d", Error: ms}, event.Offset{}, []string{"clock"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &running{server: &server{first: map[string]event.Offset{"server": tc.first}, last: map[string]event.Offset{}}}
			if tc.last.Clock != "" {
				r.server.last["server"] = tc.last
			}
			var g gathered
			assert.Equal(t, tc.want, r.offsets(&g)["c"])
			assert.Equal(t, tc.problems, words(r.before))
			assert.Len(t, g.clocks, 1-len(tc.problems))
		})
	}
}

func TestFaultsJoinPlanTimelineAndJournal(t *testing.T) {
	r := built(t, "gpu-oom")
	g := gathered{merged: record.Merged{Timeline: []record.FaultSeen{{ID: "f1"}}}, journal: []faults.Entry{
		{At: 10, Step: faults.StepArmed, ID: "f1", Targets: []string{"n2/g1"}},
		{At: 11, Step: faults.StepArmed, ID: "other", Targets: []string{"n1/g1"}},
		{At: 12, Step: faults.StepEffective, ID: "f1", Targets: []string{"n2/g1"}, Evidence: "refused"},
		{At: 20, Step: faults.StepCleared, ID: "f1", Targets: []string{"n2/g1"}, Evidence: "granted", Cause: faults.CauseAsked},
	}}
	all := r.faultsOf(&g)
	require.Len(t, all, 1)
	f := all[0]
	assert.Equal(t, "f1", f.ID)
	assert.Equal(t, []string{"n2/g1"}, f.Targets)
	assert.Equal(t, []event.Time{10, 12, 20}, []event.Time{f.Armed, f.Effective, f.Cleared})
	assert.Equal(t, []string{"refused", "granted"}, []string{f.Evidence, f.Gone})
	assert.False(t, f.LeaseLost)

	g.journal[3].Step, g.journal[3].Cause = faults.StepExpired, faults.CauseLease
	assert.True(t, r.faultsOf(&g)[0].LeaseLost, "the holder let go by itself")
	g.merged.Timeline = nil
	f = r.faultsOf(&g)[0]
	assert.Zero(t, f.Effective, "a fault that nobody requested is not proven")
}

func TestAMissingShardIsAProblem(t *testing.T) {
	r := built(t, "steady")
	var g gathered
	r.readShard(&g, t.TempDir()+"/none.shard")
	assert.Equal(t, []string{"unreachable"}, words(r.before))
	assert.Regexp(t, `^The load generator wrote no records: .*\.$`, r.before[0].Text)
	assert.NotZero(t, g.merged.Start)
}

func TestALoadGeneratorsOwnTroubleIsAProblem(t *testing.T) {
	for name, row := range map[string]struct {
		client record.ClientStats
		want   string // "" = none
	}{
		"gave up":             {record.ClientStats{GaveUp: "request 7 was sent 10s late"}, "request 7 was sent 10s late"},
		"not calibrated":      {record.ClientStats{Calibration: &record.Calibration{Failed: "the client could not be calibrated: no loopback"}}, "The client could not be calibrated: no loopback."},
		"calibrated":          {record.ClientStats{Calibration: &record.Calibration{Headroom: 9}}, ""},
		"nobody asked for it": {record.ClientStats{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := built(t, "steady")
			path := t.TempDir() + "/records.shard"
			file, err := os.Create(path)
			require.NoError(t, err)
			w, err := record.NewWriter(file, record.Header{Run: "r1", Instance: "1/1", Clock: "k", Start: 100,
				Offsets: []event.Offset{{Clock: "k", Shift: 5, Error: 1}}})
			require.NoError(t, err)
			require.NoError(t, w.Close(record.Footer{Client: row.client}))
			require.NoError(t, file.Close())
			var g gathered
			r.readShard(&g, path)
			assert.Len(t, g.clocks, 1)
			if row.want == "" {
				assert.Empty(t, r.before)
				return
			}
			require.Equal(t, []string{"client-limited"}, words(r.before))
			assert.Contains(t, r.before[0].Text, row.want)
		})
	}
}

func TestOptionsKeepEveryDigitOfTheSeed(t *testing.T) {
	r := built(t, "gpu-oom", "seed=18446744073709551615")
	data, err := r.options("http://127.0.0.1:3", "x.shard")
	require.NoError(t, err)
	assert.Contains(t, string(data), "18446744073709551615")
	var o struct {
		Scenarios map[string]struct {
			Executor string `json:"executor"`
		} `json:"scenarios"`
	}
	require.NoError(t, json.Unmarshal(data, &o))
	assert.Equal(t, "brownout-arrivals", o.Scenarios["load"].Executor)
	assert.Equal(t, "brownout-timeline", o.Scenarios["timeline"].Executor)

	data, err = built(t, "steady").options("http://127.0.0.1:3", "x.shard")
	require.NoError(t, err)
	assert.NotContains(t, string(data), "timeline", "no fault, no timeline")
}

func TestExactOnlyForSimulatedEngines(t *testing.T) {
	for body, want := range map[string]bool{
		`{"nodes":[{"devices":[{"simulated":true}]},{"devices":[{"simulated":true}]}]}`:  true,
		`{"nodes":[{"devices":[{"simulated":true}]},{"devices":[{"simulated":false}]}]}`: false,
		`{"nodes":[]}`: false,
		`no`:           false,
	} {
		admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		s, err := newServer(&target.Target{Admin: admin.URL}, event.NewClock())
		require.NoError(t, err)
		assert.Equal(t, want, s.simulated(t.Context()), "%s", body)
		admin.Close()
	}
	s, err := newServer(&target.Target{}, event.NewClock())
	require.NoError(t, err)
	assert.False(t, s.simulated(t.Context()), "what a foreign model says is not known beforehand")
}

func TestDeliveredCountsWhatWasSent(t *testing.T) {
	g := gathered{merged: record.Merged{Records: []record.Record{{Sent: 1}, {Sent: 2}, {}}}}
	assert.InDelta(t, 0.2, g.delivered(10*time.Second), 1e-12)
	started := time.Now()
	assert.InDelta(t, 3, g.seconds(fired{ended: started.Add(3 * time.Second)}, started), 1e-9)
	g.merged.Start, g.merged.Finished = 1e9, 3e9
	assert.InDelta(t, 2, g.seconds(fired{}, started), 1e-9)
}

func TestExitCodes(t *testing.T) {
	assert.Equal(t, 0, exitCode(slo.Pass, false))
	assert.Equal(t, 99, exitCode(slo.Fail, false))
	assert.Equal(t, 3, exitCode(slo.Unknown, false))
	assert.Equal(t, 130, exitCode(slo.Fail, true))
}

func TestReasonsAreSentences(t *testing.T) {
	r := &running{}
	r.problem("unreachable", "%d events were lost", 3)
	r.problem("unreachable", "übel: it died.")
	assert.Equal(t, []slo.Reason{{Word: "unreachable", Text: "3 events were lost."}, {Word: "unreachable", Text: "Übel: it died."}}, r.before)
}

func TestTheBeaconShowsOurClock(t *testing.T) {
	clock := event.NewClock()
	b, err := startBeacon(clock)
	require.NoError(t, err)
	defer b.stop()
	s, err := newServer(&target.Target{}, clock)
	require.NoError(t, err)
	var got event.Reading
	before := clock.Now()
	require.NoError(t, s.get(t.Context(), b.url+"/clock", "", &got))
	assert.Equal(t, clock.ID(), got.Clock)
	assert.GreaterOrEqual(t, got.Now, before)
	assert.LessOrEqual(t, got.Now, clock.Now())
	assert.Less(t, math.Abs(float64(got.Now-event.Time(time.Now().UnixNano()))), 60e9)
}

func TestHowAForeignTargetIsSpokenTo(t *testing.T) {
	r := built(t, "steady")
	d := target.Dialect{KeyEnv: "KEY", Headers: map[string]string{"X-A": "env:A"}, CAFile: "ca.pem", Body: map[string]any{"temperature": 0}, NoUsage: true}
	r.target = &target.Target{Kind: "foreign", API: "http://llm.example", Dialect: d, MaxRate: 50}
	c := r.client()
	told := target.Dialect{KeyEnv: c.KeyEnv, Headers: c.Headers, CAFile: c.CAFile, Body: c.ExtraBody, NoUsage: c.NoUsage}
	assert.Equal(t, d, told)

	g := gathered{merged: record.Merged{Records: []record.Record{
		{Outcome: record.OK, TokensBy: record.TokensByUsage}, {Outcome: record.Degraded, TokensBy: record.TokensByUsage},
		{Outcome: record.OK, TokensBy: record.TokensByChunks}, {Outcome: record.Reset}, {Outcome: record.Dropped},
	}}}
	got := r.describeTarget(g)
	assert.Equal(t, result.TokenSources{Usage: 2, Chunks: 1}, got.Tokens, "of complete answers")
	assert.Equal(t, []any{"KEY", d.Headers, "ca.pem", d.Body, 50.0}, []any{got.KeyEnv, got.Headers, got.CAFile, got.ExtraBody, got.MaxRate})
}
