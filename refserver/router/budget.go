package router

import (
	"sync"
	"time"
)

// budget bounds how much retrying may amplify an outage: retries in a rolling window are at most a
// share of the requests in it, with a floor. Resumes and hand-backs are not charged.
type budget struct {
	share float64
	floor int
	slot  time.Duration

	mu    sync.Mutex
	slots [budgetSlots]budgetSlot
}

const budgetSlots = 10

type budgetSlot struct {
	number            int64 // of the slot in time; a stale one is empty
	requests, retries int
}

func newBudget(share float64, floor int, window time.Duration) *budget {
	return &budget{share: share, floor: floor, slot: window / budgetSlots}
}

// request counts one request as live traffic.
func (b *budget) request(now time.Time) {
	b.mu.Lock()
	b.at(now).requests++
	b.mu.Unlock()
}

// take charges one retry, or reports false when the budget is spent.
func (b *budget) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.available(now) < 1 {
		return false
	}
	b.at(now).retries++
	return true
}

// left is how many more retries would be granted now.
func (b *budget) left(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.available(now))
}

func (b *budget) available(now time.Time) float64 {
	newest := now.UnixNano() / int64(b.slot)
	requests, retries := 0, 0
	for i := range b.slots {
		if s := &b.slots[i]; s.number > newest-budgetSlots && s.number <= newest {
			requests += s.requests
			retries += s.retries
		}
	}
	return max(float64(b.floor), b.share*float64(requests)) - float64(retries)
}

func (b *budget) at(now time.Time) *budgetSlot {
	number := now.UnixNano() / int64(b.slot)
	s := &b.slots[number%budgetSlots]
	if s.number != number {
		*s = budgetSlot{number: number}
	}
	return s
}
