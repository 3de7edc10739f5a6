package sim

import (
	"fmt"
	"testing"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

type noEvents struct{}

func (noEvents) Emit(event.Event) {}

// BenchmarkStep is one step of 64 sequences: plan, memory, sending 64 tokens. Nothing is allocated.
func BenchmarkStep(b *testing.B) {
	c, streams := loaded(b, 64)
	b.ReportAllocs()
	now := event.Time(1e18)
	var gauge loadGauge
	for b.Loop() {
		end, v := c.begin(now, now)
		if v != stepping {
			b.Fatal("no step")
		}
		gauge.publish(c)
		c.finish(end)
		for _, s := range streams {
			<-s.out
		}
		now = end
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/token")
}

// loaded is a core whose sequences have their prefill behind them and never end.
func loaded(t testing.TB, n int) (*core, []*stream) {
	t.Helper()
	spec, model := llamaOnH100(t)
	dev := gpu.NewDevice(gpu.DeviceConfig{ID: "n1/g0", Spec: spec}, 1)
	c, err := newCore(Config{ID: "r", Model: model}.withDefaults(), dev, noEvents{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.serve(1, 1); err != nil {
		t.Fatal(err)
	}
	var streams []*stream
	for i := range n {
		s, end := newStream(request(fmt.Sprint(i), 16, 1<<40))
		streams = append(streams, s)
		q := &sequence{prompt: 16, end: end, stream: s, cached: 16, next: 1}
		q.blocks = 1
		c.sched.free--
		c.sched.running = append(c.sched.running, q)
	}
	// The cache is as large as the benchmark is long; time is what is measured here.
	c.sched.resize(1 << 50)
	return c, streams
}

func TestStepAllocatesNothing(t *testing.T) {
	c, streams := loaded(t, 64)
	now := event.Time(1e18)
	step := func() {
		end, _ := c.begin(now, now)
		c.finish(end)
		for _, s := range streams {
			<-s.out
		}
		now = end
	}
	step()
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}
