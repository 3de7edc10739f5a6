package calibrate

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// readers is how many unpaced streams are read at a time: enough to keep the cores busy, few enough
// that a chunk is read soon after it came.
const readers = 16

// unpaced measures the head-room: streams as long as the plan's, prepared as the run prepares them, as
// fast as they can be read. The known server shares the cores, as a server under test on the same
// machine does; where the target is elsewhere the true head-room is larger.
func (c Config) unpaced(ctx context.Context, k *known, open *client.Client, out *record.Calibration) error {
	prompt, _ := c.Plan.Means()
	plan := load.Plan{Seed: c.Plan.Seed + 1, Prompt: load.Length{Dist: load.Fixed, Mean: prompt}, Duration: time.Hour, Model: c.model(), Stream: true,
		Output:   load.Length{Dist: load.Fixed, Mean: min(c.length(), maxTokens)},
		Arrivals: load.Arrivals{Process: load.Constant, Rate: 1000}} // nobody waits for these instants
	running, cancel := context.WithTimeout(ctx, sprint)
	defer cancel()
	ready := make(chan *client.Request, readers)
	var streams atomic.Int64
	var wg sync.WaitGroup
	before, began := open.Counts().Chunks, time.Now()
	wg.Go(func() {
		defer close(ready)
		for a := range plan.All() {
			req := open.Prepare(&plan, a, 1)
			k.expect(req, plan.Model, false)
			select {
			case ready <- req:
			case <-running.Done():
				return
			}
		}
	})
	for range readers {
		wg.Go(func() {
			for req := range ready {
				res := open.Do(running, req)
				if res.Record.Outcome == record.OK {
					streams.Add(1)
				}
				open.Recycle(res.Gaps)
			}
		})
	}
	<-running.Done()
	took := time.Since(began).Seconds()
	chunks := open.Counts().Chunks - before
	done := streams.Load()
	wg.Wait()
	if ctx.Err() != nil {
		return ended(ctx)
	}
	out.ChunksPerSecond, out.StreamsPerSecond = float64(chunks)/took, float64(done)/took
	if out.Asked > 0 {
		out.Headroom = out.ChunksPerSecond / out.Asked
	}
	return nil
}
