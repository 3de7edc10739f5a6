package load

import (
	"math"
	"time"
)

// levels is by how much the rate is multiplied during bursts and pauses, so that its mean stays: an
// interrupted Poisson process (Kuczura 1973, BSTJ 52/3), or one of two rates where there is a floor.
func (a *Arrivals) levels() (on, off float64) {
	share := a.On.Seconds() / (a.On.Seconds() + a.Off.Seconds())
	if a.Rate > 0 {
		off = a.Floor / a.Rate
	}
	return (1 - off*(1-share)) / share, off
}

// episodes walks bursts and pauses. Their lengths are exponential, each drawn by its own number, and
// time zero finds the process in a burst as often as any other instant does.
type episodes struct {
	seed   uint64
	mean   [2]time.Duration // burst, pause
	levels [2]float64
	state  int // of the episode that ends at to
	index  uint64
	level  float64
	to     time.Duration
}

func newEpisodes(seed uint64, a *Arrivals) *episodes {
	on, off := a.levels()
	e := &episodes{seed: seed, mean: [2]time.Duration{a.On, a.Off}, levels: [2]float64{on, off}}
	if first := unit(draw(seed, forEpisode, 0)); first*(a.On+a.Off).Seconds() <= a.On.Seconds() {
		e.state = 1 // advance turns it round
	}
	e.advance()
	return e
}

func (e *episodes) advance() {
	e.state = 1 - e.state
	e.index++
	length := -math.Log(unit(draw(e.seed, forEpisode, e.index))) * float64(e.mean[e.state])
	e.to += time.Duration(max(1, math.Round(min(length, float64(MaxDuration)))))
	e.level = e.levels[e.state]
}
