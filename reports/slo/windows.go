package slo

import (
	"math"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// sliding is the SLI over sliding windows. Window k is [start + k·step, + length): due counts the
// requests due in it, bad those harmed in it. The two are different requests, so bad may exceed due.
type sliding struct {
	start     event.Time
	length    time.Duration
	objective float64
	minBad    int
	due, bad  []event.Time // sorted; due of what is counted, harmed of what is bad
}

// maxWindows bounds a run at a week: a damaged time stamp must not become a loop without end.
const maxWindows = int(7 * 24 * time.Hour / step)

// span is a half-open stretch of time.
type span struct{ from, to event.Time }

func always() span { return span{math.MinInt64, math.MaxInt64} }

func (s *sliding) at(k int) event.Time  { return s.start + event.Time(k)*event.Time(step) }
func (s *sliding) end(k int) event.Time { return s.at(k) + event.Time(s.length) }

// count is how many windows there are: the last one still begins before the last thing that happened.
func (s *sliding) count() int {
	last := s.start - 1
	for _, list := range [][]event.Time{s.due, s.bad} {
		if n := len(list); n > 0 {
			last = max(last, list[n-1])
		}
	}
	if last < s.start {
		return 0
	}
	return min(int((last-s.start)/event.Time(step))+1, maxWindows)
}

// within is the windows that overlap c, as [first, past).
func (s *sliding) within(c span) (first, past int) {
	past = s.count()
	if c.to < s.end(past) {
		past = min(past, max(0, int((c.to-s.start+event.Time(step)-1)/event.Time(step))))
	}
	if c.from > s.start {
		first = max(0, int((c.from-s.start-event.Time(s.length))/event.Time(step)))
		for first < past && s.end(first) <= c.from {
			first++
		}
	}
	return min(first, past), past
}

// judge gives the windows that overlap c. Bad requests harmed outside c do not count in them: what hurt
// before a fault is not the fault's.
func (s *sliding) judge(c span) (windows []Window, first int) {
	first, past := s.within(c)
	windows = make([]Window, 0, past-first)
	var due, bad cursor
	for k := first; k < past; k++ {
		from, to := s.at(k), s.end(k)
		w := Window{At: from.Sub(s.start)}
		w.Due = due.count(s.due, from, to)
		w.Bad = bad.count(s.bad, max(from, c.from), min(to, c.to))
		w.SLI = sli(w.Due, w.Bad)
		w.Out = w.Bad >= s.minBad && w.SLI < s.objective
		windows = append(windows, w)
	}
	return windows, first
}

func sli(due, bad int) float64 {
	switch {
	case bad == 0:
		return 1
	case bad >= due:
		return 0
	}
	return 1 - float64(bad)/float64(due)
}

// cursor counts in windows that only move forward, without searching anew.
type cursor struct{ lo, hi int }

func (c *cursor) count(sorted []event.Time, from, to event.Time) int {
	if c.hi == 0 && len(sorted) > 0 && sorted[0] < from {
		c.lo, _ = slices.BinarySearch(sorted, from)
		c.hi = c.lo
	}
	for c.lo < len(sorted) && sorted[c.lo] < from {
		c.lo++
	}
	for c.hi = max(c.hi, c.lo); c.hi < len(sorted) && sorted[c.hi] < to; {
		c.hi++
	}
	return c.hi - c.lo
}

// firstBad and lastBad are the outermost bad requests harmed in c; never if there is none.
func (s *sliding) firstBad(c span) event.Time {
	if i, _ := slices.BinarySearch(s.bad, c.from); i < len(s.bad) && s.bad[i] < c.to {
		return s.bad[i]
	}
	return 0
}

func (s *sliding) lastBad(c span) event.Time {
	if i, _ := slices.BinarySearch(s.bad, c.to); i > 0 && s.bad[i-1] >= c.from {
		return s.bad[i-1]
	}
	return 0
}

// thin keeps the windows that differ from a neighbour in SLI or side: the rest is a straight line.
func thin(all []Window) []Window {
	same := func(a, b Window) bool { return a.SLI == b.SLI && a.Out == b.Out }
	kept := make([]Window, 0, 16)
	for k, w := range all {
		if k == 0 || k == len(all)-1 || !same(w, all[k-1]) || !same(w, all[k+1]) {
			kept = append(kept, w)
		}
	}
	return kept
}
