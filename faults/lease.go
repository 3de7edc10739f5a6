package faults

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Cause says in one word why a fault was cleared.
type Cause string

// Causes.
const (
	CauseAsked    Cause = "asked"      // a clear call
	CauseStopAll  Cause = "stop-all"   // a stop-all call
	CauseDuration Cause = "duration"   // its own duration is over
	CauseLease    Cause = "lease"      // nobody renewed the lease: the journal says expired
	CauseCaller   Cause = "caller"     // who injected it hung up before it had the answer
	CauseHolder   Cause = "holder"     // the holder ends
	CauseLeftover Cause = "leftover"   // an earlier holder left it behind
	CauseArm      Cause = "arm-failed" // it never came on properly
)

// Lease says how long a fault may stay on. It is arithmetic only: who holds the fault asks it, and
// waits. End never moves; Expires moves with renewals and never passes End.
type Lease struct {
	End     event.Time // armed + the fault's duration
	Expires event.Time
}

// NewLease begins with the fault's duration as the only bound.
func NewLease(armed event.Time, duration time.Duration) Lease {
	end := armed.Add(duration)
	return Lease{End: end, Expires: end}
}

// Renew lets the fault stay on for d from now. Zero or less leaves the fault's duration as the only bound.
func (l *Lease) Renew(now event.Time, d time.Duration) {
	l.Expires = l.End
	if d > 0 && now.Add(d) < l.End {
		l.Expires = now.Add(d)
	}
}

// Over reports whether the fault must end now, and why.
func (l Lease) Over(now event.Time) (Cause, bool) {
	switch {
	case now >= l.End:
		return CauseDuration, true
	case now >= l.Expires:
		return CauseLease, true
	}
	return "", false
}
