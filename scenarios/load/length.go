package load

import (
	"fmt"
	"math"
)

// Distributions of Length.
const (
	Fixed     = "fixed"
	Uniform   = "uniform"
	Lognormal = "lognormal"
)

// MaxTokens bounds any drawn length: one prompt of it is a few megabytes of text.
const MaxTokens = 1 << 20

// tokens turns 64 random bits into a length of at least one token, inside [Min, Max] where they are set.
func (l Length) tokens(bits uint64) int {
	n := l.Mean
	switch l.Dist {
	case Uniform:
		low := math.Ceil(l.Mean - l.Spread)
		width := math.Floor(l.Mean+l.Spread) - low + 1
		n = low + math.Floor((1-unit(bits))*width)
	case Lognormal:
		// The mean of a lognormal is exp(mu + sigma²/2).
		n = math.Exp(math.Log(l.Mean) - l.Spread*l.Spread/2 + l.Spread*normal(bits))
	}
	highest := MaxTokens
	if l.Max > 0 {
		highest = l.Max
	}
	return int(math.Round(min(max(n, 1, float64(l.Min)), float64(highest))))
}

// faults lists what is wrong with l; name is its JSON key.
func (l Length) faults(name string) (wrong []error) {
	bad := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(name+format, args...))
	}
	switch l.Dist {
	case Fixed, Uniform, Lognormal:
	default:
		bad(".dist is %q: write fixed, uniform or lognormal", l.Dist)
	}
	if !(l.Mean >= 1 && l.Mean <= MaxTokens) {
		bad(".mean is %v: it must lie in 1…%d tokens", l.Mean, MaxTokens)
	}
	switch {
	case !(l.Spread >= 0):
		bad(".spread is %v: it must not be negative", l.Spread)
	case l.Dist == Uniform && l.Spread >= l.Mean:
		bad(".spread is %v: the half width of a uniform length must be below its mean %v", l.Spread, l.Mean)
	case l.Dist == Lognormal && l.Spread > 5:
		bad(".spread is %v: the sigma of a lognormal length may be 5 at most", l.Spread)
	case l.Dist == Fixed && l.Spread != 0:
		bad(".spread is %v: a fixed length has none, remove it", l.Spread)
	}
	if l.Min < 0 || l.Min > MaxTokens || l.Max < 0 || l.Max > MaxTokens {
		bad(".min and .max are %d and %d: they must lie in 0…%d", l.Min, l.Max, MaxTokens)
	} else if l.Max > 0 && l.Min > l.Max {
		bad(".min is %d, above .max %d: swap them", l.Min, l.Max)
	}
	return wrong
}
