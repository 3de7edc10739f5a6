package modules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/record"
)

type story struct {
	State, Error, Kind string
	Unrecovered        bool
	TTR, Residual      *float64
	Targets            []string
}

func withFaults(t *testing.T, h *fakeHolder) *vu {
	t.Helper()
	t.Setenv("K6JS_TOKEN", "sesame")
	v := newVU(t)
	require.NoError(t, v.eval(fmt.Sprintf(`var f = new Faults({ url: '%s', tokenEnv: 'K6JS_TOKEN', lease: '600ms' });`, h.listen(t)), nil))
	return v.start()
}

func TestFaultsByHand(t *testing.T) {
	h := &fakeHolder{}
	v := withFaults(t, h)
	var got []struct {
		ID, Step, Evidence, Gone, Cause string
		Targets                         []string
	}
	require.NoError(t, v.eval(`
		var a = f.inject('gpu.oom on gpu=n1/g0 for 10s', { reason: 'to see' });
		result = [a, f.renew(a.id, '2s'), f.clear(a.id), f.list()[0]]`, &got))
	assert.Equal(t, "effective", got[0].Step)
	assert.Equal(t, "seen", got[0].Evidence)
	assert.Equal(t, []string{"n1/g0"}, got[0].Targets)
	assert.Equal(t, "renewed", got[1].Step)
	assert.Equal(t, "cleared", got[2].Step)
	assert.Equal(t, "not seen", got[2].Gone)
	assert.Equal(t, "f0", got[3].ID)
	assert.Equal(t, "inject renew clear", h.log())
	v.test.End(v.metrics)
	assert.Equal(t, "inject renew clear", h.log(), "what was cleared is left alone")
}

func TestFaultIsRenewedAndClearedWithTheTest(t *testing.T) {
	h := &fakeHolder{}
	v := withFaults(t, h)
	require.NoError(t, v.eval(`f.inject('gpu.oom on gpu=n1/g0 for 1m')`, nil))
	require.Eventually(t, func() bool { return strings.Count(h.log(), "renew") >= 2 }, 10*time.Second, 10*time.Millisecond)
	v.test.End(v.metrics)
	assert.Empty(t, h.on, "the end of the test leaves no fault behind")
	got := v.samples("fault", "state")
	assert.Equal(t, []float64{1}, got["brownout_unrecovered gpu.oom censored"], "nobody saw that it was survived")
	assert.Equal(t, []float64{1}, got["brownout_faults gpu.oom censored"])
	assert.Empty(t, got["brownout_ttr gpu.oom censored"])
}

func TestFaultEndsWithItsDuration(t *testing.T) {
	h := &fakeHolder{}
	v := withFaults(t, h)
	require.NoError(t, v.eval(`f.inject('gpu.oom on gpu=n1/g0 for 100ms')`, nil))
	require.Eventually(t, func() bool { return strings.HasSuffix(h.log(), "clear") }, 10*time.Second, 10*time.Millisecond)
	v.test.End(v.metrics)
	assert.Empty(t, h.on)
}

func TestLostLeaseIsUnrecovered(t *testing.T) {
	h := &fakeHolder{lose: true}
	v := withFaults(t, h)
	require.NoError(t, v.eval(`f.inject('gpu.oom on gpu=n1/g0 for 1m')`, nil))
	require.Eventually(t, func() bool { return strings.Contains(h.log(), "renew clear") }, 10*time.Second, 10*time.Millisecond)
	v.test.End(v.metrics)
	assert.Equal(t, []float64{1}, v.samples()["brownout_unrecovered"])
}

func TestFaultErrorsAreThrown(t *testing.T) {
	h := &fakeHolder{}
	v := withFaults(t, h)
	require.ErrorContains(t, v.eval(`f.inject('gpu.oom everywhere')`, nil), "everywhere")
	require.ErrorContains(t, v.eval(`f.inject('gpu.oom on gpu=n1/g0 for 1s', { why: 1 })`, nil), "why is no option")
	assert.Empty(t, h.log())
	t.Setenv("K6JS_TOKEN", "wrong")
	w := newVU(t)
	require.NoError(t, w.eval(fmt.Sprintf(`var f = new Faults({ url: '%s', tokenEnv: 'K6JS_TOKEN' });`, h.listen(t)), nil))
	w.start()
	require.ErrorContains(t, w.eval(`f.inject('gpu.oom on gpu=n1/g0 for 1s')`, nil), "wrong token")
	w.test.End(w.metrics)
	assert.Equal(t, []float64{1}, w.samples()["brownout_unrecovered"], "a fault that never came on is no survived fault")
}

// recovery() and the samples at the end tell one story.
func TestRecoveryIsReported(t *testing.T) {
	h := &fakeHolder{}
	v := withFaults(t, h)
	require.NoError(t, v.eval(`configureRecovery({ hold: '1s', minBad: 1, objective: 0.99 }); var a = f.inject('gpu.oom on gpu=n1/g0 for 1m');`, nil))
	begin := v.test.Clock.Now()
	for i := range 40 { // 20 requests a second, already over: the second one fails
		due := begin.Add(time.Duration(i) * 50 * time.Millisecond)
		r := record.Record{Due: due, End: due.Add(time.Millisecond), Outcome: record.OK}
		if i < 2 {
			r.Outcome, r.Harmed = record.Reset, r.End
		}
		v.test.Recovery.Request(&r)
	}
	require.NoError(t, v.eval(`f.clear(a.id)`, nil))
	for i := range 40 {
		due := begin.Add(2*time.Second + time.Duration(i)*50*time.Millisecond)
		v.test.Recovery.Request(&record.Record{Due: due, End: due.Add(time.Millisecond), Outcome: record.OK})
	}
	var got []story
	require.NoError(t, v.eval(`result = recovery()`, &got))
	require.Len(t, got, 1)
	assert.Equal(t, "recovered", got[0].State)
	assert.Equal(t, "gpu.oom", got[0].Kind)
	assert.Equal(t, []string{"n1/g0"}, got[0].Targets)
	require.NotNil(t, got[0].TTR)
	assert.InDelta(t, 50, *got[0].TTR, 0.001, "first harm to last harm")
	v.test.End(v.metrics)
	samples := v.samples("fault", "state", "target")
	assert.Equal(t, []float64{0}, samples["brownout_unrecovered gpu.oom recovered n1/g0"])
	assert.InDeltaSlice(t, []float64{50}, samples["brownout_ttr gpu.oom recovered n1/g0"], 0.001)
}
