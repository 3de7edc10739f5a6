package session

import (
	"sync"
	"time"

	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/k6ext/recovery"
	"github.com/brownout-dev/brownout/k6ext/sample"
)

// Test is what everything of ours shares in one k6 test: one clock, one recorder, one end.
type Test struct {
	Clock    *event.Clock
	Recovery *recovery.Recorder
	registry *metrics.Registry

	mu      sync.Mutex
	out     chan<- metrics.SampleContainer
	endings []func()
	ended   bool
}

// Test is the test that the registry of metrics belongs to: k6 makes one for each. fresh is true for
// the first who asks.
func (r *Registry) Test(registry *metrics.Registry) (t *Test, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.testOf(registry)
}

func (r *Registry) testOf(registry *metrics.Registry) (t *Test, fresh bool) {
	if r.test != nil && r.test.registry == registry {
		return r.test, false
	}
	clock := event.NewClock()
	r.test = &Test{Clock: clock, Recovery: recovery.New(clock), registry: registry}
	return r.test, true
}

// Out says where samples go; whoever sends any says so, because only then is there something to judge.
func (t *Test) Out(out chan<- metrics.SampleContainer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = out
}

// AtEnd has f called before recovery is judged; at once if the test is over.
func (t *Test) AtEnd(f func()) {
	t.mu.Lock()
	ended := t.ended
	if !ended {
		t.endings = append(t.endings, f)
	}
	t.mu.Unlock()
	if ended {
		f()
	}
}

// End is called once, when no load and no script of the test runs any more and samples are still
// taken: it ends what is on and sends the recovery samples.
func (t *Test) End(m *sample.Metrics) {
	t.mu.Lock()
	out, endings := t.out, t.endings
	t.ended, t.endings = true, nil
	t.mu.Unlock()
	var wg sync.WaitGroup
	for _, f := range endings {
		wg.Go(f)
	}
	wg.Wait()
	if samples := m.Recoveries(t.Recovery.Judge(), time.Now()); out != nil && len(samples) > 0 {
		out <- samples
	}
}
