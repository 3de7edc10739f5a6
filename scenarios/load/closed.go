package load

import "time"

// failedPause is the least time a virtual user whose request failed waits: a target that refuses every
// connection would else be asked as fast as the machine can.
const failedPause = 100 * time.Millisecond

// users is the first request of each virtual user of a share, all due at time zero. User v's requests
// have the indices v, v+Concurrency, v+2·Concurrency …, whatever the others do.
func (p Plan) users(share Share, yield func(Arrival) bool) {
	for user := range uint64(p.Arrivals.Concurrency) {
		if share.Holds(user) && !yield(p.arrival(user, 0)) {
			return
		}
	}
}

// Next is what the virtual user of a sends after its answer, or its failure, came at ended (from time
// zero); false when the plan is over by then. Only a closed loop has it.
func (p Plan) Next(a Arrival, ended time.Duration, failed bool) (Arrival, bool) {
	pause := p.Arrivals.Think
	if failed {
		pause = max(pause, failedPause)
	}
	due := ended + pause
	if due >= p.Duration {
		return Arrival{}, false
	}
	return p.arrival(a.Index+uint64(p.Arrivals.Concurrency), due), true
}
