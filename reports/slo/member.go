package slo

import (
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// overlaps reports whether the request belongs to a stretch of time: its [due, end] and [from, to]
// share an instant, both ends included.
func overlaps(r *record.Record, from, to event.Time) bool {
	return r.Due <= to && over(r) >= from
}
