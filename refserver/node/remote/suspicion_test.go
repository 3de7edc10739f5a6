package remote

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/internal/event"
)

const ms = event.Time(time.Millisecond)

// TestSuspicion walks a node's silence in virtual time, looking every 50 ms as peers do.
func TestSuspicion(t *testing.T) {
	const t0 = 1_000_000 * ms
	s := newSuspicion(DefaultHeartbeat(), t0)
	states := map[event.Time]belief{}
	walk := func(from, to event.Time) {
		for at := from; at <= to; at += 50 {
			if state, fresh := s.look(t0 + at*ms); fresh {
				states[at] = state
			}
		}
	}
	walk(50, 250)
	assert.False(t, s.heard(t0+290*ms), "it was never doubted")
	walk(300, 550)
	assert.Empty(t, states, "less than 300 ms of silence is nothing")
	walk(600, 800)
	assert.Equal(t, map[event.Time]belief{600: suspected}, states)
	assert.True(t, s.heard(t0+810*ms), "it was doubted")
	walk(850, 1100)
	walk(1150, 2000)
	assert.Equal(t, map[event.Time]belief{600: suspected, 1150: suspected, 1850: dead}, states)
	assert.False(t, s.heard(t0+2010*ms), "dead is final: it comes back as a new epoch or not at all")
	state, fresh := s.look(t0 + 2050*ms)
	assert.Equal(t, dead, state)
	assert.False(t, fresh)
}

// A gateway that was stopped itself for ten seconds does not declare every node dead when it wakes.
func TestOurOwnPauseIsNotTheirSilence(t *testing.T) {
	const t0 = 1_000_000 * ms
	s := newSuspicion(DefaultHeartbeat(), t0)
	s.look(t0 + 50*ms)
	state, _ := s.look(t0 + 10_050*ms)
	assert.Equal(t, trusted, state)
	var at event.Time
	for at = 10_100; state != dead; at += 50 {
		state, _ = s.look(t0 + at*ms)
	}
	assert.InDelta(t, 11_000, float64(at), 200, "but real silence after it counts")
}

func TestBackoffIsBounded(t *testing.T) {
	b := backoff{least: 20 * time.Millisecond, most: 500 * time.Millisecond}
	for i, want := range []time.Duration{10, 20, 40, 80, 160, 250, 250, 250} {
		assert.Equal(t, want*time.Millisecond, b.pause(0), i)
	}
	assert.Equal(t, 500*time.Millisecond, b.pause(0.99))
	b.reset()
	assert.Equal(t, 20*time.Millisecond, b.pause(0.5))
}

func TestHeartbeatNamesEveryProblem(t *testing.T) {
	n := 0
	Heartbeat{}.Validate(func(string, string, string) { n++ })
	assert.Equal(t, 1, n)
	Heartbeat{Every: time.Second, SuspectAfter: time.Second, DeadAfter: time.Millisecond}.Validate(func(string, string, string) { n++ })
	assert.Equal(t, 3, n)
	DefaultHeartbeat().Validate(func(key, what, _ string) { assert.Fail(t, key, what) })
	assert.Equal(t, 1150*time.Millisecond, DefaultHeartbeat().Notice())
}
