package load

import (
	"iter"
	"math"
	"time"
)

// Share is the part of a load that one of several load generators sends: a stretch of [0, 1).
// Shares that tile [0, 1) with the very same boundaries split a plan exactly: each arrival is in one.
type Share struct{ From, To float64 }

// Whole is the share of a load generator that works alone.
func Whole() Share { return Share{From: 0, To: 1} }

// Holds reports whether arrival index belongs to the share. Indices are spread by the golden-ratio
// Weyl sequence, so every share gets its part evenly over time and not in a lump.
func (s Share) Holds(index uint64) bool {
	const golden = 0x9e3779b97f4a7c15 // 2^64 / φ, odd
	u := float64(index*golden>>11) / (1 << 53)
	return s.From <= u && u < s.To
}

// All is every arrival of the plan, in order of Due. The plan must be valid.
func (p Plan) All() iter.Seq[Arrival] { return p.Of(Whole()) }

// Of is every arrival of one share that is known beforehand, in order of Due. Index and Due are those
// of the whole plan. Of a closed loop it is each virtual user's first; Users.Next gives the others.
func (p Plan) Of(share Share) iter.Seq[Arrival] {
	return func(yield func(Arrival) bool) {
		if p.Arrivals.Process == Closed {
			p.Users().first(share, yield)
			return
		}
		s, index := p.sampler(), uint64(0)
		for v := range p.visits(s) {
			if share.Holds(index) && !yield(s.arrival(index, v)) {
				return
			}
			index++
		}
	}
}

// instants are when the plan's process has something happen: a request, or the start of a conversation.
// In that order; not of a closed loop.
func (p *Plan) instants() iter.Seq[time.Duration] {
	switch a := &p.Arrivals; {
	case a.Process == Replay:
		return p.replayed()
	case (a.Process == Constant || a.Process == Poisson) && a.steady():
		return p.steady()
	}
	return p.warped()
}

// steady is the two plainest processes at one rate, without the curve that warped walks.
func (p *Plan) steady() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		var sum time.Duration
		for index := uint64(0); ; index++ {
			due := p.due(index, &sum)
			if due >= p.Duration || due < 0 || !yield(due) {
				return
			}
		}
	}
}

// due is when arrival index of a steady process happens. Poisson gaps are summed as whole nanoseconds,
// so the sum carries no rounding that grows with it.
func (p *Plan) due(index uint64, sum *time.Duration) time.Duration {
	if p.Arrivals.Process == Poisson {
		gap := -math.Log(unit(draw(p.Seed, forGap, index))) / p.Arrivals.Rate
		*sum += time.Duration(math.Round(min(gap*1e9, float64(MaxDuration)+1)))
		return *sum
	}
	return time.Duration(math.Round(float64(index) * 1e9 / p.Arrivals.Rate))
}

func requestID(bits uint64) string {
	const digits = "0123456789abcdef"
	id := [18]byte{0: 'b', 1: '-'}
	for i := len(id) - 1; i >= 2; i-- {
		id[i] = digits[bits&15]
		bits >>= 4
	}
	return string(id[:])
}
