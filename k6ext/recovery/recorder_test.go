package recovery

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

const line = "gpu.oom on gpu=n1/g0 for 5s"

// load notes 20 requests a second over [from, to); those due in [badFrom, badTo) fail at once.
func load(r *Recorder, zero event.Time, from, to, badFrom, badTo time.Duration) {
	for at := from; at < to; at += 50 * time.Millisecond {
		rec := record.Record{Due: zero.Add(at), End: zero.Add(at + time.Millisecond), Outcome: record.OK}
		if at >= badFrom && at < badTo {
			rec.Outcome, rec.Harmed = record.Reset, rec.End
		}
		r.Request(&rec)
	}
}

// holder is a holder's clock: it has nothing to do with ours.
const holder = event.Time(7_000_000_000)

func TestRecoveryOfAFault(t *testing.T) {
	for name, tc := range map[string]struct {
		badFrom, badTo time.Duration
		until          time.Duration // of the load
		cleared        faults.Step   // "" = it never was
		unproven, lost bool
		state          slo.RecoveryState
		unrecovered    bool
		ttr            time.Duration
	}{
		"recovered":  {badFrom: 2 * time.Second, badTo: 4 * time.Second, until: 20 * time.Second, cleared: faults.StepCleared, state: slo.Recovered, ttr: 1950 * time.Millisecond},
		"after it":   {badFrom: 2 * time.Second, badTo: 9 * time.Second, until: 20 * time.Second, cleared: faults.StepCleared, state: slo.Recovered, ttr: 6950 * time.Millisecond},
		"absorbed":   {until: 20 * time.Second, cleared: faults.StepCleared, state: slo.Absorbed},
		"never":      {badFrom: 2 * time.Second, badTo: 20 * time.Second, until: 20 * time.Second, cleared: faults.StepCleared, state: slo.Censored, unrecovered: true},
		"too short":  {badFrom: 2 * time.Second, badTo: 3 * time.Second, until: 7 * time.Second, cleared: faults.StepCleared, state: slo.Censored, unrecovered: true},
		"still on":   {badFrom: 2 * time.Second, badTo: 3 * time.Second, until: 20 * time.Second, state: slo.Censored, unrecovered: true},
		"unproven":   {until: 20 * time.Second, cleared: faults.StepCleared, unproven: true, state: slo.Unproven, unrecovered: true},
		"lost lease": {until: 20 * time.Second, cleared: faults.StepExpired, lost: true, state: slo.Absorbed, unrecovered: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := event.NewClock()
				r := New(clock)
				zero := clock.Now()
				load(r, zero, 0, tc.until, tc.badFrom, tc.badTo)
				time.Sleep(1500 * time.Millisecond)
				f := r.Fault(line, "mine")
				time.Sleep(100 * time.Millisecond)
				h := faults.Held{ID: "f1", Armed: holder, Step: faults.StepUnproven, Targets: []string{"n1/g0"}}
				if !tc.unproven {
					h.Step, h.Effective = faults.StepEffective, holder.Add(80*time.Millisecond)
				}
				f.Answer(h)
				time.Sleep(5 * time.Second)
				if tc.lost {
					f.Gone(errors.New("gone"))
				}
				if tc.cleared != "" {
					f.Answer(faults.Held{ID: "f1", Armed: holder, Effective: h.Effective, Step: tc.cleared, Cleared: holder.Add(5 * time.Second)})
				}
				got := r.Judge()
				require.Len(t, got, 1)
				assert.Equal(t, tc.state, got[0].State)
				assert.Equal(t, tc.unrecovered, got[0].Unrecovered())
				assert.Equal(t, "mine", got[0].Label)
				if !tc.unproven {
					assert.Equal(t, zero.Add(1580*time.Millisecond), got[0].Effective, "as long after arming as on the holder's clock")
				}
				if tc.cleared != "" {
					assert.Equal(t, zero.Add(6500*time.Millisecond), got[0].Cleared)
				}
				if tc.ttr > 0 {
					require.NotNil(t, got[0].TTR)
					assert.InDelta(t, tc.ttr.Seconds(), *got[0].TTR, 1e-6)
				} else {
					assert.Nil(t, got[0].TTR)
				}
			})
		})
	}
}

func TestStampsNeverPassTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := event.NewClock()
		r := New(clock)
		f := r.Fault(line, nil)
		time.Sleep(time.Second)
		f.Answer(faults.Held{Step: faults.StepEffective, Armed: holder, Effective: holder.Add(time.Hour)})
		assert.Equal(t, clock.Now(), f.effective)
		g := r.Fault(line, nil)
		g.Answer(faults.Held{Step: faults.StepEffective})
		assert.Equal(t, clock.Now(), g.effective, "a holder without stamps: when it answered")
		time.Sleep(time.Second)
		g.Answer(faults.Held{Step: faults.StepRenewed})
		assert.Equal(t, clock.Now().Add(-time.Second), g.effective, "the first answer holds")
		assert.Zero(t, g.cleared)
	})
}

func TestOptionsDecideWhatIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := event.NewClock()
		r := New(clock)
		zero := clock.Now()
		r.Plan(zero, 20)
		f := r.Fault(line, nil)
		f.Answer(faults.Held{Step: faults.StepEffective})
		time.Sleep(2 * time.Second)
		f.Answer(faults.Held{Step: faults.StepCleared})
		load(r, zero, 0, 10*time.Second, time.Second, time.Second+100*time.Millisecond) // two bad ones
		assert.Equal(t, slo.Absorbed, r.Judge()[0].State)
		r.Configure(Options{Spec: slo.Spec{MinBad: 1, Objective: 0.99}})
		assert.Equal(t, slo.Recovered, r.Judge()[0].State)
		r.Off()
		assert.Empty(t, r.Judge())
	})
}

func TestNothingRecordsNothing(t *testing.T) {
	var r *Recorder
	r.Plan(1, 1)
	r.Request(&record.Record{})
	r.Configure(Options{})
	r.Off()
	f := r.Fault(line, nil)
	f.Answer(faults.Held{})
	f.Gone(nil)
	f.Failed(errors.New("x"))
	assert.Empty(t, r.Judge())
	assert.Empty(t, New(event.NewClock()).Judge())
}
