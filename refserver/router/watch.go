package router

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/pool"
)

// watch says aloud which replicas are much slower than their peers, for operators and timelines, and
// marks them so that their streams may move. New requests do not wait for it: their balance follows
// the paces themselves.
type watch struct {
	mu   sync.Mutex
	next time.Time
	seen map[*pool.Member]*sight // of the replicas that are or may be slow
}

type sight struct {
	looks int  // that would change slow, less those that would not
	slow  bool // as last said
}

// LookEvery is how often replicas are compared, at most.
const LookEvery = 50 * time.Millisecond

const (
	// watchLooks, half a second of them on balance, make a change: a few steps with many prompts in them
	// are no slow replica. (Measured at 60 % of saturation: a healthy one stays above watchSlow for 0.4 s
	// at most.)
	watchLooks = 10
	// watchSlow and watchSteady are multiples of the pool's median; apart, so that nothing flaps.
	watchSlow, watchSteady = 3, 2
)

// change is what a look found.
type change struct {
	member *pool.Member
	slow   bool
	ratio  float64
}

// look compares the paces of peers, at most once every LookEvery, and returns what has changed. A
// caller that finds another one looking does not wait.
func (w *watch) look(peers []*pool.Member, now time.Time) (out []change) {
	if len(peers) < 2 || !w.mu.TryLock() {
		return nil
	}
	defer w.mu.Unlock()
	if now.Before(w.next) {
		return nil
	}
	w.next = now.Add(LookEvery)
	var known []pool.Reading
	for _, m := range peers {
		if r := m.Pace.Read(now); r.Seconds > 0 {
			known = append(known, r)
		}
	}
	if len(known) < 2 {
		return nil
	}
	slices.SortFunc(known, func(a, b pool.Reading) int { return cmp.Compare(a.Seconds, b.Seconds) })
	median := known[(len(known)-1)/2] // of two the faster one
	for _, m := range peers {
		ratio, s := m.Pace.Read(now).Slower(median), w.seen[m]
		if s == nil {
			if ratio < watchSlow {
				continue
			}
			s = &sight{}
			w.seen[m] = s
		}
		changes := ratio >= watchSlow
		if s.slow {
			changes = ratio <= watchSteady
		}
		if !changes {
			s.looks = max(0, s.looks-1)
			continue
		}
		if s.looks++; s.looks >= watchLooks {
			s.slow, s.looks = !s.slow, 0
			out = append(out, change{member: m, slow: s.slow, ratio: ratio})
		}
	}
	return out
}

// notice emits what the watch found.
func (r *Router) notice(model string, now time.Time) {
	for _, c := range r.watch.look(r.deps.Pool.Of(model), now) {
		e := event.Event{Source: "router", Kind: event.ReplicaSteady, Target: c.member.ID, Reason: "pace",
			Attrs: map[string]string{"times_the_median": strconv.FormatFloat(c.ratio, 'f', 1, 64)}}
		if c.slow {
			c.member.Slow.Begin(now)
			e.Kind = event.ReplicaSlow
		} else {
			c.member.Slow.End()
		}
		r.deps.Events.Emit(e)
	}
}
