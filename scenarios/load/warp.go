package load

import (
	"iter"
	"math"
	"time"
)

// A process at a changing rate is the same process at rate one, watched by a clock that runs with the
// rate: arrival k is due at Λ⁻¹(u_k), Λ(t) being the requests expected until t and u_k the sum of k gaps
// of mean one (Çinlar 1975, Introduction to Stochastic Processes, 4.7: time change of a counting process).
// So a stage or a spike changes how dense arrivals are, and never the shape of the process.

// piece is a stretch at the rate that really holds in it, bursts and pauses included.
type piece struct {
	from    time.Duration
	seconds float64
	rate    float64 // requests/s at its start
	slope   float64
}

// area is the requests expected in the piece's first x seconds.
func (p *piece) area(x float64) float64 { return x * (p.rate + p.slope*x/2) }

// after is the inverse of area, in the form that does not cancel where the slope is small.
func (p *piece) after(area float64) float64 {
	if area <= 0 {
		return 0
	}
	root := math.Sqrt(max(0, p.rate*p.rate+2*p.slope*area))
	return min(2*area/(p.rate+root), p.seconds)
}

// warped walks the pieces. What is left of a gap is carried from piece to piece, so no sum grows with
// the length of the plan and nothing drifts.
func (p *Plan) warped() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		gap := p.gaps()
		index, last := uint64(0), time.Duration(0)
		used := 0.0
		if p.Arrivals.Process != Constant {
			used = gap(0)
		}
		for piece := range p.pieces() {
			area := piece.area(piece.seconds)
			for used < area {
				last = max(last, piece.from+time.Duration(math.Round(piece.after(used)*1e9)))
				if last >= p.Duration || !yield(last) {
					return
				}
				index++
				used += gap(index)
			}
			used -= area
		}
	}
}

// gaps is gap k of the process at rate one.
func (p *Plan) gaps() func(k uint64) float64 {
	seed := p.Seed
	switch p.Arrivals.Process {
	case Constant:
		return func(uint64) float64 { return 1 }
	case Gamma:
		g := newGamma(p.Arrivals.CV)
		return func(k uint64) float64 { return g.draw(draw(seed, forGap, k)) }
	default: // Poisson, and OnOff between its switches
		return func(k uint64) float64 { return -math.Log(unit(draw(seed, forGap, k))) }
	}
}

// pieces cuts the stretches where bursts begin and end.
func (p *Plan) pieces() iter.Seq[piece] {
	all := p.Arrivals.stretches(p.Duration)
	return func(yield func(piece) bool) {
		if p.Arrivals.Process != OnOff {
			for _, s := range all {
				if !yield(piece{from: s.from, seconds: s.seconds(), rate: s.rate + s.extra, slope: s.slope}) {
					return
				}
			}
			return
		}
		episodes := newEpisodes(p.Seed, &p.Arrivals)
		for _, s := range all {
			for at := s.from; at < s.to; {
				for episodes.to <= at {
					episodes.advance()
				}
				to := min(s.to, episodes.to)
				rate := s.rate + s.slope*(at-s.from).Seconds()
				if !yield(piece{from: at, seconds: (to - at).Seconds(), rate: episodes.level*rate + s.extra, slope: episodes.level * s.slope}) {
					return
				}
				at = to
			}
		}
	}
}
