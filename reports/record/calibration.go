package record

import (
	"slices"
	"time"
)

// Calibration is what a load generator measured of itself before time zero: its measuring client
// against a server in its own process that stamps every chunk as it hands it to the kernel. Both
// stamps come from one clock, so their difference is the client's error and nothing else.
type Calibration struct {
	Seconds    float64 `json:"seconds"`    // that it took
	Rounds     int     `json:"rounds"`     // of paced streams; the better one is told
	Streams    int     `json:"streams"`    // of that round
	Concurrent int     `json:"concurrent"` // of them, at most
	// TTFTError is |the client's stamp of a first chunk − the server's|, GapError |the client's gap − the
	// server's|, every gap.
	TTFTError Spread `json:"ttft_error"`
	GapError  Spread `json:"gap_error"`

	// Read as fast as they come, with the cores that the process has; the known server runs on them too.
	ChunksPerSecond  float64 `json:"chunks_per_s"`
	StreamsPerSecond float64 `json:"streams_per_s"`
	Asked            float64 `json:"asked_chunks_per_s"` // what the plan asks for; 0 of a closed loop
	Headroom         float64 `json:"headroom"`           // ChunksPerSecond ÷ Asked; 0 where that is 0

	Failed string `json:"failed,omitempty"` // why there are no numbers; "" = there are
}

// HeadroomKnown reports whether there is a head-room to judge: of a closed loop nobody knows what it asks for.
func (c *Calibration) HeadroomKnown() bool { return c.Asked > 0 || c.Headroom > 0 }

// Spread is a distribution of errors, in seconds. P50 and P99 are order statistics: of n values the
// ⌈n·p⌉-th smallest.
type Spread struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50_s"`
	P99 float64 `json:"p99_s"`
	Max float64 `json:"max_s"`
}

// worse joins the calibrations of two load generators: the larger errors, the smaller head-room, and
// the sums of what adds up. Either may be nil: then the other one's.
func (c *Calibration) worse(o *Calibration) *Calibration {
	if c == nil || o == nil {
		if c == nil {
			c = o
		}
		return c
	}
	out := *c
	out.Seconds = max(c.Seconds, o.Seconds)
	out.Rounds = max(c.Rounds, o.Rounds)
	out.Streams += o.Streams
	out.Concurrent += o.Concurrent
	out.TTFTError, out.GapError = c.TTFTError.worse(o.TTFTError), c.GapError.worse(o.GapError)
	out.ChunksPerSecond += o.ChunksPerSecond
	out.StreamsPerSecond += o.StreamsPerSecond
	out.Asked += o.Asked
	out.Headroom = min(c.Headroom, o.Headroom)
	if out.Failed == "" {
		out.Failed = o.Failed
	}
	return &out
}

// SpreadOf sorts all and takes its order statistics; of nothing they are zero.
func SpreadOf(all []time.Duration) Spread {
	n := len(all)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(all)
	at := func(percent int) float64 { return all[max((n*percent+99)/100, 1)-1].Seconds() }
	return Spread{N: n, P50: at(50), P99: at(99), Max: all[n-1].Seconds()}
}

func (s Spread) worse(o Spread) Spread {
	return Spread{N: s.N + o.N, P50: max(s.P50, o.P50), P99: max(s.P99, o.P99), Max: max(s.Max, o.Max)}
}
