package router

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

// peers are n members whose streams had these token times until now.
func peers(now time.Time, gaps ...time.Duration) []*pool.Member {
	var replicas []pool.Replica
	for i := range gaps {
		replicas = append(replicas, pool.Replica{ID: string(rune('a' + i)), Model: "m", Engine: enginetest.New()})
	}
	members := pool.New(pool.Config{}, replicas).Members()
	for i, gap := range gaps {
		members[i].Pace.Began(now)
		for range 100 {
			members[i].Pace.Heard(now, gap, 1)
		}
	}
	return members
}

func TestDrawPrefersTheSoonest(t *testing.T) {
	now := time.Now()
	const ms = time.Millisecond
	wins := func(slowRunning, fastRunning int, slow, fast time.Duration) bool {
		m := peers(now, slow, fast)
		all := []pool.Candidate{
			{Member: m[0], Load: engine.Load{Running: slowRunning}},
			{Member: m[1], Load: engine.Load{Running: fastRunning}},
		}
		rnd := rand.New(rand.NewPCG(5, 6))
		n := 0
		for range 100 {
			n += 1 - draw(all, now, func(*pool.Member) float64 { return 1 }, rnd.Float64)
		}
		if n != 0 && n != 100 {
			t.Errorf("%d of 100", n)
		}
		return n == 100
	}
	assert.False(t, wins(10, 20, 80*ms, 10*ms), "half the queue, eight times the time")
	assert.True(t, wins(1, 20, 80*ms, 10*ms), "2·8 < 21: the slow one still serves what it can")
	assert.False(t, wins(2, 20, 80*ms, 10*ms), "3·8 > 21")
	assert.True(t, wins(10, 20, 11*ms, 10*ms), "about the same speed: the load decides")
	assert.False(t, wins(20, 10, 10*ms, 11*ms))
}

func TestWatchNeedsHalfASecond(t *testing.T) {
	now := time.Now()
	members := peers(now, 10*time.Millisecond, 80*time.Millisecond, 10*time.Millisecond)
	w := watch{seen: map[*pool.Member]*sight{}}
	look := func(gap time.Duration) (out []change) {
		now = now.Add(LookEvery)
		for i, m := range members {
			g := 10 * time.Millisecond
			if i == 1 {
				g = gap
			}
			for range 100 {
				m.Pace.Heard(now, g, 1)
			}
		}
		out = w.look(members, now)
		assert.Empty(t, w.look(members, now.Add(LookEvery-1)), "not before its time")
		return out
	}
	for range 2 {
		assert.Empty(t, look(80*time.Millisecond))
	}
	for range 4 * watchLooks {
		assert.Empty(t, look(10*time.Millisecond), "a short excursion is nothing")
	}
	for range watchLooks - 1 {
		assert.Empty(t, look(160*time.Millisecond))
	}
	got := look(160 * time.Millisecond)
	for len(got) == 0 { // the mean follows within a few looks
		got = look(160 * time.Millisecond)
	}
	require.Len(t, got, 1)
	assert.Equal(t, members[1], got[0].member)
	assert.True(t, got[0].slow)
	assert.Greater(t, got[0].ratio, 8.0)
	for range 50 {
		assert.Empty(t, look(25*time.Millisecond), "between the two bounds nothing changes")
	}
	for range watchLooks - 1 {
		assert.Empty(t, look(10*time.Millisecond))
	}
	for got = nil; len(got) == 0; {
		got = look(10 * time.Millisecond)
	}
	require.Len(t, got, 1)
	assert.False(t, got[0].slow)
	assert.Empty(t, w.look(members[:1], now.Add(time.Minute)), "nobody to compare with")
}

// One replica of three is eight times as slow: it gets few requests, the event says so, and when it is
// fast again it gets its share back by itself.
func TestSlowReplicaIsSparedAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := enginetest.Script{Wait: 20 * time.Millisecond, Gap: 10 * time.Millisecond}
		slow := enginetest.Script{Wait: 160 * time.Millisecond, Gap: 80 * time.Millisecond}
		var engines []*enginetest.Engine
		for range 3 {
			e := enginetest.New()
			e.Otherwise = fast
			engines = append(engines, e)
		}
		b := newBench(Defaults(), engines...)
		var wg sync.WaitGroup
		defer wg.Wait()
		serve := func(n int) (third int) {
			before := len(engines[2].Calls())
			for range n {
				for i, m := range b.pool.Members() { // what a real engine would say of itself
					engines[i].Set(engine.Load{State: engine.Ready, Running: m.Pace.Waiting()})
				}
				wg.Go(func() { b.ask(t, request(50)) })
				time.Sleep(25 * time.Millisecond)
			}
			return len(engines[2].Calls()) - before
		}
		assert.InDelta(t, 133, serve(400), 30, "a third")
		engines[2].Use(slow)
		assert.Less(t, serve(400), 20, "what it can do; by load alone it would be more than 30")
		engines[2].Use(fast)
		serve(200)
		assert.InDelta(t, 133, serve(400), 30, "a third again")
		var said []event.Kind
		events, _, _ := b.events.Since(0)
		for _, e := range events {
			if e.Kind == event.ReplicaSlow || e.Kind == event.ReplicaSteady {
				assert.Equal(t, "n3/g0/m", e.Target)
				said = append(said, e.Kind)
			}
		}
		assert.Equal(t, []event.Kind{event.ReplicaSlow, event.ReplicaSteady}, said)
	})
}

// What a request costs at the door: six replicas, their paces known.
func BenchmarkPick(b *testing.B) {
	var engines []*enginetest.Engine
	for range 6 {
		engines = append(engines, enginetest.New())
	}
	r := newBench(Defaults(), engines...)
	for _, m := range r.pool.Members() {
		m.Pace.Began(time.Now())
		m.Pace.Heard(time.Now(), 10*time.Millisecond, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, settle := r.pick("m", nil)
		settle(nil)
	}
}
