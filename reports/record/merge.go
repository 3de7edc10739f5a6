package record

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Merged is all shards of one run on the harness's clock.
type Merged struct {
	Run      string
	Seed     uint64
	Start    event.Time // time zero of the plan: the earliest shard's
	Finished event.Time // when the last request was over; never if no shard knows
	Records  []Record   // by Due, then Arrival
	Gaps     Gaps       // seconds from Start
	Client   ClientStats
	Timeline []FaultSeen    // by Requested
	Offsets  []event.Offset // those applied, one a clock, by clock id
	// CutOff names the instances whose shard has no footer: their last records are missing.
	CutOff []string
}

// Merge maps every shard onto the harness's clock and joins them. offsets is by clock id; a clock that
// is not in it is mapped by the shard's own probes. Shards of different runs or seeds, an arrival that
// is in two of them, and a clock that nobody knows are errors. The shards' records are not changed.
func Merge(shards []Shard, offsets map[string]event.Offset) (Merged, error) {
	if len(shards) == 0 {
		return Merged{}, errors.New("there is no shard to merge; the load generator wrote none")
	}
	applied := make(map[string]event.Offset)
	first := &shards[0].Header
	m := Merged{Run: first.Run, Seed: first.Seed}
	total := 0
	for i := range shards {
		s := &shards[i]
		if s.Header.Run != m.Run || s.Header.Seed != m.Seed {
			return Merged{}, fmt.Errorf("shard %s is of run %q with seed %d, shard %s of run %q with seed %d; merge shards of one run only",
				first.Instance, m.Run, m.Seed, s.Header.Instance, s.Header.Run, s.Header.Seed)
		}
		o, ok := offsets[s.Header.Clock]
		if !ok {
			o, ok = s.Offset()
		}
		if !ok {
			return Merged{}, fmt.Errorf("shard %s is on clock %q, which nobody compared with the harness's; give its offset", s.Header.Instance, s.Header.Clock)
		}
		if known, ok := applied[s.Header.Clock]; !ok || o.Error < known.Error {
			applied[s.Header.Clock] = o
		}
		total += len(s.Records)
	}
	for i := range shards {
		h := &shards[i].Header
		if start := applied[h.Clock].Map(h.Start); m.Start == 0 || (start != 0 && start < m.Start) {
			m.Start = start
		}
	}
	m.Records = make([]Record, 0, total)
	for i := range shards {
		m.add(&shards[i], applied[shards[i].Header.Clock])
	}
	slices.SortFunc(m.Records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Arrival, b.Arrival))
	})
	slices.SortStableFunc(m.Timeline, func(a, b FaultSeen) int { return cmp.Compare(a.Requested, b.Requested) })
	for _, clock := range slices.Sorted(maps.Keys(applied)) {
		m.Offsets = append(m.Offsets, applied[clock])
	}
	return m, m.checkArrivals()
}

func (m *Merged) add(s *Shard, o event.Offset) {
	for _, r := range s.Records {
		for _, t := range []*event.Time{&r.Due, &r.Sent, &r.First, &r.Last, &r.End, &r.Harmed} {
			*t = o.Map(*t)
		}
		m.Records = append(m.Records, r)
	}
	// Instances start together up to the clock error; whole seconds are only lost where one began late.
	late := o.Map(s.Header.Start).Sub(m.Start).Round(time.Second)
	m.Gaps.Merge(s.Gaps, int(late/time.Second))
	if !s.Complete {
		m.CutOff = append(m.CutOff, s.Header.Instance)
		return
	}
	m.Finished = max(m.Finished, o.Map(s.Footer.Finished))
	m.Client.add(s.Footer.Client)
	for _, seen := range s.Footer.Timeline {
		seen.Planned, seen.Requested, seen.Ended = o.Map(seen.Planned), o.Map(seen.Requested), o.Map(seen.Ended)
		m.Timeline = append(m.Timeline, seen)
	}
}

// add joins two load generators' health: sums of what adds up, the worse of what does not.
func (c *ClientStats) add(o ClientStats) {
	if chunks := float64(c.ChunksRead) + float64(o.ChunksRead); chunks > 0 {
		c.ReadsPerChunk = (c.ReadsPerChunk*float64(c.ChunksRead) + o.ReadsPerChunk*float64(o.ChunksRead)) / chunks
	}
	c.MaxInFlight += o.MaxInFlight
	c.CPUSeconds += o.CPUSeconds
	c.WallSeconds = max(c.WallSeconds, o.WallSeconds)
	c.TimerLateP99 = max(c.TimerLateP99, o.TimerLateP99)
	c.TimerLateMax = max(c.TimerLateMax, o.TimerLateMax)
	c.ChunksRead += o.ChunksRead
	c.BytesRead += o.BytesRead
	c.GaveUp = cmp.Or(c.GaveUp, o.GaveUp)
	c.Calibration = c.Calibration.worse(o.Calibration)
}

// checkArrivals refuses an arrival that was measured twice: two instances ran one segment.
func (m *Merged) checkArrivals() error {
	seen := make(map[uint64]struct{}, len(m.Records))
	for i := range m.Records {
		a := m.Records[i].Arrival
		if _, twice := seen[a]; twice {
			return fmt.Errorf("arrival %d of run %q was sent by two load generators; give each its own execution segment", a, m.Run)
		}
		seen[a] = struct{}{}
	}
	return nil
}
