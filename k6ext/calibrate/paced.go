package calibrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// lead is how long before the first send everything is prepared.
const lead = 20 * time.Millisecond

// maxPrompt bounds the prompts of the paced streams, in tokens: all are written beforehand, and they do not
// change how an answer is read.
const maxPrompt = 2048

// pair is one stream as both ends saw it.
type pair struct {
	*stream
	req *client.Request
	res client.Result
}

// paced measures the errors. Sends are evenly spread, so that at any time concurrent streams are open
// in all states of their life.
func (c Config) paced(ctx context.Context, k *known, open *client.Client, out *record.Calibration) error {
	out.Concurrent = c.concurrent()
	life := tokens * gap
	prompt, _ := c.Plan.Means()
	plan := load.Plan{Seed: c.Plan.Seed, Prompt: load.Length{Dist: load.Fixed, Mean: min(prompt, maxPrompt)}, Output: load.Length{Dist: load.Fixed, Mean: tokens},
		Duration: window, Model: c.model(), Stream: true,
		Arrivals: load.Arrivals{Process: load.Constant, Rate: float64(out.Concurrent) / life.Seconds()}}
	var pairs []*pair
	for a := range plan.All() {
		req := open.Prepare(&plan, a, 1)
		pairs = append(pairs, &pair{stream: k.expect(req, plan.Model, true), req: req})
	}
	start := c.Clock.Now().Add(lead)
	waiter := c.waiter()
	var wg sync.WaitGroup
	for _, p := range pairs {
		p.req.Due = start.Add(p.req.Arrival.Due)
		if !waiter.Until(c.Clock.Wall(p.req.Due), ctx.Done()) {
			break
		}
		wg.Go(func() { p.res = open.Do(ctx, p.req) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ended(ctx)
	}
	var ttft, gaps []time.Duration
	for _, p := range pairs {
		if r := &p.res.Record; r.Outcome != record.OK || r.Chunks != tokens {
			return fmt.Errorf("a known stream of %d chunks came as %q with %d (%s)", tokens, r.Outcome, r.Chunks, r.Note)
		}
		<-p.done // the answer was read to its end, so this is a matter of microseconds
		first, later := compare(p.sent, &p.res)
		ttft, gaps = append(ttft, first), append(gaps, later...)
		open.Recycle(p.res.Gaps)
	}
	out.Streams = len(pairs)
	out.TTFTError, out.GapError = record.SpreadOf(ttft), record.SpreadOf(gaps)
	return nil
}

// ended says why the calibration was cut short: it took too long, or the test was stopped.
func ended(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return errOpen
	}
	return context.Cause(ctx)
}

// compare is the client's error on one stream: on its first chunk and on every gap.
func compare(sent []event.Time, res *client.Result) (first time.Duration, gaps []time.Duration) {
	gaps = make([]time.Duration, len(res.Gaps))
	for i, g := range res.Gaps {
		gaps[i] = (g - sent[i+1].Sub(sent[i])).Abs()
	}
	return res.Record.First.Sub(sent[0]).Abs(), gaps
}
