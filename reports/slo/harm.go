package slo

import (
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// Harm is the earliest instant at which the request hurt its user, and the limit that was passed then
// (LimitNone: the request failed before it passed one). never = unharmed.
//
//   - ttft: due + limit, once first content is later than that or has not come by then
//   - gap: gapExceededAt, the instant the running gap passed the limit (never = it did not); and, where a
//     stream did not complete, last content + limit
//   - tpot: last content of a complete answer, for it is a property of the whole
//   - e2e: due + limit, once the end is later
//   - a failure: its end
//
// A planned cancel and an unfinished request are no failures of themselves: only limits count. An answer
// that was not streamed has no limit but e2e.
func (l Limits) Harm(r *record.Record, gapExceededAt event.Time) (at event.Time, limit record.Limit) {
	consider := func(t event.Time, by record.Limit) {
		if t != 0 && (at == 0 || t < at) {
			at, limit = t, by
		}
	}
	complete := r.Outcome == record.OK || r.Outcome == record.Degraded
	if r.Streaming {
		if l.TTFT > 0 {
			if deadline := r.Due.Add(l.TTFT); r.First > deadline || (r.First == 0 && r.End > deadline) {
				consider(deadline, record.LimitTTFT)
			}
		}
		if l.Gap > 0 {
			consider(gapExceededAt, record.LimitGap)
			switch silence := r.Last.Add(l.Gap); {
			case !complete && r.Last != 0 && r.End > silence:
				consider(silence, record.LimitGap)
			case gapExceededAt == 0 && r.MaxGap > l.Gap:
				consider(r.Last, record.LimitGap) // it was somewhere before
			}
		}
		if tpot, ok := r.TPOT(); ok && complete && l.TPOT > 0 && tpot > l.TPOT {
			consider(r.Last, record.LimitTPOT)
		}
	}
	if l.E2E > 0 {
		if deadline := r.Due.Add(l.E2E); r.End > deadline {
			consider(deadline, record.LimitE2E)
		}
	}
	if !complete && r.Outcome != record.Cancelled && r.Outcome != record.Unfinished {
		consider(over(r), record.LimitNone)
	}
	return at, limit
}

// over is when the request was over; what was never sent was over when it was due.
func over(r *record.Record) event.Time { return max(r.End, r.Due) }
