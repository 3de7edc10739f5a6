package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/internal/event"
)

// The rule of one window, at its edges: out when SLI < objective and bad ≥ minBad.
func TestWindowRule(t *testing.T) {
	for _, row := range []struct {
		due, bad int
		sli      float64
		out      bool
	}{
		{0, 0, 1, false}, // empty
		{0, 2, 0, false}, // too few to tell
		{0, 3, 0, true},  // nothing due, and yet three were hurt
		{30, 3, 0.9, false},
		{29, 3, 1 - 3.0/29, true},
		{5, 2, 0.6, false},
		{4, 9, 0, true}, // victims that were due before
	} {
		w := sliding{start: zero, length: time.Second, objective: 0.9, minBad: 3}
		for range row.due {
			w.due = append(w.due, s(0.5))
		}
		for range row.bad {
			w.bad = append(w.bad, s(0.5))
		}
		windows, first := w.judge(always())
		assert.Zero(t, first)
		if row.due+row.bad == 0 {
			assert.Empty(t, windows)
			continue
		}
		assert.Equal(t, Window{Due: row.due, Bad: row.bad, SLI: row.sli, Out: row.out}, windows[0])
	}
}

func TestWindowLength(t *testing.T) {
	assert.Equal(t, time.Second, WindowLength(130))
	assert.Equal(t, 10*time.Second, WindowLength(2))
	assert.Equal(t, time.Second, WindowLength(0))
}

// A damaged stamp centuries ahead costs a bounded number of windows and seconds.
func TestDamagedStampsAreBounded(t *testing.T) {
	w := sliding{start: zero, length: time.Second, due: []event.Time{1 << 62}}
	assert.Equal(t, maxWindows, w.count())
}
