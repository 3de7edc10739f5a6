package result

import (
	"slices"

	"github.com/brownout-dev/brownout/internal/event"
)

// MaxEvents bounds the events in a file. A minute of a broken cluster makes a few thousand, nearly
// all of them about single requests.
const MaxEvents = 10_000

// boundEvents keeps at most limit events, in their order, and counts the rest in EventsCut. Events
// about replicas and faults, which the story cannot do without, go before those about one request.
func (r *Result) boundEvents(limit int) {
	over := len(r.Events) - limit
	if over <= 0 {
		return
	}
	r.EventsCut += over
	single := 0
	for _, e := range r.Events {
		if e.Request != "" {
			single++
		}
	}
	// Drop the latest: of a storm of like events the first ones say how it began.
	dropSingle := min(over, single)
	dropOther := over - dropSingle
	keep := make([]event.Event, 0, limit)
	for _, e := range slices.Backward(r.Events) {
		switch {
		case e.Request != "" && dropSingle > 0:
			dropSingle--
		case e.Request == "" && dropOther > 0:
			dropOther--
		default:
			keep = append(keep, e)
		}
	}
	slices.Reverse(keep)
	r.Events = keep
}
