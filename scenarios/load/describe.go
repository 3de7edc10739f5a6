package load

import (
	"fmt"
	"path/filepath"
)

// String is the arrivals in a few words.
func (a Arrivals) String() string {
	switch a.Process {
	case Closed:
		return fmt.Sprintf("closed loop of %d users, think time %v", a.Concurrency, a.Think)
	case Replay:
		if a.Trace == nil {
			return "a trace"
		}
		return "trace " + filepath.Base(a.Trace.File)
	}
	text := fmt.Sprintf("%.2f requests/s (%s)", a.Rate, a.Process)
	if n := len(a.Stages); n > 0 {
		text += fmt.Sprintf(" and %d stages", n)
	}
	if n := len(a.Spikes); n > 0 {
		text += fmt.Sprintf(" and %d spikes", n)
	}
	return text
}
