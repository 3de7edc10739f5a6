// Package pace waits for an instant more exactly than Go's timers, which are 0.5 to 1 ms coarse
// when the process is idle. Engine steps and load arrivals both wait here.
//
// What may not live here: schedules. Callers compute the instant; this package only waits for it.
package pace

import "time"

// Waiter waits until an instant.
type Waiter interface {
	// Until returns at t (or a little later; never earlier) and reports true, or reports false as
	// soon as stop is closed. An instant in the past returns at once. One goroutine at a time.
	Until(t time.Time, stop <-chan struct{}) bool
}

// Timers waits on Go's timers. It works in a testing/synctest bubble and on every system.
type Timers struct{}

// Until implements Waiter.
func (Timers) Until(t time.Time, stop <-chan struct{}) bool {
	d := time.Until(t)
	if d <= 0 {
		return !closed(stop)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}

func closed(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}
