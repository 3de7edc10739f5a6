package arrivals

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func closedPlan(users int, think, d time.Duration) load.Plan {
	p := constantPlan(0, d, users)
	p.Arrivals = load.Arrivals{Process: load.Closed, Concurrency: users, Think: think}
	return p
}

func TestClosedLoopWaitsForAnswers(t *testing.T) {
	records, d, start, took := bench{plan: closedPlan(3, 50*time.Millisecond, time.Second), takes: 100 * time.Millisecond, drain: time.Second}.run(t)
	require.Len(t, records, 21, "each of three users every 150 ms")
	for _, r := range records {
		turn := r.Arrival / 3
		require.Equal(t, start.Add(time.Duration(turn)*150*time.Millisecond), r.Due, "due is the end of the answer before, and the think time")
		require.Equal(t, r.Due, r.Sent)
	}
	assert.Equal(t, 3, d.most)
	assert.Zero(t, d.inFlight.Load())
	assert.Equal(t, uint64(21), d.due.Load())
	assert.Equal(t, time.Second, took)

	// What makes a closed loop: a target ten times slower is sent less. Open loops are not, see
	// TestOpenLoopDoesNotWaitForAnswers.
	slower, _, _, _ := bench{plan: closedPlan(3, 50*time.Millisecond, time.Second), takes: time.Second, drain: time.Second}.run(t)
	assert.Len(t, slower, 3)
}

func TestClosedLoopWithoutThinkTimeSendsAtOnce(t *testing.T) {
	records, _, _, _ := bench{plan: closedPlan(2, 0, time.Second), takes: 100 * time.Millisecond, drain: time.Second}.run(t)
	assert.Len(t, records, 20)
	dues := map[uint64]bool{}
	for _, r := range records {
		dues[r.Arrival] = true
	}
	assert.Len(t, dues, 20, "every request has its own index")
}

// A target that is gone at once must not be asked as fast as the machine can.
func TestFailedUsersPause(t *testing.T) {
	records, _, _, _ := bench{plan: closedPlan(2, 0, time.Second), outcome: record.Refused, drain: time.Second}.run(t)
	assert.Len(t, records, 20, "100 ms between the attempts of a user")
	records, _, _, _ = bench{plan: closedPlan(2, 0, time.Second), takes: time.Millisecond, outcome: record.Cancelled, drain: time.Second}.run(t)
	assert.Len(t, records, 2000, "what was planned is no failure")
}

func TestClosedLoopDrains(t *testing.T) {
	records, _, start, took := bench{plan: closedPlan(4, 0, time.Second), takes: time.Hour, drain: 3 * time.Second}.run(t)
	assert.Equal(t, map[record.Outcome]int{record.Unfinished: 4}, outcomes(records))
	assert.Equal(t, start.Add(4*time.Second), records[0].End)
	assert.Equal(t, 4*time.Second, took)
	records, _, _, took = bench{plan: closedPlan(4, 0, time.Minute), takes: time.Hour, drain: 3 * time.Second, abort: 1050 * time.Millisecond}.run(t)
	assert.Equal(t, map[record.Outcome]int{record.Unfinished: 4}, outcomes(records))
	assert.Equal(t, 1050*time.Millisecond, took)
	records, _, _, took = bench{plan: closedPlan(4, time.Hour, time.Minute), takes: time.Second, drain: 3 * time.Second, abort: 1050 * time.Millisecond}.run(t)
	assert.Len(t, records, 4)
	assert.LessOrEqual(t, took, time.Minute, "a user who thinks is not waited for")
}

func TestAHopelesslyLateClosedLoopGivesUp(t *testing.T) {
	records, d, _, took := bench{plan: closedPlan(3, 0, time.Hour), takes: time.Second, drain: time.Hour, waiter: tardy{}}.run(t)
	assert.Regexp(t, `^request \d was sent 11s late$`, d.gaveUp)
	assert.Empty(t, records)
	assert.Less(t, took, time.Minute)
}

// tardy lets the users begin eleven seconds late.
type tardy struct{}

func (tardy) Until(at time.Time, stop <-chan struct{}) bool {
	return pace.Timers{}.Until(at.Add(11*time.Second), stop)
}

func TestSharesOfAClosedLoopAreItsUsers(t *testing.T) {
	var all []uint64
	for _, share := range []load.Share{{From: 0, To: 0.5}, {From: 0.5, To: 1}} {
		records, d, _, _ := bench{plan: closedPlan(10, 0, time.Second), takes: 100 * time.Millisecond, drain: time.Second, share: share}.run(t)
		assert.InDelta(t, 5, d.most, 1)
		for _, r := range records {
			all = append(all, r.Arrival)
		}
	}
	slices.Sort(all)
	require.Len(t, all, 100)
	for i, index := range all {
		require.Equal(t, uint64(i), index, "together they are the whole loop, each request once")
	}
}

// classy answers at once, but for the clients that hang up, and remembers who asked.
type classy struct {
	fake
	mu  sync.Mutex
	got map[uint64]load.Arrival
}

func (c *classy) Do(ctx context.Context, req *client.Request) client.Result {
	c.mu.Lock()
	c.got[req.Index] = req.Arrival
	c.mu.Unlock()
	f := c.fake
	if req.CancelAfter > 0 {
		f.takes, f.outcome = req.CancelAfter, record.Cancelled
	}
	res := f.Do(ctx, req)
	res.Record.Class = []string{"chat", "batch"}[req.Class]
	return res
}

// Classes and hang-ups are drawn for each request of a user; hanging up ends its turn as an answer does.
func TestClosedLoopOfAMix(t *testing.T) {
	p := closedPlan(3, 50*time.Millisecond, 20*time.Second)
	p.Prompt.Mean = 30
	p.Prefix = &load.Prefix{Tokens: 9, Pool: 4}
	p.Cancel = &load.Cancel{Share: 0.25, After: 50 * time.Millisecond}
	p.Mix = []load.Class{{Name: "chat", Weight: 3}, {Name: "batch", Weight: 1, Prefix: &load.Prefix{}, Cancel: &load.Cancel{}}}
	require.NoError(t, p.Validate())
	sent := &classy{got: map[uint64]load.Arrival{}}
	records, _, start, _ := bench{plan: p, takes: 150 * time.Millisecond, drain: time.Second, sender: func(f fake) sender {
		sent.fake = f
		return sent
	}}.run(t)
	before := map[uint64]record.Record{}
	classes, users := map[string]int{}, map[uint64]map[string]bool{}
	for _, r := range records {
		a := sent.got[r.Arrival]
		classes[r.Class]++
		user := r.Arrival % 3
		if users[user] == nil {
			users[user] = map[string]bool{}
		}
		users[user][r.Class] = true
		require.Equal(t, a.Rank > 0, r.Class == "chat", "only chats share prefixes")
		want, due := record.OK, start
		if a.CancelAfter > 0 {
			want = record.Cancelled
			require.Equal(t, "chat", r.Class)
			classes["hung up"]++
		}
		if last, ok := before[user]; ok {
			due = last.End.Add(50 * time.Millisecond) // a hang-up is no failure, which would wait 100 ms
		}
		require.Equal(t, want, r.Outcome)
		require.Equal(t, due, r.Due)
		before[user] = r
	}
	n := float64(len(records))
	require.Greater(t, n, 290.0)
	assert.InDelta(t, 0.75, float64(classes["chat"])/n, 0.12)
	assert.InDelta(t, 0.25, float64(classes["hung up"])/float64(classes["chat"]), 0.13)
	for user, kinds := range users {
		assert.Len(t, kinds, 2, "user %d sends both", user)
	}
}
