package arrivals

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/reports/record"
)

// self measures the load generator: a thread that does nothing but wake every 10 ms tells how long
// the machine lets a ready thread wait.
type self struct {
	began time.Time
	cpu   time.Duration
	stopc chan struct{}
	done  sync.WaitGroup
	late  *hdrhistogram.Histogram // microseconds; only the probe writes it
	max   time.Duration
}

const probePeriod = 10 * time.Millisecond

func watchSelf(w pace.Waiter) *self {
	s := &self{
		began: time.Now(), cpu: cpuTime(), stopc: make(chan struct{}),
		late: hdrhistogram.New(1, time.Minute.Microseconds(), 2),
	}
	s.done.Go(func() { s.probe(w) })
	return s
}

func (s *self) probe(w pace.Waiter) {
	for at := s.began.Add(probePeriod); w.Until(at, s.stopc); {
		now := time.Now()
		s.note(now.Sub(at))
		// A late probe does not make up for missed ones: each counts one wait of a ready thread.
		at = at.Add(now.Sub(at).Truncate(probePeriod) + probePeriod)
	}
}

func (s *self) note(late time.Duration) {
	s.max = max(s.max, late)
	_ = s.late.RecordValue(min(max(late.Microseconds(), 1), s.late.HighestTrackableValue())) // clamped into range
}

func (s *self) stop() record.ClientStats {
	close(s.stopc)
	s.done.Wait()
	return record.ClientStats{
		CPUSeconds: (cpuTime() - s.cpu).Seconds(), WallSeconds: time.Since(s.began).Seconds(),
		TimerLateP99: float64(s.late.ValueAtQuantile(99)) / 1e6, TimerLateMax: s.max.Seconds(),
	}
}
