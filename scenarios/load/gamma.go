package load

import "math"

const (
	forGammaTry purpose = iota + 101
	forEpisode
	forJitter
	forBlock
)

// gamma draws gaps of mean one with a coefficient of variation cv: a gamma distribution of shape 1/cv²
// and scale cv². The method is Marsaglia and Tsang, A Simple Method for Generating Gamma Variables (ACM
// TOMS 26/3, 2000), with their power of a uniform draw for shapes below one.
type gamma struct {
	scale, d, c float64
	boost       float64 // exponent of the uniform draw; 0 = none
}

func newGamma(cv float64) gamma {
	shape := 1 / (cv * cv)
	g := gamma{scale: cv * cv}
	if shape < 1 {
		g.boost = 1 / shape
		shape++
	}
	g.d = shape - 1.0/3
	g.c = 1 / math.Sqrt(9*g.d)
	return g
}

// draw turns 64 random bits into a gap. It tries again (in one of twenty cases) on bits that follow from
// the first alone, so that no draw depends on another.
func (g gamma) draw(bits uint64) float64 {
	gap := g.scale
	if g.boost > 0 {
		gap *= math.Pow(unit(draw(bits, forGammaTry, 0)), g.boost)
	}
	for try := uint64(1); ; try += 2 {
		x := normal(draw(bits, forGammaTry, try))
		v := 1 + g.c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(unit(draw(bits, forGammaTry, try+1))) < x*x/2+g.d-g.d*v+g.d*math.Log(v) {
			return gap * g.d * v
		}
	}
}
