package record

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
)

var same = map[string]event.Offset{"c1": {Clock: "c1"}}

// history draws a run as one instance would have measured it.
func history(rng *rand.Rand) Shard {
	s := Shard{Header: header(), Complete: true}
	for i := range rng.IntN(200) {
		due := zero + event.Time(rng.IntN(5))*event.Time(time.Second) // many equal ones: Arrival decides
		s.Records = append(s.Records, Record{Arrival: uint64(i), Due: due, End: due + 5, Outcome: OK})
	}
	for range rng.IntN(100) {
		s.Gaps.Add(rng.IntN(10), time.Duration(rng.IntN(1e9)))
	}
	return s
}

// Three segments equal one: records, gaps and order, however the run was split.
func TestSegmentsEqualOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		one := history(rng)
		parts := make([]Shard, 3)
		for i := range parts {
			parts[i] = Shard{Header: one.Header, Complete: true}
		}
		for _, r := range one.Records {
			p := &parts[rng.IntN(3)]
			p.Records = append(p.Records, r)
		}
		for sec, h := range one.Gaps.Seconds {
			for _, bar := range h.Distribution() {
				for range bar.Count {
					parts[rng.IntN(3)].Gaps.Add(sec, time.Duration(bar.From)*time.Microsecond)
				}
			}
		}
		for i := range parts {
			rng.Shuffle(len(parts[i].Records), func(a, b int) {
				r := parts[i].Records
				r[a], r[b] = r[b], r[a]
			})
		}
		want, err := Merge([]Shard{one}, same)
		require.NoError(t, err)
		got, err := Merge(parts, same)
		require.NoError(t, err)
		assert.Equal(t, want.Records, got.Records)
		assert.Equal(t, want.Start, got.Start)
		assertSameGaps(t, want.Gaps, got.Gaps)
	}
}

func TestMergeMapsEveryClock(t *testing.T) {
	const fast = 3 * time.Second // this machine's clock is 3 s ahead
	other := header()
	other.Clock, other.Instance, other.Start = "c2", "2/2", zero.Add(fast+time.Second) // and it began a second later
	shards := []Shard{
		{Header: header(), Complete: true, Records: []Record{{Arrival: 0, Due: zero + 1, Outcome: OK}}},
		{
			Header: other, Complete: true,
			Records: []Record{{Arrival: 1, Due: zero.Add(fast), First: zero.Add(fast) + 2, End: zero.Add(fast) + 3, Outcome: OK}},
			Footer: Footer{
				Finished: zero.Add(fast) + 9,
				// As probed by the load generator: the harness's clock is 3 s behind its own.
				Offsets:  []event.Offset{{Clock: "h", Shift: -fast, Error: 2}, {Clock: "h", Shift: -fast + 7, Error: 4}},
				Timeline: []FaultSeen{{ID: "f", Planned: zero.Add(fast) + 4, Requested: zero.Add(fast) + 5}},
			},
		},
	}
	shards[1].Gaps.Add(2, time.Millisecond)
	m, err := Merge(shards, same)
	require.NoError(t, err)
	assert.Equal(t, zero, m.Start)
	require.Len(t, m.Records, 2)
	assert.Equal(t, Record{Arrival: 1, Due: zero, First: zero + 2, End: zero + 3, Outcome: OK}, m.Records[0], "never stays never")
	assert.Equal(t, zero+9, m.Finished)
	assert.Equal(t, []FaultSeen{{ID: "f", Planned: zero + 4, Requested: zero + 5}}, m.Timeline)
	assert.NotNil(t, m.Gaps.Seconds[3], "second 2 of a shard that began a second later")
	assert.Equal(t, event.Offset{Clock: "c2", Shift: fast, Error: 7}, m.Offsets[1], "estimates that disagree widen the error")
	assert.Equal(t, zero.Add(fast), shards[1].Records[0].Due, "the input is left alone")
}

func TestMergeRefuses(t *testing.T) {
	with := func(change func(*Header), arrival uint64) Shard {
		h := header()
		change(&h)
		return Shard{Header: h, Complete: true, Records: []Record{{Arrival: arrival, Due: zero, Outcome: OK}}}
	}
	plain := with(func(*Header) {}, 1)
	for name, row := range map[string]struct {
		shards []Shard
		want   string
	}{
		"none":       {nil, "no shard"},
		"other run":  {[]Shard{plain, with(func(h *Header) { h.Run = "r2" }, 2)}, `run "r2"`},
		"other seed": {[]Shard{plain, with(func(h *Header) { h.Seed = 8 }, 2)}, "seed 8"},
		"twice":      {[]Shard{plain, plain}, "arrival 1"},
		"lost clock": {[]Shard{with(func(h *Header) { h.Clock = "c9" }, 1)}, `clock "c9"`},
	} {
		_, err := Merge(row.shards, same)
		require.ErrorContains(t, err, row.want, name)
	}
}

func TestMergeJoinsHealthAndNamesWhatIsCutOff(t *testing.T) {
	a, b, c := Shard{Header: header(), Complete: true}, Shard{Header: header(), Complete: true}, Shard{Header: header()}
	a.Footer.Client = ClientStats{MaxInFlight: 2, CPUSeconds: 1, WallSeconds: 10, TimerLateP99: 0.1, ReadsPerChunk: 1, ChunksRead: 30, BytesRead: 5}
	b.Footer.Client = ClientStats{MaxInFlight: 3, CPUSeconds: 2, WallSeconds: 9, TimerLateP99: 0.3, ReadsPerChunk: 0.5, ChunksRead: 10, BytesRead: 5}
	c.Header.Instance = "3/3"
	m, err := Merge([]Shard{a, b, c}, same)
	require.NoError(t, err)
	assert.Equal(t, ClientStats{MaxInFlight: 5, CPUSeconds: 3, WallSeconds: 10, TimerLateP99: 0.3, ReadsPerChunk: 0.875, ChunksRead: 40, BytesRead: 10}, m.Client)
	assert.Equal(t, []string{"3/3"}, m.CutOff)
	assert.True(t, slices.IsSortedFunc(m.Records, func(a, b Record) int { return int(a.Due - b.Due) }))
}
