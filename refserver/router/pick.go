package router

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/refserver/pool"
)

// draw is the candidate with the shortest expected wait; ties fall at random. All are compared and not
// two of them: one gateway knows every load exactly, so that power of two choices, made for stale
// views, only adds chance. (Six replicas at 60 % of saturation, p99 TTFT and p99 gap: two choices 109 and
// 58 ms, all 55 to 69 and 24 to 40 ms.) A recovering member takes part in its share of its fair
// number of draws, so that it is spared however idle it is; when nobody takes part, all do. Candidates must not be
// empty; random is in [0, 1).
func draw(candidates []pool.Candidate, now time.Time, share func(*pool.Member) float64, random func() float64) int {
	var few [16]int
	in := few[:0]
	for i, c := range candidates {
		if s := share(c.Member); s >= 1 || random() < s/float64(len(candidates)) {
			in = append(in, i)
		}
	}
	if len(in) == 0 {
		for i := range candidates {
			in = append(in, i)
		}
	}
	best := in[int(random()*float64(len(in)))] // ties fall at random
	for _, i := range in {
		if sooner(candidates[i], candidates[best], now) {
			best = i
		}
	}
	return best
}

// sooner reports whether a request would be served sooner by a than by b: the work ahead of it, its
// own included, times what a token takes there. That is the shortest expected delay, (C+1)/U, of the
// Linux Virtual Server's scheduler "sed", with a speed that is measured and not configured. Replicas
// of about the same speed are compared by their work alone.
func sooner(a, b pool.Candidate, now time.Time) bool {
	return work(a)*a.Pace.Read(now).Slower(b.Pace.Read(now)) < work(b)
}

// promptWeight is how many prompt tokens that still wait for their step weigh as much as a running
// stream. A prompt token costs a step about as much as a stream does, but it does so once, and a
// stream stays for as many steps as it has tokens to come; 16 lies where p99 TTFT was lowest.
const promptWeight = 16

func work(c pool.Candidate) float64 {
	return float64(c.Load.Running+c.Load.Waiting+1) + float64(c.Load.TokenDebt)/promptWeight
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
