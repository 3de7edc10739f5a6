package remote

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// belief is what silence makes of a node.
type belief uint8

const (
	trusted belief = iota
	suspected
	dead
)

// suspicion measures a node's silence. It holds no clock and no timer: now comes from its caller, who
// looks at least each period.
type suspicion struct {
	cfg    Heartbeat
	last   event.Time // of the newest heartbeat, moved by pauses of our own
	looked event.Time
	state  belief // dead is final
}

func newSuspicion(cfg Heartbeat, now event.Time) *suspicion {
	return &suspicion{cfg: cfg, last: now, looked: now}
}

// heard notes a heartbeat and reports whether the node was suspected until now.
func (s *suspicion) heard(now event.Time) (relieved bool) {
	if s.state == dead {
		return false
	}
	s.last = max(s.last, now)
	relieved = s.state == suspected
	s.state = trusted
	return relieved
}

// look draws the conclusion from the silence until now and reports whether it is a new one.
//
// Where we ourselves were not looking for longer than a few periods (this process was stopped, its
// machine starved) heartbeats may wait unread: that time is not the node's silence.
func (s *suspicion) look(now event.Time) (belief, bool) {
	period := s.cfg.look()
	if away := now.Sub(s.looked); away > 4*period {
		s.last = s.last.Add(away - period)
	}
	s.looked = now
	before := s.state
	switch silent := s.silence(now); {
	case s.state == dead:
	case silent >= s.cfg.DeadAfter:
		s.state = dead
	case silent >= s.cfg.SuspectAfter:
		s.state = suspected
	}
	return s.state, s.state != before
}

func (s *suspicion) silence(now event.Time) time.Duration { return now.Sub(s.last) }
