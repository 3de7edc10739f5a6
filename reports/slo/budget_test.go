package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// By hand: 100 requests/s for 30 days are 259,200,000 requests, of which 99.9 % leave 259,200. A fault
// that spoils 30 of them took 30/259,200 of the budget, as 0.3 s without service would of 2,592 s.
func TestBurn(t *testing.T) {
	h := passing()
	j := Judge(h.in)
	require.Equal(t, Recovered, j.Faults[0].State)
	b := j.Faults[0].Burn
	require.NotNil(t, b)
	assert.Equal(t, 30, b.Bad)
	assert.InEpsilon(t, 30.0/259_200, b.Share, 1e-9)
	assert.InEpsilon(t, 0.3, b.Outage, 1e-9)
	assert.InEpsilon(t, 2592, b.Budget, 1e-9)
	assert.InEpsilon(t, 30.0/float64(j.Faults[0].Touched)/0.001, b.Rate, 1e-9)
	assert.False(t, b.SoFar)
	assert.Equal(t, "This fault alone burned 0.01 % of the 30-day 99.9 % budget: 30 bad requests, as much as 300 ms without any service where 43 min 12 s are allowed.", b.Sentence())
}

// A total outage as long as the budget allows burns all of it, whatever the rate: the definition.
func TestAFullOutageOfTheWholeBudgetBurnsAllOfIt(t *testing.T) {
	for _, rate := range []int{10, 50, 200} {
		h := newHistory(rate, 60)
		h.in.Spec.Budget = Budget{Target: 0.999, Window: 10_000 * time.Second} // allows 10 s
		h.fault(20, 30)
		h.outage(20, 30)
		b := Judge(h.in).Faults[0].Burn
		require.NotNil(t, b)
		assert.InDelta(t, 1, b.Share, 0.02, "%d requests/s", rate) // the first and last request are at the edges
		assert.InEpsilon(t, b.Share, b.Outage/b.Budget, 1e-9)
	}
}

func TestNoBurn(t *testing.T) {
	unproven := passing()
	unproven.in.Faults[0].Effective = 0
	assert.Nil(t, Judge(unproven.in).Faults[0].Burn)

	idle := passing()
	idle.in.Load.Rate = 0
	assert.Nil(t, Judge(idle.in).Faults[0].Burn, "no rate, no budget")

	absorbed := newHistory(100, 40)
	absorbed.fault(10, 20)
	b := Judge(absorbed.in).Faults[0].Burn
	require.NotNil(t, b)
	assert.Zero(t, b.Share)
	assert.Equal(t, "This fault burned nothing of the 30-day 99.9 % budget.", b.Sentence())

	endless := passing()
	endless.outage(12, 40)
	b = Judge(endless.in).Faults[0].Burn
	assert.True(t, b.SoFar)
	assert.Contains(t, b.Sentence(), "before we stopped looking")
}

func TestDays(t *testing.T) {
	for d, want := range map[time.Duration]string{30 * 24 * time.Hour: "30-day", 12 * time.Hour: "12-hour", 90 * time.Minute: "90-minute"} {
		assert.Equal(t, want, days(d))
	}
}

func TestCapacity(t *testing.T) {
	for _, tc := range []struct {
		c    Capacity
		want string
	}{
		{Capacity{154, 256.6, 213.8, 6}, "154 requests/s is 60 % of what 6 replicas bear and 72 % of what 5 would."},
		{Capacity{230, 256.6, 213.8, 6}, "230 requests/s is 90 % of what 6 replicas bear and 108 % of what 5 would. That leaves no room for a loss: whatever takes one replica away overloads the others until it is back."},
		{Capacity{300, 256.6, 213.8, 6}, "300 requests/s is 117 % of what 6 replicas bear and 140 % of what 5 would. That is more than the target bears: the queue grows as long as the load lasts."},
		{Capacity{20.5, 80, 40, 2}, "20.5 requests/s is 26 % of what 2 replicas bear and 51 % of what 1 would."},
		{Capacity{20, 40, 0, 1}, "20 requests/s is 50 % of what the one replica bears, and there is no second one to take over."},
		{Capacity{20, 80, 40, 0}, "20 requests/s is 25 % of what all replicas bear and 50 % of what one fewer would."},
		{Capacity{20, 0, 0, 6}, ""},
	} {
		assert.Equal(t, tc.want, tc.c.Sentence())
	}
}
