package arrivals

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// fake answers every request after takes, or when its context ends.
type fake struct {
	clock   *event.Clock
	takes   time.Duration
	outcome record.Outcome // of what is not cut short
}

func (f fake) Prepare(_ *load.Plan, a load.Arrival, start event.Time) *client.Request {
	return &client.Request{Arrival: a, Due: start.Add(a.Due)}
}

func (f fake) Do(ctx context.Context, req *client.Request) client.Result {
	r := record.Record{Arrival: req.Index, Due: req.Due, Sent: f.clock.Now(), Outcome: cmp.Or(f.outcome, record.OK)}
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		r.Outcome = record.Unfinished
	}
	r.End = f.clock.Now()
	return client.Result{Record: r}
}

func (f fake) Dropped(a load.Arrival, due event.Time, note string) record.Record {
	return record.Record{Arrival: a.Index, Due: due, Outcome: record.Dropped, Note: note}
}

// slow never returns on time: a client whose machine is starved.
type slow struct{ by time.Duration }

func (s slow) Until(t time.Time, stop <-chan struct{}) bool {
	return pace.Timers{}.Until(t.Add(s.by), stop)
}

type bench struct {
	plan     load.Plan
	takes    time.Duration
	drain    time.Duration
	waiter   pace.Waiter
	abort    time.Duration // 0 = never
	outcome  record.Outcome
	share    load.Share        // none = whole
	inReport func()            // called in every report
	sender   func(fake) sender // in place of the fake
}

func (b bench) run(t *testing.T) (records []record.Record, d *dispatcher, start event.Time, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clock := event.NewClock()
		var mu sync.Mutex
		if b.waiter == nil {
			b.waiter = pace.Timers{}
		}
		ctx := t.Context()
		if b.abort > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, b.abort)
			defer cancel()
		}
		if b.share == (load.Share{}) {
			b.share = load.Whole()
		}
		var answers sender = fake{clock, b.takes, b.outcome}
		if b.sender != nil {
			answers = b.sender(fake{clock, b.takes, b.outcome})
		}
		start = clock.Now()
		d = &dispatcher{
			plan: &b.plan, share: b.share, start: start, clock: clock, waiter: b.waiter, drain: b.drain,
			client: answers, due: new(atomic.Uint64), inFlight: new(atomic.Int64),
			report: func(r client.Result) {
				if b.inReport != nil {
					b.inReport()
				}
				mu.Lock()
				defer mu.Unlock()
				records = append(records, r.Record)
			},
		}
		d.run(ctx)
		took = clock.Now().Sub(start)
	})
	slices.SortFunc(records, func(a, b record.Record) int { return int(a.Arrival) - int(b.Arrival) })
	return records, d, start, took
}

func constantPlan(rate float64, d time.Duration, inFlight int) load.Plan {
	return load.Plan{
		Seed: 1, Model: "m", MaxInFlight: inFlight, Duration: d, Arrivals: load.Arrivals{Process: load.Constant, Rate: rate},
		Prompt: load.Length{Dist: load.Fixed, Mean: 1}, Output: load.Length{Dist: load.Fixed, Mean: 1},
	}
}

func outcomes(records []record.Record) map[record.Outcome]int {
	m := map[record.Outcome]int{}
	for _, r := range records {
		m[r.Outcome]++
	}
	return m
}

func TestOpenLoopDoesNotWaitForAnswers(t *testing.T) {
	records, d, start, took := bench{plan: constantPlan(100, 2*time.Second, 1000), takes: 5 * time.Second, drain: 10 * time.Second}.run(t)
	require.Len(t, records, 200)
	for i, r := range records {
		require.Equal(t, start.Add(time.Duration(i)*10*time.Millisecond), r.Sent, "sent when due, answers or not")
	}
	assert.Equal(t, 200, d.most)
	assert.Equal(t, uint64(200), d.due.Load())
	assert.Zero(t, d.inFlight.Load())
	assert.Equal(t, start.Add(1990*time.Millisecond+5*time.Second), d.finished())
	assert.Equal(t, 6990*time.Millisecond, took)
}

func TestRunLastsAsLongAsItsPlan(t *testing.T) {
	_, _, _, took := bench{plan: constantPlan(1, 2500*time.Millisecond, 10), takes: time.Millisecond}.run(t)
	assert.Equal(t, 2500*time.Millisecond, took)
}

func TestDrainEnds(t *testing.T) {
	records, _, start, took := bench{plan: constantPlan(10, time.Second, 100), takes: time.Hour, drain: 3 * time.Second}.run(t)
	assert.Equal(t, map[record.Outcome]int{record.Unfinished: 10}, outcomes(records))
	assert.Equal(t, start.Add(4*time.Second), records[0].End)
	assert.Equal(t, 4*time.Second, took)
}

