package router

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

func TestDecide(t *testing.T) {
	c := Defaults()
	for _, tc := range []struct {
		s    Situation
		want Fate
	}{
		{Situation{Outcome: Complete}, Fate{Action: Deliver, Why: "complete"}},
		{Situation{Outcome: ClientLeft, Started: true}, Fate{Action: GiveUp, Why: "client_gone"}},
		{Situation{Outcome: TotalTimeout}, Fate{Action: GiveUp, Why: "deadline"}},
		{Situation{Outcome: EngineTooLong}, Fate{Action: GiveUp, Why: "rejected"}},
		{Situation{Outcome: EngineBadRequest}, Fate{Action: GiveUp, Why: "rejected"}},
		{Situation{Outcome: EngineDead, Budget: true}, Fate{Action: Retry, Why: "not_started", Charged: true}},
		{Situation{Outcome: EngineDead}, Fate{Action: GiveUp, Why: "budget_spent"}},
		{Situation{Outcome: EngineDead, Retries: c.Retries, Budget: true}, Fate{Action: GiveUp, Why: "retries_spent"}},
		{Situation{Outcome: EngineDead, Started: true}, Fate{Action: Resume, Why: "started"}},
		{Situation{Outcome: EngineDead, Started: true, Resumes: c.Resumes}, Fate{Action: GiveUp, Why: "resumes_spent"}},
		{Situation{Outcome: EngineMigrated, Started: true, Resumes: c.Resumes}, Fate{Action: Resume, Why: "handed_back"}},
		{Situation{Outcome: EngineMigrated, Retries: c.Retries}, Fate{Action: Retry, Why: "handed_back"}},
		{Situation{Outcome: EngineMigrated, Attempts: c.Attempts}, Fate{Action: GiveUp, Why: "attempts_spent"}},
		{Situation{Outcome: EngineDead, Started: true, Kills: c.PoisonKills}, Fate{Action: GiveUp, Why: "poison"}},
	} {
		assert.Equal(t, tc.want, Decide(tc.s, c), "%+v", tc.s)
	}
	c.Resilient = false
	for o := Complete; o < numOutcomes; o++ {
		for _, started := range []bool{true, false} {
			a := Decide(Situation{Outcome: o, Started: started, Budget: true}, c).Action
			assert.Equal(t, o == Complete, a == Deliver)
			assert.True(t, a == Deliver || a == GiveUp, "without resilience nothing is tried again")
		}
	}
}

func TestOutcomesAreNamed(t *testing.T) {
	seen := map[string]bool{}
	for o := Complete; o < numOutcomes; o++ {
		assert.NotEmpty(t, o.String())
		assert.False(t, seen[o.String()], "%s is there twice", o)
		seen[o.String()] = true
		assert.False(t, o.blames() && o.callers(), "%s", o)
	}
}

// The oracle keeps every instant and counts.
func TestBudgetAgainstOracle(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	b := newBudget(0.2, 3, 10*time.Second)
	now := time.Unix(1000, 0)
	var requests, retries []int64
	slot := func(t time.Time) int64 { return t.UnixNano() / int64(time.Second) }
	recent := func(all []int64) (n int) {
		for _, s := range all {
			if s > slot(now)-10 {
				n++
			}
		}
		return n
	}
	for range 20_000 {
		now = now.Add(time.Duration(rnd.IntN(100)) * time.Millisecond)
		if rnd.IntN(2) == 0 {
			b.request(now)
			requests = append(requests, slot(now))
			continue
		}
		want := max(3, 0.2*float64(recent(requests)))-float64(recent(retries)) >= 1
		assert.Equal(t, want, b.take(now))
		if want {
			retries = append(retries, slot(now))
		}
	}
	assert.NotEmpty(t, retries)
}

