package event

import "sync"

// Log keeps the newest events of one process and wakes its followers. It is a Sink.
type Log struct {
	clock *Clock
	size  int

	mu     sync.Mutex
	ring   []Event // ring[i] holds Seq first+i, in order
	first  uint64
	next   uint64
	waiter chan struct{} // closed and replaced by every Emit
}

// NewLog keeps at most size events (older ones are dropped; Since says how many).
func NewLog(clock *Clock, size int) *Log {
	return &Log{clock: clock, size: size, first: 1, next: 1, waiter: make(chan struct{})}
}

// Clock is the clock that stamps the log.
func (l *Log) Clock() *Clock { return l.clock }

// Emit stamps the event where it has no time, numbers it and stores it.
func (l *Log) Emit(e Event) {
	if e.At == 0 {
		e.At = l.clock.Now()
	}
	l.mu.Lock()
	e.Seq = l.next
	l.next++
	l.ring = append(l.ring, e)
	if len(l.ring) > 2*l.size { // amortised: one copy per size events
		drop := len(l.ring) - l.size
		l.ring = append(l.ring[:0], l.ring[drop:]...)
		l.first += uint64(drop)
	}
	w := l.waiter
	l.waiter = make(chan struct{})
	l.mu.Unlock()
	close(w)
}

// Since returns the events with Seq > seq, how many of those were already dropped, and a channel
// that closes when there is more.
func (l *Log) Since(seq uint64) (events []Event, dropped uint64, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := seq + 1
	if from < l.first {
		dropped = l.first - from
		from = l.first
	}
	if from < l.next {
		events = append(events, l.ring[from-l.first:]...)
	}
	return events, dropped, l.waiter
}
