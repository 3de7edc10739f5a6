package arrivals

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/executor"
	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/calibrate"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Executor runs one plan, or a segment of it.
type Executor struct {
	*executor.BaseExecutor
	config  Config
	test    *lib.ExecutionState
	session *session.Session
	share   load.Share
	client  *client.Client
	makers  map[string]*sample.Maker // by class
}

var _ lib.Executor = (*Executor)(nil)

// Init implements lib.Executor: everything that can fail before the first request fails here.
func (e *Executor) Init(context.Context) error {
	env := func(name string) (string, bool) {
		if v, ok := e.config.Env[name]; ok {
			return v, ok
		}
		return os.LookupEnv(name)
	}
	if err := e.config.Plan.Open(); err != nil {
		return fmt.Errorf("scenario %s: %w", e.config.Name, err)
	}
	key, err := e.key("client.key_env", e.config.Client.KeyEnv, "", env)
	if err != nil {
		return err
	}
	classes, err := e.classes(key, env)
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{
		Client: e.config.Client, Limits: e.config.Limits, Model: e.config.Plan.Model, Tenant: e.config.Plan.Tenant,
		Stream: e.config.Plan.Stream, Key: key, Classes: classes, Env: env, Clock: e.session.Clock, MaxIdle: e.config.Plan.MaxInFlight,
	})
	if err != nil {
		return fmt.Errorf("scenario %s: %w", e.config.Name, err)
	}
	m, err := sample.Register(e.test.Test.Registry)
	if err != nil {
		return err
	}
	tags := e.test.Test.RunTags
	if e.test.Test.Options.SystemTags.Has(metrics.TagScenario) {
		tags = tags.With("scenario", e.config.Name)
	}
	tags = tags.WithTagsFromMap(e.config.Tags)
	e.client, e.makers = c, map[string]*sample.Maker{"": sample.NewMaker(e.config.Run, m, e.test.Test.BuiltinMetrics, tags)}
	for _, class := range classes {
		e.makers[class.Name] = sample.NewMaker(e.config.Run, m, e.test.Test.BuiltinMetrics, tags.With("class", class.Name))
	}
	if e.config.RecordsOnly {
		for _, maker := range e.makers {
			maker.Silent()
		}
	}
	e.session.SetRecycle(c.Recycle)
	return nil
}

// errDrained ends the requests that are open when the drain is over.
var errDrained = errors.New("the drain is over")

// errGaveUp ends the requests that are open when the load is given up.
var errGaveUp = errors.New("the load was given up")

// lead is how long before time zero the first requests are prepared, so that they are not late.
const lead = 50 * time.Millisecond

// Run implements lib.Executor. It returns when the load is over, drained and reported.
func (e *Executor) Run(ctx context.Context, out chan<- metrics.SampleContainer) error {
	defer e.client.Close()
	calibration := e.calibrate(ctx)
	self := watchSelf(pace.New())
	start := e.session.Start(e.session.Clock.Now().Add(lead))
	recorder := e.session.Test.Recovery
	if e.config.Harness != "" {
		recorder.Off() // the harness judges
	}
	e.session.Test.Out(out)
	recorder.Plan(start, e.config.Plan.MeanRate())
	batch := sample.NewBatcher(out)
	stopFlushing := every(flushEvery, batch.Flush)
	d := &dispatcher{
		plan: &e.config.Plan, share: e.share, start: start, clock: e.session.Clock, waiter: pace.New(),
		drain: e.config.drain(), client: e.client, due: &e.session.Due, inFlight: &e.session.InFlight,
		report: func(res client.Result) {
			e.count(res.Record.Outcome)
			recorder.Request(&res.Record)
			// Not bound to ctx: an aborted run's records matter too, and k6 reads until Run returns.
			batch.Add(e.makers[res.Record.Class].Make(res.Record, res.Gaps, time.Now()))
		},
	}
	runtime.LockOSThread() // the pacing thread stays warm in nanosleep
	defer runtime.UnlockOSThread()
	d.run(ctx)
	stopFlushing()
	batch.Flush()
	counts := e.client.Counts()
	stats := self.stop()
	stats.GaveUp, stats.Calibration = d.gaveUp, calibration
	stats.MaxInFlight, stats.ChunksRead, stats.BytesRead = d.most, counts.Chunks, counts.Bytes
	if counts.Chunks > 0 {
		stats.ReadsPerChunk = float64(counts.ChunkReads) / float64(counts.Chunks)
	}
	e.session.Finish(stats, d.finished())
	return nil
}

// calibrate measures the client before time zero; nil where nobody asked for it. A failure is part of
// the answer: the judge must not take it for a good client.
func (e *Executor) calibrate(ctx context.Context) *record.Calibration {
	if !e.config.Calibrate {
		return nil
	}
	c, err := calibrate.Run(ctx, calibrate.Config{Plan: e.config.Plan, Share: e.share, Exact: e.config.Client.Exact, Clock: e.session.Clock})
	if err != nil {
		e.GetLogger().WithError(err).Warn("calibration")
		c.Failed = err.Error()
		return &c
	}
	text := fmt.Sprintf("client calibrated on a known stream: TTFT error p99 %.2f ms, gap error p99 %.2f ms", c.TTFTError.P99*1e3, c.GapError.P99*1e3)
	if c.HeadroomKnown() {
		text += fmt.Sprintf(", head-room %.1fx", c.Headroom)
	}
	e.GetLogger().Info(text)
	return &c
}

// flushEvery is how often finished requests go to the outputs, as often as k6 looks for them.
const flushEvery = 50 * time.Millisecond

// every calls f time and again until stop is called, which waits for the last call.
func every(period time.Duration, f func()) (stop func()) {
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-over:
				return
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
	}
}

func (e *Executor) count(o record.Outcome) {
	switch o {
	case record.Dropped:
	case record.Unfinished:
		e.test.AddInterruptedIterations(1)
	default:
		e.test.AddFullIterations(1)
	}
}