func TestQuarantineIsBounded(t *testing.T) {
	q := newQuarantine(time.Minute, 3)
	now := time.Unix(1000, 0)
	for i := range 10 {
		q.add("m", fmt.Sprint(i), now.Add(time.Duration(i)*time.Second))
	}
	assert.Len(t, q.until, 3)
	assert.False(t, q.holds("m", "6", now.Add(10*time.Second)), "the oldest made room")
	assert.True(t, q.holds("m", "9", now.Add(10*time.Second)))
	assert.False(t, q.holds("other", "9", now.Add(10*time.Second)))
	assert.False(t, q.holds("m", "9", now.Add(70*time.Second)))
	assert.Len(t, q.until, 2, "what is over is forgotten")
}

func TestDrawPrefersTheLessLoaded(t *testing.T) {
	p := pool.New(pool.Config{}, []pool.Replica{{ID: "a", Model: "m", Engine: enginetest.New()}, {ID: "b", Model: "m", Engine: enginetest.New()}, {ID: "c", Model: "m", Engine: enginetest.New()}})
	var all []pool.Candidate
	for i, m := range p.Members() {
		all = append(all, pool.Candidate{Member: m, Load: engine.Load{Running: i * 10}})
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	count := func(share func(*pool.Member) float64) (n [3]int) {
		for range 30_000 {
			n[draw(all, time.Now(), share, rnd.Float64)]++
		}
		return n
	}
	even := count(func(*pool.Member) float64 { return 1 })
	assert.Equal(t, [3]int{30_000, 0, 0}, even, "the least loaded")
	ramped := count(func(m *pool.Member) float64 {
		if m.ID == "a" {
			return 0.1
		}
		return 1
	})
	assert.InDelta(t, 1_000, ramped[0], 150, "a tenth of its third, however idle it is")
	assert.Equal(t, 30_000, ramped[0]+ramped[1], "the others go to the next")
	nobody := count(func(*pool.Member) float64 { return 0 })
	assert.Equal(t, even, nobody, "when nobody takes part, all do")
	all[0].Load = engine.Load{Running: 5, TokenDebt: 512}
	all[1].Load = engine.Load{Running: 10}
	assert.Equal(t, 30_000, count(func(*pool.Member) float64 { return 1 })[1], "a prompt that waits weighs as 32 streams")
	all[0].Load = all[1].Load
	tied := count(func(*pool.Member) float64 { return 1 })
	assert.InDelta(t, tied[0], tied[1], 10_500, "ties fall at random")
	assert.NotZero(t, tied[0])
	assert.Zero(t, tied[2])
}

func TestNormalIsAMedian(t *testing.T) {
	var n normal
	rnd := rand.New(rand.NewPCG(7, 8))
	for i := range 5000 {
		d := time.Duration(15+rnd.IntN(11)) * time.Millisecond
		if i%4 == 0 {
			d = 3 * time.Second
		}
		n.add(d)
	}
	assert.InDelta(t, 0.022, n.value().Seconds(), 0.006, "a quarter of outliers does not pull it")
}

func TestConfigValidates(t *testing.T) {
	keys := func(c Config) (out []string) {
		c.Validate(func(key, _, _ string) { out = append(out, key) })
		return out
	}
	assert.Empty(t, keys(Defaults()))
	assert.Len(t, keys(Config{BudgetShare: 2}), 13, "all at once")
}

// The path of every token: pull one chunk that already waits, and one that has to be waited for.
func BenchmarkNext(b *testing.B) {
	feed := make(chan engine.Chunk, 1)
	c := newBench(Defaults(), enginetest.New()).Open(b.Context(), request(1<<30))
	defer c.Close()
	m := c.router.deps.Pool.Members()[0]
	c.cur = &attempt{member: m, stream: &engine.Stream{C: feed}, cancel: func() {}, settle: ignore, began: time.Now(), last: time.Now()}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		feed <- engine.Chunk{Text: " word", Index: i, Tokens: 1}
		if _, err := c.Next(nil); err != nil {
			b.Fatal(err)
		}
		c.sent = c.sent[:0]
		i++
	}
}
