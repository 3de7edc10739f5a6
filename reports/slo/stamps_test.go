package slo

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// An instant kill breaks what is in flight, and nothing else ever fails: those victims are the impact.
// They are harmed when the fault is armed, before the dead socket proves it effective.
func TestVictimsOfAnInstantKillAreNotAbsorbed(t *testing.T) {
	h := newHistory(100, 30)
	h.fault(10.02, 12)
	h.in.Faults[0].Armed, h.in.Faults[0].Point = s(10), true
	victims := 0
	for i := range h.in.Records {
		if r := &h.in.Records[i]; r.Due > s(9.85) && r.Due < s(10) {
			broken(r, s(10.001), record.Reset)
			victims++
		}
	}
	r := Judge(h.in).Faults[0]
	assert.Equal(t, Recovered, r.State)
	assert.InDelta(t, 10.001, at(r.Impact), 1e-9)
	assert.InDelta(t, 10.001, at(r.Recovered), 1e-9, "the last bad request is one of them")
	assert.Zero(t, *r.TTR)
	assert.Zero(t, *r.Residual)
	assert.Equal(t, victims, r.Lost)

	// Control: without the victims the same kill is absorbed.
	h = newHistory(100, 30)
	h.fault(10.02, 12)
	assert.Equal(t, Absorbed, Judge(h.in).Faults[0].State)
}

// Half a second of failures under a fault of ten seconds: TTR is half a second, not ten.
func TestShortOutageUnderALongFault(t *testing.T) {
	h := newHistory(100, 40)
	h.fault(10, 20)
	h.outage(10.2, 10.7)
	h.event(10.3, event.BreakerOpened, "n2/g1/llama")
	h.event(9, event.OOM, "n2/g1")             // before: not this fault's
	h.event(10.1, event.OOM, "n1/g1")          // another device
	h.event(10.1, event.HoldingTaken, "n2/g1") // the injector's own call
	h.event(10.4, event.RequestResumed, "n2/g1/llama")
	r := Judge(h.in).Faults[0]
	require.Equal(t, Recovered, r.State)
	assert.InDelta(t, 10.21, at(r.Impact), 1e-6)
	assert.InDelta(t, 10.70, at(r.Recovered), 1e-6)
	assert.InDelta(t, 0.49, *r.TTR, 1e-6)
	assert.InDelta(t, 0.3, *r.TTD, 1e-6)
	assert.Equal(t, "breaker.opened n2/g1/llama", r.DetectedBy)
	assert.Equal(t, r.Recovered, r.Mitigated, "it was good again with the fault still on")
	assert.Zero(t, *r.Residual)
	assert.InDelta(t, 0.49, r.OutOfSLO, 1e-6)
	assert.Equal(t, 50, r.Lost)
	assert.Equal(t, 1, r.Resumed)
	assert.Zero(t, r.Relapses)
}

// The service is good again only after the fault is cleared.
func TestResidual(t *testing.T) {
	h := newHistory(100, 40)
	h.fault(10, 20)
	h.outage(10.2, 21.5)
	r := Judge(h.in).Faults[0]
	require.Equal(t, Recovered, r.State)
	assert.InDelta(t, 1.5, *r.Residual, 1e-6)
	assert.InDelta(t, 11.29, *r.TTR, 1e-6)
	assert.Nil(t, r.TTM, "it was never mitigated while the fault was on")
}

// Good, bad again, good: the relapse under the fault moves recovered, one after it is only counted.
func TestRelapse(t *testing.T) {
	h := newHistory(100, 50)
	h.fault(10, 20)
	h.outage(10.2, 11)
	h.outage(21, 22)
	r := Judge(h.in).Faults[0]
	assert.Equal(t, 1, r.Relapses)
	assert.InDelta(t, 22, at(r.Recovered), 1e-6)
	assert.InDelta(t, 11, at(r.Mitigated), 1e-6, "nine calm seconds with the fault on")
	assert.InDelta(t, 0.79+0.99, r.OutOfSLO, 1e-6)

	h = newHistory(100, 50)
	h.fault(10, 20)
	h.outage(10.2, 11)
	h.outage(30, 31) // after cleared + hold, inside the horizon
	r = Judge(h.in).Faults[0]
	assert.Equal(t, 1, r.Relapses)
	assert.InDelta(t, 11, at(r.Recovered), 1e-6)
}

func TestNeverRecoveredIsCensored(t *testing.T) {
	h := newHistory(100, 50)
	h.fault(10, 20)
	h.outage(12, 50)
	r := Judge(h.in).Faults[0]
	assert.Equal(t, Censored, r.State)
	assert.False(t, r.Cut)
	assert.Nil(t, r.TTR)
	assert.InDelta(t, 40-12.01, r.Observed, 1e-6, "until cleared + horizon")

	// A calm shorter than hold is no recovery either.
	h = newHistory(100, 50)
	h.fault(10, 20)
	for from := 12.0; from < 50; from += 4 {
		h.outage(from, from+2)
	}
	assert.Equal(t, Censored, Judge(h.in).Faults[0].State)
}

