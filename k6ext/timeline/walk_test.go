package timeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/reports/record"
)

// fake is a holder that logs calls with their instant.
type fake struct {
	clock  *event.Clock
	zero   event.Time
	mu     sync.Mutex
	log    []string
	inject error
	slow   time.Duration     // of an injection
	renew  func(n int) error // n-th renewal, from 0
	clear  func(n int) error // n-th clear
	step   faults.Step       // what a renewal answers
	n, c   int
}

func (f *fake) note(what string) {
	f.log = append(f.log, fmt.Sprintf("%v %s", f.clock.Now().Sub(f.zero), what))
}

func (f *fake) Inject(_ context.Context, req faults.InjectRequest) (faults.Held, error) {
	f.mu.Lock()
	f.note(fmt.Sprintf("inject lease=%v", req.Lease))
	f.mu.Unlock()
	time.Sleep(f.slow)
	return faults.Held{ID: "f1", Step: faults.StepEffective}, f.inject
}

func (f *fake) Renew(context.Context, string, time.Duration) (faults.Held, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("renew")
	f.n++
	if f.renew != nil {
		if err := f.renew(f.n - 1); err != nil {
			return faults.Held{}, err
		}
	}
	return faults.Held{Step: f.step}, nil
}

func (f *fake) Clear(ctx context.Context, _ string) (faults.Held, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("clear")
	f.c++
	if f.clear != nil {
		if err := f.clear(f.c - 1); err != nil {
			return faults.Held{}, err
		}
	}
	return faults.Held{Step: faults.StepCleared}, ctx.Err()
}

func walk(t *testing.T, f *fake, abort time.Duration, steps ...faults.PlanStep) (log []string, seen []record.FaultSeen, warned int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := session.NewRegistry().Open("r", nil)
		f.clock, f.zero = s.Clock, s.Start(s.Clock.Now())
		ctx := t.Context()
		if abort > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, abort)
			defer cancel()
		}
		var mu sync.Mutex
		w := walker{
			plan: faults.Plan{Run: "r", Lease: 3 * time.Second, Total: time.Minute, Steps: steps}, session: s, holder: f,
			warn: func(string, error) { mu.Lock(); warned++; mu.Unlock() },
		}
		w.run(ctx)
		log, seen = f.log, s.Faults()
	})
	return log, seen, warned
}

func oom(at time.Duration, d string) faults.PlanStep {
	return faults.PlanStep{At: at, Fault: "gpu.oom on gpu=n1/g0 for " + d + " reserve=95%"}
}

func TestAFaultsLife(t *testing.T) {
	log, seen, warned := walk(t, &fake{}, 0, oom(5*time.Second, "4s"))
	assert.Equal(t, []string{"5s inject lease=3s", "6s renew", "7s renew", "8s renew", "9s clear"}, log)
	require.Len(t, seen, 1)
	assert.Equal(t, "f1", seen[0].ID)
	assert.Equal(t, 4*time.Second, seen[0].Ended.Sub(seen[0].Requested))
	assert.Empty(t, seen[0].Error)
	assert.Zero(t, warned)
}

func TestAShortFaultNeedsNoRenewal(t *testing.T) {
	log, _, _ := walk(t, &fake{}, 0, oom(0, "900ms"))
	assert.Equal(t, []string{"0s inject lease=900ms", "900ms clear"}, log)
}

func TestASlowInjectionDoesNotLengthenTheFault(t *testing.T) {
	log, _, _ := walk(t, &fake{slow: 2 * time.Second}, 0, oom(0, "4s"))
	assert.Equal(t, []string{"0s inject lease=3s", "3s renew", "4s clear"}, log)
}

func TestFaultsMayOverlapAndEndWithTheTimeline(t *testing.T) {
	log, seen, _ := walk(t, &fake{}, 0, oom(55*time.Second, "30s"), oom(57*time.Second, "1s"))
	assert.Equal(t, "55s inject lease=3s", log[0])
	assert.Contains(t, log, "57s inject lease=1s")
	assert.Contains(t, log, "58s clear")
	assert.Equal(t, "1m0s clear", log[len(log)-1], "nothing outlives the timeline")
	assert.Len(t, seen, 2)
}

func TestFailuresAreNotedAndNeverPanic(t *testing.T) {
	broken := errors.New("no answer")
	over := &faults.APIError{Code: http.StatusGone, Message: "the fault is over"}
	for name, tc := range map[string]struct {
		fake   *fake
		lost   bool
		err    string
		clears int
		warned int
	}{
		"refused":           {fake: &fake{inject: broken}, err: "no answer", warned: 1},
		"gone":              {fake: &fake{renew: func(int) error { return over }}, lost: true, err: "the fault is over", warned: 1},
		"expired":           {fake: &fake{step: faults.StepExpired}, lost: true, err: errLease.Error(), warned: 1},
		"holder dead":       {fake: &fake{renew: func(int) error { return broken }}, lost: true, err: "no answer", warned: 1},
		"one lost renewal":  {fake: &fake{renew: func(n int) error { return only(n == 1, broken) }}, err: "no answer", clears: 1},
		"one failed clear":  {fake: &fake{clear: func(n int) error { return only(n == 0, broken) }}, clears: 2},
		"already gone":      {fake: &fake{clear: func(int) error { return over }}, clears: 1},
		"cannot be cleared": {fake: &fake{clear: func(int) error { return broken }}, err: "no answer", clears: 3, warned: 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, seen, warned := walk(t, tc.fake, 0, oom(0, "8s"))
			require.Len(t, seen, 1)
			assert.Equal(t, tc.lost, seen[0].LeaseLost)
			assert.Equal(t, tc.err, seen[0].Error)
			assert.Equal(t, tc.clears, tc.fake.c)
			assert.Equal(t, tc.warned, warned)
			assert.NotZero(t, seen[0].Ended)
		})
	}
}

func only(when bool, err error) error {
	if when {
		return err
	}
	return nil
}

func TestAnAbortClears(t *testing.T) {
	log, seen, _ := walk(t, &fake{}, 2500*time.Millisecond, oom(0, "30s"), oom(10*time.Second, "1s"))
	assert.Equal(t, []string{"0s inject lease=3s", "1s renew", "2s renew", "2.5s clear"}, log, "and the later step never begins")
	assert.Len(t, seen, 1)
	assert.Empty(t, seen[0].Error)
}

func TestAnAbortDuringTheInjectionClearsToo(t *testing.T) {
	log, _, _ := walk(t, &fake{slow: 5 * time.Second}, time.Second, oom(0, "30s"))
	assert.Equal(t, []string{"0s inject lease=3s", "5s clear"}, log)
}

func TestValidateReportsEverything(t *testing.T) {
	c := Config{Timeline: faults.Plan{Steps: []faults.PlanStep{{At: -1, Fault: "gpu.oom"}}}}
	c.Name, c.Type = "x", Type
	err := errors.Join(c.Validate()...)
	for _, want := range []string{"endpoint", "token_env", "lease_ns", "total_ns", "steps[0].at_ns", "steps[0].fault"} {
		require.ErrorContains(t, err, want)
	}
}
