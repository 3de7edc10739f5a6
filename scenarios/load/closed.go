package load

import "time"

// failedPause is the least time a virtual user whose request failed waits: a target that refuses every
// connection would else be asked as fast as the machine can.
const failedPause = 100 * time.Millisecond

// Users are the virtual users of a closed loop. They may be asked concurrently.
type Users struct {
	number  uint64
	think   time.Duration
	until   time.Duration
	sampler *sampler
}

// Users are those of the plan, which must be a closed loop.
func (p Plan) Users() *Users {
	return &Users{number: uint64(p.Arrivals.Concurrency), think: p.Arrivals.Think, until: p.Duration, sampler: p.sampler()}
}

// first is the first request of each virtual user of a share, all due at time zero. User v's requests
// have the indices v, v+Concurrency, v+2·Concurrency …, whatever the others do.
func (u *Users) first(share Share, yield func(Arrival) bool) {
	for user := range u.number {
		if share.Holds(user) && !yield(u.arrival(user, 0)) {
			return
		}
	}
}

// Next is what the virtual user of a sends after its answer, or its failure, came at ended (from time
// zero); false when the plan is over by then.
func (u *Users) Next(a Arrival, ended time.Duration, failed bool) (Arrival, bool) {
	pause := u.think
	if failed {
		pause = max(pause, failedPause)
	}
	due := ended + pause
	if due >= u.until {
		return Arrival{}, false
	}
	return u.arrival(a.Index+u.number, due), true
}

// arrival draws the class for each request anew: weights are shares of the requests.
func (u *Users) arrival(index uint64, due time.Duration) Arrival {
	return u.sampler.arrival(index, visit{due: due, item: index, class: u.sampler.class(index)})
}
