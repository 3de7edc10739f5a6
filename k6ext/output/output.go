// Package output is the k6 output "brownout": it writes the shard (every request as a record, the
// gaps between chunks as histograms) and live progress.
//
// What may not live here: measuring, judging. It never slows the load: records are buffered and
// written by a goroutine of its own.
package output

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/output"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/k6ext/arrivals"
	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/k6ext/timeline"
	"github.com/brownout-dev/brownout/reports/record"
)

// Name is the output's name: --out brownout=FILE.
const Name = "brownout"

// Output writes one shard.
type Output struct {
	output.SampleBuffer
	session  *session.Session
	path     string
	header   record.Header // without Start, which is known once the load runs
	harness  string
	logger   logrus.FieldLogger
	progress *progress // nil = nobody listens

	stopTest func(error)
	flusher  *output.PeriodicFlusher
	file     *os.File
	writer   *record.Writer // nil until time zero is known; only the flusher's goroutine and Stop use it
	failed   error          // the first write error
	once     sync.Once
}

var (
	_ output.WithTestRunStop       = (*Output)(nil)
	_ output.WithStopWithTestError = (*Output)(nil)
)

// Register makes the output known to k6.
func Register(registry *session.Registry) {
	output.RegisterExtension(Name, func(p output.Params) (output.Output, error) { return newOutput(p, registry) })
}

func newOutput(p output.Params, registry *session.Registry) (*Output, error) {
	run, err := runOf(p.ScriptOptions.Scenarios)
	if err != nil {
		return nil, err
	}
	s := registry.Find(run)
	if s == nil {
		return nil, fmt.Errorf("no scenario of this test uses the executor %s or %s, so there is nothing to write", arrivals.Type, timeline.Type)
	}
	o := &Output{session: s, path: p.ConfigArgument, logger: p.Logger.WithField("output", Name), header: record.Header{
		Run: run, Instance: "1/1", Clock: s.Clock.ID(), Producer: "k6 output " + Name,
	}}
	if seg := p.ScriptOptions.ExecutionSegment; seg != nil {
		o.header.Instance = seg.String()
	}
	if opts := s.Options(); opts != nil {
		o.header.Seed, o.harness = opts.Plan.Seed, opts.Harness
		if o.path == "" {
			o.path = opts.Shard
		}
	}
	if o.path == "" {
		return nil, fmt.Errorf("the output %s has no file to write: use --out %s=FILE", Name, Name)
	}
	o.progress, err = newProgress(p.Environment, s)
	return o, err
}

// runOf is the run id of our scenarios; two different ones cannot share a shard.
func runOf(scenarios lib.ScenarioConfigs) (string, error) {
	runs := map[string]bool{}
	loads := 0
	for _, c := range scenarios {
		switch c := c.(type) {
		case arrivals.Config:
			runs[c.Run] = true
			loads++
		case timeline.Config:
			runs[c.Timeline.Run] = true
		}
	}
	if len(runs) > 1 || loads > 1 {
		return "", fmt.Errorf("a shard holds one load: give the %s scenario and the %s scenario the same \"run\", and have one of each",
			arrivals.Type, timeline.Type)
	}
	for run := range runs {
		return run, nil
	}
	return "", nil
}

// Description implements output.Output.
func (o *Output) Description() string { return Name + " (" + o.path + ")" }

// SetTestRunStopCallback implements output.WithTestRunStop.
func (o *Output) SetTestRunStopCallback(stop func(error)) { o.stopTest = stop }

// Start implements output.Output: the file is made now, so that a path that cannot be written
// fails the test before the first request.
func (o *Output) Start() error {
	file, err := os.Create(o.path)
	if err != nil {
		return fmt.Errorf("cannot write the shard (%w): give --out %s= a file that can be made", err, Name)
	}
	o.file = file
	if o.harness != "" {
		o.header.Offsets = o.offsets()
	}
	o.progress.start()
	o.flusher, err = output.NewPeriodicFlusher(100*time.Millisecond, o.flush)
	return err
}

// offsets asks the harness's clock; none on failure, which makes the verdict unknown and not the run fail.
func (o *Output) offsets() []event.Offset {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	offset, err := probe(ctx, o.harness, o.session.Clock)
	if err != nil {
		o.logger.WithError(err).Warn("the harness's clock could not be read")
		return nil
	}
	return []event.Offset{offset}
}

// flush writes what was buffered. It runs on the flusher's goroutine.
func (o *Output) flush() {
	for _, c := range o.GetBufferedSamples() {
		batch, _ := c.(sample.Batch)
		for _, r := range batch {
			if r.Session == o.session.Run {
				o.write(r)
			}
		}
	}
}

func (o *Output) write(r *sample.Request) {
	o.progress.take(&r.Record)
	start := o.session.Began()
	if o.failed == nil && o.open(start) == nil {
		if err := o.writer.Write(&r.Record); err != nil {
			o.fail(err)
		} else {
			at := r.Record.First
			for _, gap := range r.Gaps {
				at = at.Add(gap)
				o.writer.AddGap(int(at.Sub(start)/time.Second), gap)
			}
		}
	}
	gaps := r.Gaps
	r.Gaps = nil
	o.session.Recycle(gaps)
}

// open writes the header once time zero is known.
func (o *Output) open(start event.Time) error {
	if o.writer != nil {
		return nil
	}
	o.header.Start = start
	w, err := record.NewWriter(o.file, o.header)
	if err != nil {
		o.fail(err)
		return err
	}
	o.writer = w
	return nil
}

// fail stops the test: a load whose records are lost measures nothing.
func (o *Output) fail(err error) {
	o.failed = fmt.Errorf("cannot write the shard %s (%w): free space or choose another file", o.path, err)
	if o.stopTest != nil {
		o.stopTest(o.failed)
	}
}

// Stop implements output.Output.
func (o *Output) Stop() error { return o.StopWithTestError(nil) }

// StopWithTestError implements output.WithStopWithTestError. The footer is written even if the test
// failed: every record is there, and why the test failed is in k6's exit code.
func (o *Output) StopWithTestError(error) (err error) {
	o.once.Do(func() { err = o.close() })
	return err
}

func (o *Output) close() error {
	if o.flusher != nil {
		o.flusher.Stop()
	}
	o.progress.stop()
	if o.file == nil {
		return nil
	}
	footer := record.Footer{Timeline: o.session.Faults()}
	footer.Client, footer.Finished = o.session.Finished()
	if o.harness != "" {
		footer.Offsets = o.offsets()
	}
	if o.failed == nil && o.open(o.session.Began()) == nil {
		if err := o.writer.Close(footer); err != nil {
			o.fail(err)
		}
	}
	return errors.Join(o.failed, o.file.Close())
}

// harnessClock is where the harness shows its clock.
func harnessClock(base string) string { return strings.TrimRight(base, "/") + "/clock" }
