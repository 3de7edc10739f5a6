package record

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Gaps holds every gap between content chunks, as one histogram a second (by the instant the later
// chunk came, from time zero of the plan). Unit: microseconds, 2 significant digits, up to 10 minutes.
type Gaps struct {
	Seconds map[int]*hdrhistogram.Histogram
}

// NewGapHistogram is the one shape all gap histograms have, so that they merge exactly.
func NewGapHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 2)
}

// Add puts one gap into second sec.
func (g *Gaps) Add(sec int, gap time.Duration) {
	h := g.histogram(sec)
	us := min(max(gap.Microseconds(), 1), h.HighestTrackableValue())
	_ = h.RecordValue(us) // us is clamped into the trackable range
}

// Range merges the seconds [from, to).
func (g *Gaps) Range(from, to int) *hdrhistogram.Histogram {
	sum := NewGapHistogram()
	for s := from; s < to; s++ {
		if h := g.Seconds[s]; h != nil {
			sum.Merge(h)
		}
	}
	return sum
}

// Merge adds every gap of other, shifted by whole seconds: exact, because all histograms have one shape.
func (g *Gaps) Merge(other Gaps, shift int) {
	for sec, h := range other.Seconds {
		g.histogram(max(sec+shift, 0)).Merge(h)
	}
}

// histogram is second sec's, made when missing.
func (g *Gaps) histogram(sec int) *hdrhistogram.Histogram {
	if g.Seconds == nil {
		g.Seconds = make(map[int]*hdrhistogram.Histogram)
	}
	h := g.Seconds[sec]
	if h == nil {
		h = NewGapHistogram()
		g.Seconds[sec] = h
	}
	return h
}
