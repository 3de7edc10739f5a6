package router

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/refserver/pool"
)

// draw is power of two choices (Mitzenmacher 2001): two different members are drawn, and the one with
// the shorter expected wait wins. A member takes part in a draw with the probability of its share, so that a recovering one
// is spared however idle it is; when nobody takes part, all do. Candidates must not be empty; random
// is in [0, 1).
func draw(candidates []pool.Candidate, now time.Time, share func(*pool.Member) float64, random func() float64) int {
	var few [16]int
	in := few[:0]
	for i, c := range candidates {
		if s := share(c.Member); s >= 1 || random() < s {
			in = append(in, i)
		}
	}
	if len(in) == 0 {
		for i := range candidates {
			in = append(in, i)
		}
	}
	if len(in) == 1 {
		return in[0]
	}
	i := int(random() * float64(len(in)))
	j := int(random() * float64(len(in)-1))
	if j >= i {
		j++
	}
	if sooner(candidates[in[j]], candidates[in[i]], now) {
		return in[j]
	}
	return in[i]
}

// sooner reports whether a request would be served sooner by a than by b.
func sooner(a, b pool.Candidate, now time.Time) bool { return delay(a, b, now, 1) < 1 }

// delay is the wait at a as a multiple of the wait at b for one more request: the work there times
// what a token takes. That is the shortest expected delay, (C+1)/U, of the Linux Virtual Server's
// scheduler "sed", with a speed that is measured and not configured. Replicas of about the same speed
// are compared by their load alone. more is 1 for a request that would be new at a, 0 for one that is
// there already.
func delay(a, b pool.Candidate, now time.Time, more int) float64 {
	work := func(c pool.Candidate, more int) float64 { return float64(c.Load.Running + c.Load.Waiting + more) }
	return work(a, more) * a.Pace.Read(now).Slower(b.Pace.Read(now)) / work(b, 1)
}

func without(candidates []pool.Candidate, tried []*pool.Member) []pool.Candidate {
	return slices.DeleteFunc(candidates, func(c pool.Candidate) bool { return slices.Contains(tried, c.Member) })
}

// normal estimates the pool's median time to first token by stochastic approximation: each sample
// moves the estimate 5 % towards itself, whatever its distance, so outliers cannot pull it (the
// idea of Ma, Muthukrishnan, Sandler, "Frugal Streaming for Estimating Quantiles", 2013).
type normal struct{ seconds atomic.Uint64 } // bits of a float64; 0 before the first sample

func (n *normal) add(d time.Duration) {
	x := d.Seconds()
	for {
		old := n.seconds.Load()
		est := math.Float64frombits(old)
		switch {
		case est == 0:
			est = max(x, 1e-6)
		case x > est:
			est *= 1.05
		case x < est:
			est /= 1.05
		}
		if n.seconds.CompareAndSwap(old, math.Float64bits(est)) {
			return
		}
	}
}

func (n *normal) value() time.Duration {
	return time.Duration(math.Float64frombits(n.seconds.Load()) * float64(time.Second))
}