// The run ends before cleared + hold: nobody can say that it recovered, nor that it was absorbed.
func TestRunThatEndsTooEarly(t *testing.T) {
	for name, outage := range map[string]float64{"hurt": 11, "unhurt": 0} {
		h := newHistory(100, 22)
		h.fault(10, 20)
		if outage > 0 {
			h.outage(10.5, outage)
		}
		r := Judge(h.in).Faults[0]
		assert.Equal(t, Censored, r.State, name)
		assert.True(t, r.Cut, name)
	}
	// Control: one second more and it may.
	h := newHistory(100, 23)
	h.fault(10, 20)
	h.outage(10.5, 11)
	assert.Equal(t, Recovered, Judge(h.in).Faults[0].State)
}

// A service without load is not a recovered one.
func TestPauseOfTheLoadIsNoRecovery(t *testing.T) {
	h := newHistory(100, 50)
	h.fault(10, 20)
	h.outage(12, 19)
	h.pause(19, 50)
	h.in.Records = append(h.in.Records, answered(99999, s(49.9))) // load was planned to the end
	r := Judge(h.in).Faults[0]
	assert.NotEqual(t, Recovered, r.State)

	// After the pause it is good for longer than hold: recovered, and the last bad request is before the pause.
	h = newHistory(100, 50)
	h.fault(10, 20)
	h.outage(12, 19)
	h.pause(19, 25)
	r = Judge(h.in).Faults[0]
	assert.Equal(t, Recovered, r.State)
	assert.InDelta(t, 19, at(r.Recovered), 1e-6)

	// No load while the fault was on: absorbed would be a lie.
	h = newHistory(100, 50)
	h.fault(10, 20)
	h.pause(9, 22)
	r = Judge(h.in).Faults[0]
	assert.Equal(t, Censored, r.State)
	assert.True(t, r.Cut)
}

// One request in a thousand late, for a hundred windows: noise, not impact.
func TestHealthyMissRateIsNoImpact(t *testing.T) {
	h := newHistory(1000, 30)
	h.fault(10, 15)
	for i := range h.in.Records {
		if i%1000 == 500 {
			r := &h.in.Records[i]
			r.First, r.Harmed, r.Violated = r.Due+600e6, r.Due+500e6, record.LimitTTFT
		}
	}
	j := Judge(h.in)
	assert.Equal(t, Absorbed, j.Faults[0].State)
	for _, w := range j.Windows {
		assert.False(t, w.Out)
	}
}

// What hurt before the fault is not the fault's, even inside a window that straddles its onset.
func TestEarlierTroubleIsNotTheFaults(t *testing.T) {
	h := newHistory(100, 40)
	h.outage(9, 9.95)
	h.fault(10, 15)
	assert.Equal(t, Absorbed, Judge(h.in).Faults[0].State)
}

// A fault that follows after cleared + hold ends the story of the one before.
func TestNextFaultIsNoRelapse(t *testing.T) {
	h := newHistory(100, 60)
	h.fault(10, 15)
	h.fault(25, 30)
	h.outage(10.5, 11)
	h.outage(25.5, 27)
	j := Judge(h.in)
	assert.Zero(t, j.Faults[0].Relapses)
	assert.InDelta(t, 11, at(j.Faults[0].Recovered), 1e-6)
	assert.InDelta(t, 25.51, at(j.Faults[1].Impact), 1e-6)
}

func TestUnprovenAndNeverCleared(t *testing.T) {
	h := newHistory(100, 40)
	h.fault(10, 20)
	h.in.Faults[0].Effective = 0
	h.outage(10, 12)
	assert.Equal(t, Unproven, Judge(h.in).Faults[0].State)

	h = newHistory(100, 40)
	h.fault(10, 0)
	h.outage(10, 12)
	r := Judge(h.in).Faults[0]
	assert.Equal(t, Censored, r.State)
	assert.True(t, r.Cut)
	assert.InDelta(t, 12, at(r.Mitigated), 1e-6, "good again with the fault still on")
}

// Stamps of two clocks closer than the clocks' error are marked.
func TestClockErrorMarksWhatItHides(t *testing.T) {
	h := newHistory(100, 40)
	h.fault(10, 20)
	h.outage(10.2, 10.7)
	h.event(10.003, event.OOM, "n2/g1")
	h.in.Clocks = []event.Offset{{Clock: "a", Error: 1e6}, {Clock: "b", Error: 3e6}, {Clock: "c", Error: 2e6}}
	assert.Equal(t, []string{"ttd"}, Judge(h.in).Faults[0].Unresolved)
	h.in.Clocks[1].Error = 0
	assert.Empty(t, Judge(h.in).Faults[0].Unresolved, "1 + 2 ms do not hide 3 ms")
}

// A limit passed while waiting hurts at that instant, not when the answer ends.
func TestSlowFirstTokenHurtsAtItsLimit(t *testing.T) {
	h := newHistory(100, 40)
	h.fault(10, 20)
	for i := range h.in.Records {
		if r := &h.in.Records[i]; r.Due >= s(10) && r.Due < s(12) {
			r.First, r.Last, r.End = r.Due+2e9, r.Due+2.1e9, r.Due+2.1e9 // the generator did not stamp it
		}
	}
	r := Judge(h.in).Faults[0]
	assert.InDelta(t, 10.5, at(r.Impact), 1e-6)
	assert.Equal(t, 200, r.Late)
	assert.Zero(t, r.Lost)
}
