package event

import "time"

// Offset maps another process's Times onto ours: ours = theirs − Shift, known to ± Error.
type Offset struct {
	Clock string        `json:"clock"`    // the other clock's id
	Shift time.Duration `json:"shift_ns"` // theirs − ours
	Error time.Duration `json:"error_ns"` // half the best round trip
}

// Map converts a Time of the other clock; never stays never.
func (o Offset) Map(theirs Time) Time {
	if theirs == 0 {
		return 0
	}
	return theirs - Time(o.Shift)
}

// Probe is one round trip: Sent and Received on our clock, Theirs read in between.
type Probe struct {
	Sent, Received Time
	Theirs         Reading
}

// Estimate is Cristian's algorithm: the probe with the shortest round trip wins, its reading is
// taken as the midpoint, and half its round trip bounds the error. ok is false without a usable
// probe (none, or the other clock changed its id between probes: the process was replaced).
func Estimate(probes []Probe) (o Offset, ok bool) {
	best := time.Duration(-1)
	for i, p := range probes {
		if i > 0 && p.Theirs.Clock != probes[0].Theirs.Clock {
			return Offset{}, false
		}
		rtt := p.Received.Sub(p.Sent)
		if rtt < 0 || (best >= 0 && rtt >= best) {
			continue
		}
		best = rtt
		mid := p.Sent + Time(rtt/2)
		o = Offset{Clock: p.Theirs.Clock, Shift: time.Duration(p.Theirs.Now - mid), Error: (rtt + 1) / 2}
	}
	return o, best >= 0
}
