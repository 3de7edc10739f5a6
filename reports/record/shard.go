package record

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Shard is one load generator's file, read back.
type Shard struct {
	Header   Header
	Records  []Record
	Gaps     Gaps
	Footer   Footer
	Complete bool // the footer was there, and as many records as it says
}

// Offset maps the shard's clock onto the harness's. The load generator probed the other way round, so
// its best estimate is inverted; estimates that disagree (a drifting clock) widen the error.
// ok is false when the shard holds no estimate.
func (s *Shard) Offset() (o event.Offset, ok bool) {
	probed := make([]event.Offset, 0, len(s.Header.Offsets)+len(s.Footer.Offsets))
	probed = append(append(probed, s.Header.Offsets...), s.Footer.Offsets...)
	if len(probed) == 0 {
		return event.Offset{}, false
	}
	best := probed[0]
	for _, p := range probed[1:] {
		if p.Error < best.Error {
			best = p
		}
	}
	apart := time.Duration(0)
	for _, p := range probed {
		apart = max(apart, (p.Shift - best.Shift).Abs())
	}
	return event.Offset{Clock: s.Header.Clock, Shift: -best.Shift, Error: max(best.Error, apart)}, true
}

// Header opens a shard: what its records mean.
type Header struct {
	Run      string     `json:"run"`
	Instance string     `json:"instance"` // "1/1", or the execution segment
	Seed     uint64     `json:"seed"`
	Clock    string     `json:"clock"`    // id of the clock the times are on
	Start    event.Time `json:"start_ns"` // time zero of the load plan on that clock
	Version  int        `json:"version"`  // of the codec
	Producer string     `json:"producer"`
	// Offsets of the harness's clock as probed before the load began: they place a shard that was cut
	// off before its footer.
	Offsets []event.Offset `json:"offsets,omitempty"`
}

// Footer closes a shard. A shard without one was cut off: its records are good, its verdict is unknown.
type Footer struct {
	Records  uint64         `json:"records"`
	Dropped  uint64         `json:"dropped"`           // due and never sent (they are records too)
	Finished event.Time     `json:"finished_ns"`       // when the last request was over
	Offsets  []event.Offset `json:"offsets,omitempty"` // of the harness's clock, as probed by the load generator
	// Client is what the load generator knows about its own health.
	Client ClientStats `json:"client"`
	// Timeline is what the timeline executor saw of each fault, on the shard's clock.
	Timeline []FaultSeen `json:"timeline,omitempty"`
}

// ClientStats are the load generator's own numbers; the guards of the verdict read them.
type ClientStats struct {
	MaxInFlight   int     `json:"max_in_flight"`
	CPUSeconds    float64 `json:"cpu_s"`            // user + system of the load generator
	WallSeconds   float64 `json:"wall_s"`           //
	TimerLateP99  float64 `json:"timer_late_p99_s"` // how late an idle timer thread woke: a starved machine
	TimerLateMax  float64 `json:"timer_late_max_s"`
	ReadsPerChunk float64 `json:"reads_per_chunk"` // 1 = every token caught in its own read
	ChunksRead    uint64  `json:"chunks_read"`
	BytesRead     uint64  `json:"bytes_read"`
	GaveUp        string  `json:"gave_up,omitempty"` // why the load ended before its plan; "" = it did not
	// Calibration was made before time zero; nil = none was asked for.
	Calibration *Calibration `json:"calibration,omitempty"`
}

// FaultSeen is one fault as the timeline executor drove it.
type FaultSeen struct {
	ID        string     `json:"id"`
	Fault     string     `json:"fault"` // one-line syntax
	Planned   event.Time `json:"planned_ns"`
	Requested event.Time `json:"requested_ns"` // inject call sent
	Ended     event.Time `json:"ended_ns"`     // clear call answered, or the lease seen gone
	Error     string     `json:"error,omitempty"`
	LeaseLost bool       `json:"lease_lost,omitempty"`
}