func TestBeyondTheBoundIsDropped(t *testing.T) {
	records, d, _, _ := bench{plan: constantPlan(100, time.Second, 10), takes: 505 * time.Millisecond, drain: time.Second}.run(t)
	assert.Equal(t, map[record.Outcome]int{record.OK: 20, record.Dropped: 80}, outcomes(records))
	assert.Equal(t, 10, d.most)
}

// A reader of records that stands still must not delay a single send.
func TestPacingNeverWaitsForTheReader(t *testing.T) {
	var held atomic.Bool
	b := bench{plan: constantPlan(100, time.Second, 2), takes: time.Millisecond, drain: time.Minute, inReport: func() {
		if held.CompareAndSwap(false, true) { // a mutex here would stop the bubble's clock
			time.Sleep(30 * time.Second)
		}
	}}
	records, _, start, _ := b.run(t)
	require.Len(t, records, 100)
	for _, r := range records {
		require.Equal(t, start.Add(time.Duration(r.Arrival)*10*time.Millisecond), r.Due)
		if r.Outcome != record.Dropped {
			require.Equal(t, r.Due, r.Sent)
		}
	}
}

func TestALateClientSendsLateAndSkipsNothing(t *testing.T) {
	records, _, start, _ := bench{plan: constantPlan(100, time.Second, 1000), takes: time.Millisecond, waiter: slow{70 * time.Millisecond}}.run(t)
	require.Len(t, records, 100)
	for _, r := range records {
		lag, ok := r.Lag()
		require.True(t, ok)
		require.Equal(t, 70*time.Millisecond, lag)
	}
	assert.Equal(t, start, records[0].Due, "due does not move")
}

func TestAbortEndsOpenRequests(t *testing.T) {
	records, _, _, took := bench{plan: constantPlan(10, time.Minute, 100), takes: time.Hour, drain: time.Minute, abort: 1050 * time.Millisecond}.run(t)
	assert.Equal(t, map[record.Outcome]int{record.Unfinished: 11}, outcomes(records))
	assert.Equal(t, 1050*time.Millisecond, took)
}

func TestProbeMeasuresLateness(t *testing.T) {
	for _, tc := range []struct {
		late, want time.Duration
	}{{0, 0}, {70 * time.Millisecond, 70 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			s := watchSelf(slow{tc.late})
			time.Sleep(2 * time.Second)
			stats := s.stop()
			assert.InDelta(t, tc.want.Seconds(), stats.TimerLateMax, 1e-6)
			assert.InDelta(t, tc.want.Seconds(), stats.TimerLateP99, 0.002)
			assert.InDelta(t, 2, stats.WallSeconds, 0.2)
		})
	}
}

func TestNeighbouringSegmentsShareTheirBoundary(t *testing.T) {
	var shares []load.Share
	for _, text := range []string{"0:1/7", "1/7:3/7", "3/7:1"} {
		seg, err := lib.NewExecutionSegmentFromString(text)
		require.NoError(t, err)
		share, err := shareOf(&lib.ExecutionTuple{Segment: seg})
		require.NoError(t, err)
		shares = append(shares, share)
	}
	assert.Zero(t, shares[0].From)
	assert.InDelta(t, 1.0/7, shares[0].To, 1e-15)
	assert.Equal(t, shares[0].To, shares[1].From) //nolint:testifylint // exactly the same number is the point
	assert.Equal(t, shares[1].To, shares[2].From) //nolint:testifylint // exactly the same number is the point
	assert.InDelta(t, 1, shares[2].To, 0)
	whole, err := shareOf(nil)
	require.NoError(t, err)
	assert.Equal(t, load.Whole(), whole)
}

func TestAHopelesslyLateClientGivesUp(t *testing.T) {
	records, d, _, took := bench{plan: constantPlan(100, time.Hour, 1000), takes: time.Hour, drain: time.Hour, waiter: &lagging{}}.run(t)
	assert.Regexp(t, `^request \d+ was sent 10s late$`, d.gaveUp)
	assert.Equal(t, map[record.Outcome]int{record.Unfinished: len(records)}, outcomes(records))
	assert.Greater(t, len(records), 100)
	assert.Less(t, took, time.Minute, "neither plan nor drain is waited for")
}

// lagging is a client that falls behind: every request costs it twice the time it has.
type lagging struct{}

func (*lagging) Until(time.Time, <-chan struct{}) bool {
	time.Sleep(20 * time.Millisecond)
	return true
}
