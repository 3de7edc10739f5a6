// Package session is what the executors and the output of one test run share inside the process:
// the clock, time zero, counters, what became of the faults, and how the test ends. The extension's root owns the registry.
//
// What may not live here: sending, files, k6's interfaces beyond the identity of a test and its channel.
package session

import (
	"sync"
	"sync/atomic"
	"time"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Registry finds the session of a run. Safe for concurrent use.
type Registry struct {
	mu   sync.Mutex
	runs map[string]*Session
	test *Test // the newest
}

// NewRegistry makes an empty one.
func NewRegistry() *Registry { return &Registry{runs: make(map[string]*Session)} }

// Open is the session of run in the test that es belongs to. A session of an earlier test with the
// same run id is replaced: its time zero is over.
func (r *Registry) Open(run string, es *lib.ExecutionState) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.runs[run]
	if s == nil || s.test != es {
		var registry *metrics.Registry
		if es != nil {
			registry = es.Test.Registry
		}
		test, _ := r.testOf(registry)
		s = &Session{Run: run, Clock: test.Clock, Test: test, test: es, zero: make(chan struct{}), over: make(chan struct{})}
		r.runs[run] = s
	}
	return s
}

// Find is the newest session of run; nil if no executor of ours belongs to it.
func (r *Registry) Find(run string) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs[run]
}

// Session is one test run.
type Session struct {
	Run   string
	Clock *event.Clock
	Test  *Test
	test  *lib.ExecutionState

	// Counters of the load; the arrivals executor writes, the live progress reads.
	Due      atomic.Uint64
	InFlight atomic.Int64

	mu       sync.Mutex
	options  *load.ArrivalsOptions // nil without a load of ours
	recycle  func([]time.Duration)
	zero     chan struct{} // closed by Start
	over     chan struct{} // closed by Finish
	start    event.Time
	client   record.ClientStats
	finished event.Time
	faults   []*record.FaultSeen // in the order of their requests
}

// Expect says that a load with these options is part of the test: its start is time zero. It reports false if there is one already.
func (s *Session) Expect(o *load.ArrivalsOptions) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options != nil {
		return false
	}
	s.options = o
	return true
}

// Options are those of the load; nil if none is part of the test.
func (s *Session) Options() *load.ArrivalsOptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

// Start sets time zero; only the first call counts. It returns the time zero that holds.
func (s *Session) Start(at event.Time) event.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.start == 0 {
		s.start = at
		close(s.zero)
	}
	return s.start
}

// Zero is closed once time zero is known.
func (s *Session) Zero() <-chan struct{} { return s.zero }

// Began is time zero; never before Start.
func (s *Session) Began() event.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start
}

// Finish says, once, that the load is over and leaves the load generator's own numbers for the footer.
func (s *Session) Finish(stats record.ClientStats, at event.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client, s.finished = stats, at
	close(s.over)
}

// Over is closed once the load of the session is over; never without one.
func (s *Session) Over() <-chan struct{} { return s.over }

// Finished is what Finish left.
func (s *Session) Finished() (record.ClientStats, event.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client, s.finished
}

// SetRecycle says who takes the gaps of finished requests back.
func (s *Session) SetRecycle(f func([]time.Duration)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recycle = f
}

// Recycle hands gaps back to their owner.
func (s *Session) Recycle(gaps []time.Duration) {
	s.mu.Lock()
	f := s.recycle
	s.mu.Unlock()
	if f != nil {
		f(gaps)
	}
}

// Seen is one noted fault.
type Seen struct {
	s *Session
	f *record.FaultSeen
}

// Fault notes a fault that the timeline is about to request.
func (s *Session) Fault(f record.FaultSeen) Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := &f
	s.faults = append(s.faults, kept)
	return Seen{s: s, f: kept}
}

// Update changes what is noted.
func (n Seen) Update(change func(*record.FaultSeen)) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	change(n.f)
}

// Faults is a copy of all that is noted.
func (s *Session) Faults() []record.FaultSeen {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]record.FaultSeen, len(s.faults))
	for i, f := range s.faults {
		out[i] = *f
	}
	return out
}
