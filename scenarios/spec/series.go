package spec

import (
	"fmt"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/synth"
)

// variants says what is run side by side, the first one under test.
func (e *explainer) variants() {
	if len(e.Variants) == 0 {
		return
	}
	name := 0
	for _, v := range e.Variants {
		name = max(name, len(v.Name))
	}
	e.line("Variants  with --trials, side by side under the same seeds")
	for _, v := range e.Variants {
		role := ""
		switch v.Expect {
		case ExpectPass:
			role = " (under test)"
		case ExpectFail:
			role = " (a control: it must fail)"
		}
		changes := "as above"
		if len(v.Set) > 0 {
			changes = strings.Join(v.Set, ", ")
		}
		e.line("  %-*s  %s%s", name, v.Name, changes, role)
	}
	for _, l := range wrap(e.publishedLine(), width-2) {
		e.line("  %s", l)
	}
	e.line("")
}

func (e *explainer) publishedLine() string {
	if e.Published == "" {
		return ""
	}
	return "published for another system: " + e.Published
}

// Delayed is a deep copy whose faults all come later by d. It fails where Room would.
func (s *Spec) Delayed(d time.Duration) (*Spec, error) {
	if room := s.Room(); d < 0 || d > room {
		return nil, fmt.Errorf("the faults of scenario %s cannot come %s later: the plan has room for %s; lengthen its last phase", s.Name, short(d), short(room))
	}
	c := s.WithSeed(s.Seed)
	c.Delay += d
	for i := range c.Faults {
		c.Faults[i].At += d
	}
	return c, nil
}

// Room is how much later every fault may come so that its recovery can still be told: within the plan
// after the hold time, and not inside a quiet phase. Without faults it is zero.
func (s *Spec) Room() time.Duration {
	if len(s.Faults) == 0 {
		return 0
	}
	room := s.Length()
	for _, f := range s.Faults {
		cleared := f.At + f.Fault.For
		room = min(room, s.Length()-s.SLO.Hold-cleared)
		for _, p := range s.Phases {
			if p.Quiet && p.At >= cleared {
				room = min(room, p.At-cleared)
			}
		}
	}
	return max(0, room)
}

// Share is a number from 0 up to 1 that depends on the seed alone, for the place of an injection within
// a period of the target's.
func Share(seed uint64) float64 {
	const salt = 0x74_72_69_61_6c // "trial": the fault draws come from the same seed
	return float64(synth.Mix(synth.Mix(seed)^salt)>>11) / (1 << 53)
}
