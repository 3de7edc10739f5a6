package sim

import (
	"math/bits"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Steps records how punctual an engine's steps are: lateness against the plan and planned length, over
// the last minute, in fixed buckets. Recording allocates nothing. Safe for concurrent use.
type Steps struct {
	mu      sync.Mutex
	total   uint64
	minutes [stepsSlots]struct {
		slot         int64
		late, length histogram
	}
}

const (
	stepsSlot  = 10 * time.Second
	stepsSlots = 6
)

func (s *Steps) record(now event.Time, late, length time.Duration) {
	n := int64(now) / int64(stepsSlot)
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := &s.minutes[n%stepsSlots]
	if slot.slot != n {
		slot.slot, slot.late, slot.length = n, histogram{}, histogram{}
	}
	s.total++
	slot.late.add(late)
	slot.length.add(length)
}

// histogram counts durations in buckets an eighth of an octave wide (9 %), from 1 µs to over a minute.
type histogram struct {
	count   uint64
	buckets [histogramBuckets]uint32
}

const (
	histogramSub     = 8
	histogramOctaves = 27 // of microseconds
	histogramBuckets = histogramSub * histogramOctaves
)

func (h *histogram) add(d time.Duration) {
	h.count++
	h.buckets[bucketOf(d)]++
}

func (h *histogram) join(o *histogram) {
	h.count += o.count
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

// quantile is the upper bound of the bucket that holds it: never better than the truth.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q*float64(h.count)) + 1
	var seen uint64
	for i, n := range h.buckets {
		if seen += uint64(n); seen >= rank {
			return bucketEnd(i)
		}
	}
	return bucketEnd(histogramBuckets - 1)
}

// bucketOf: the first eight buckets are a microsecond wide; then each octave has eight.
func bucketOf(d time.Duration) int {
	us := uint64(max(0, d) / time.Microsecond)
	if us < histogramSub {
		return int(us)
	}
	octave := bits.Len64(us) - 4 // 0 for 8…15
	return min(histogramBuckets-1, histogramSub*(octave+1)+int(us>>octave)-histogramSub)
}

func bucketEnd(i int) time.Duration {
	if i < histogramSub {
		return time.Duration(i+1) * time.Microsecond
	}
	octave := i/histogramSub - 1
	return time.Duration((i%histogramSub+histogramSub+1)<<octave) * time.Microsecond
}
