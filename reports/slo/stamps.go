package slo

import (
	"cmp"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// recovery is one fault's stamps and durations.
//
// The fault's time runs from its onset to its end:
//   - onset: armed. The proof that makes it effective is an observation and comes a little after the blow;
//     requests that an instant kill breaks are harmed before the dead socket is seen.
//   - end: cleared + horizon; sooner where the load ended, or where the next fault begins after cleared + hold.
//
// Inside it, with bad requests harmed inside it only:
//   - impact: the first bad request of the first out window.
//   - a calm: neighbouring windows that are inside while load was due. It begins at the last bad request of
//     the out window before it and reaches to the end of its last window.
//   - recovered: the beginning of the first calm that reaches cleared + hold and lasts hold.
//   - mitigated: the beginning of the calm that holds cleared (or the end, never cleared) and lasts hold.
//   - out of SLO: from first to last bad request, summed over the out stretches. Relapses: stretches − 1.
func (j *judge) recovery(f *Fault) Recovery {
	r := Recovery{Fault: *f}
	if f.Effective == 0 {
		r.State = Unproven
		return r
	}
	life := span{from: onset(f), to: j.end(f)}
	r.Cut = f.Cleared == 0 || j.seen < f.Cleared+event.Time(j.spec.Hold)
	windows, first := j.sliding.judge(life)
	j.impact(&r, windows, first, life)
	j.detect(&r, life)
	if r.Impact != 0 {
		j.calm(&r, j.calms(windows, first, life), life)
	} else {
		j.absorb(&r, windows, first)
	}
	j.durations(&r)
	j.members(&r, life)
	return r
}

// onset is when a fault may have begun to hurt.
func onset(f *Fault) event.Time {
	if f.Armed != 0 && f.Armed < f.Effective {
		return f.Armed
	}
	return f.Effective
}

// end is until when bad requests are this fault's. Faults that overlap, or follow within hold, are one
// story: nothing tells their victims apart.
func (j *judge) end(f *Fault) event.Time {
	if f.Cleared == 0 {
		return j.seen
	}
	end := f.Cleared + event.Time(j.spec.Horizon)
	for i := range j.in.Faults {
		next := &j.in.Faults[i]
		if next.Effective != 0 && onset(next) >= f.Cleared+event.Time(j.spec.Hold) {
			end = min(end, onset(next))
		}
	}
	return max(onset(f), min(end, j.seen))
}

// impact finds the first bad request and sums the out stretches.
func (j *judge) impact(r *Recovery, windows []Window, first int, life span) {
	stretches := 0
	var began event.Time
	for i, w := range windows {
		if !w.Out {
			continue
		}
		if i == 0 || !windows[i-1].Out {
			stretches++
			began = j.sliding.firstBad(j.inWindow(first+i, life))
			if r.Impact == 0 {
				r.Impact = began
			}
		}
		if i == len(windows)-1 || !windows[i+1].Out {
			r.OutOfSLO += j.sliding.lastBad(j.inWindow(first+i, life)).Sub(began).Seconds()
		}
	}
	r.Relapses = max(0, stretches-1)
}

func (j *judge) inWindow(k int, life span) span {
	return span{max(j.sliding.at(k), life.from), min(j.sliding.end(k), life.to)}
}

// detect finds the system's first own event that names a target.
func (j *judge) detect(r *Recovery, life span) {
	for i := range j.in.Events {
		e := &j.in.Events[i]
		if e.At < life.from || e.At >= life.to || !e.Detection() || !namesAny(e, r.Targets) {
			continue
		}
		if r.Detected == 0 || e.At < r.Detected {
			r.Detected, r.DetectedBy = e.At, string(e.Kind)+" "+e.Target
		}
	}
}

func namesAny(e *event.Event, targets []string) bool {
	for _, t := range targets {
		if e.Names(t) {
			return true
		}
	}
	return false
}

// rest is a calm: its beginning for the eye of a user (the last bad request), from when on it is known
// to be calm, and until when.
type rest struct{ began, from, until event.Time }

// calms lists the calms after the first out window.
func (j *judge) calms(windows []Window, first int, life span) []rest {
	var out []rest
	var lastBad event.Time
	open := -1
	for i := range windows {
		k := first + i
		switch {
		case windows[i].Out:
			lastBad = j.sliding.lastBad(j.inWindow(k, life))
			open = -1
		case j.idle(&windows[i], k):
			open = -1
		case lastBad == 0: // no impact yet
		case open < 0:
			from := lastBad
			if !windows[i-1].Out {
				from = j.sliding.at(k) // after a pause of the load
			}
			out = append(out, rest{began: lastBad, from: from})
			open = len(out) - 1
		}
		if open >= 0 {
			out[open].until = j.until(windows, i, first, life)
		}
	}
	return out
}

// until is how far a calm reaches that holds window i: to the window's end; to the fault's end where it is
// the last one; and no further than load was due.
func (j *judge) until(windows []Window, i, first int, life span) event.Time {
	k := first + i
	switch {
	case i == len(windows)-1:
		return life.to
	case !windows[i+1].Out && j.idle(&windows[i+1], k+1):
		return j.sliding.at(k + 1)
	}
	return min(j.sliding.end(k), life.to)
}

// idle: nothing was due in the window, although it lies inside the observed time. That is no sign of health.
func (j *judge) idle(w *Window, k int) bool {
	return w.Due == 0 && !w.Out && j.sliding.end(k) <= j.seen
}

// calm reads mitigated and recovered off the calms.
func (j *judge) calm(r *Recovery, calms []rest, life span) {
	hold := event.Time(j.spec.Hold)
	cleared := cmp.Or(r.Cleared, life.to)
	for _, c := range calms {
		lasts := c.until-c.from >= hold
		if lasts && c.from < cleared && c.until >= cleared {
			r.Mitigated = c.began
		}
		if lasts && r.Recovered == 0 && r.Cleared != 0 && c.until >= r.Cleared+hold {
			r.Recovered = c.began
		}
	}
	r.State = Recovered
	if r.Recovered == 0 {
		r.State = Censored
		r.Observed = life.to.Sub(r.Impact).Seconds()
	}
}

// absorb settles a fault without impact: absorbed, if load was due all the while.
func (j *judge) absorb(r *Recovery, windows []Window, first int) {
	through := r.Cleared + event.Time(j.spec.Hold)
	for i := range windows {
		r.Cut = r.Cut || (j.idle(&windows[i], first+i) && j.sliding.at(first+i) < through)
	}
	r.State = Absorbed
	if r.Cut {
		r.State = Censored
		r.Observed = max(0, j.seen.Sub(r.Effective)).Seconds()
	}
}

// durations are differences of stamps. Those across two clocks are compared with the clocks' error.
func (j *judge) durations(r *Recovery) {
	err := j.clockError().Seconds()
	if r.Detected != 0 {
		apart := r.Detected.Sub(r.Effective).Seconds()
		r.TTD = new(max(0, apart)) // noticed before it was proven: at once
		if max(apart, -apart) < err {
			r.Unresolved = append(r.Unresolved, "ttd")
		}
	}
	if r.Mitigated != 0 {
		r.TTM = new(r.Mitigated.Sub(r.Impact).Seconds())
	}
	if r.Recovered != 0 {
		r.TTR = new(r.Recovered.Sub(r.Impact).Seconds())
		apart := r.Recovered.Sub(r.Cleared).Seconds()
		r.Residual = new(max(0, apart))
		if max(apart, -apart) < err {
			r.Unresolved = append(r.Unresolved, "residual")
		}
	}
}

// clockError bounds the error of a difference between stamps of two clocks: the two worst offsets.
func (j *judge) clockError() time.Duration {
	var a, b time.Duration // a ≥ b
	for _, o := range j.in.Clocks {
		switch {
		case o.Error > a:
			a, b = o.Error, a
		case o.Error > b:
			b = o.Error
		}
	}
	return a + b
}

// members counts the requests and repairs that belong to the fault: those that share an instant with
// [effective, recovered]. First harm and detection prove an effect as well as the proof does, so the
// earliest of the three opens it; an absorbed fault closes with cleared, a censored one with its end.
func (j *judge) members(r *Recovery, life span) {
	from := r.Effective
	for _, t := range []event.Time{r.Impact, r.Detected} {
		if t != 0 {
			from = min(from, t)
		}
	}
	to := r.Recovered
	switch r.State {
	case Absorbed:
		to = r.Cleared
	case Censored:
		to = life.to
	case Recovered, Unproven:
	}
	for i := range j.in.Records {
		rec := &j.in.Records[i]
		if !overlaps(rec, from, to) {
			continue
		}
		r.Touched++
		switch {
		case j.classes[i] != bad:
		case rec.Outcome == record.OK || rec.Outcome == record.Cancelled || (rec.Outcome == record.Degraded && rec.Violated != record.LimitNone):
			r.Late++
		default:
			r.Lost++
		}
	}
	for i := range j.in.Events {
		e := &j.in.Events[i]
		if e.At < from || e.At > to || !namesAny(e, r.Targets) {
			continue
		}
		switch e.Kind {
		case event.RequestResumed:
			r.Resumed++
		case event.RequestRetried:
			r.Retried++
		default:
		}
	}
}
