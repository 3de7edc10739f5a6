package sample

import (
	"time"

	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/reports/record"
)

// Request is one finished request on its way to the outputs. Record and Gaps are for the brownout
// output alone, which recycles Gaps; other outputs see Samples.
type Request struct {
	Session string // run id
	Record  record.Record
	Gaps    []time.Duration
	samples []metrics.Sample
}

// GetSamples implements metrics.SampleContainer.
func (r *Request) GetSamples() []metrics.Sample { return r.samples }

// Maker makes containers for the requests of one scenario. Safe for concurrent use.
type Maker struct {
	run     string
	metrics *Metrics
	builtin *metrics.BuiltinMetrics
	tags    *metrics.TagSet
	byWord  [record.NumOutcomes]*metrics.TagSet // tags with outcome
	silent  bool
}

// NewMaker prepares the tag sets once, so that a request costs no look-up. builtin is nil where k6
// itself counts iterations.
func NewMaker(run string, m *Metrics, builtin *metrics.BuiltinMetrics, tags *metrics.TagSet) *Maker {
	k := &Maker{run: run, metrics: m, builtin: builtin, tags: tags}
	for o := range record.NumOutcomes {
		k.byWord[o] = tags.With("outcome", o.String())
	}
	return k
}

// Silent makes containers without samples from now on; see load.ArrivalsOptions.RecordsOnly.
func (k *Maker) Silent() { k.silent = true }

// Make wraps one finished request; now is when its samples are dated.
func (k *Maker) Make(rec record.Record, gaps []time.Duration, now time.Time) *Request {
	r := &Request{Session: k.run, Record: rec, Gaps: gaps}
	if k.silent {
		return r
	}
	r.samples = make([]metrics.Sample, 0, 9)
	add := func(m *metrics.Metric, tags *metrics.TagSet, v float64) {
		r.samples = append(r.samples, metrics.Sample{TimeSeries: metrics.TimeSeries{Metric: m, Tags: tags}, Time: now, Value: v})
	}
	trend := func(m *metrics.Metric, d time.Duration, ok bool) {
		if ok {
			add(m, k.tags, metrics.D(d))
		}
	}
	good := 0.0
	if rec.Good() {
		good = 1
	}
	add(k.metrics.Requests, k.byWord[rec.Outcome], 1)
	switch {
	case k.builtin == nil:
	case rec.Outcome == record.Dropped:
		add(k.builtin.DroppedIterations, k.tags, 1)
	default:
		add(k.builtin.Iterations, k.tags, 1)
	}
	// Unfinished or cancelled by plan inside every limit: counted, not judged.
	if (rec.Outcome != record.Unfinished && rec.Outcome != record.Cancelled) || rec.Harmed != 0 {
		add(k.metrics.Goodput, k.tags, good)
	}
	ttft, ok := rec.TTFT()
	trend(k.metrics.TTFT, ttft, ok)
	tpot, ok := rec.TPOT()
	trend(k.metrics.TPOT, tpot, ok)
	e2e, ok := rec.E2E()
	trend(k.metrics.E2E, e2e, ok)
	trend(k.metrics.MaxGap, rec.MaxGap, rec.Chunks > 1)
	lag, ok := rec.Lag()
	trend(k.metrics.SchedLag, lag, ok)
	if rec.OutputTokens > 0 {
		add(k.metrics.OutputTokens, k.tags, float64(rec.OutputTokens))
	}
	return r
}
