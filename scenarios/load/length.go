package load

import (
	"fmt"
	"math"
)

// Distributions of Length.
const (
	Fixed       = "fixed"
	Uniform     = "uniform"
	Lognormal   = "lognormal"
	Normal      = "normal"      // truncated to [Min, Max]
	Exponential = "exponential" //
	Choices     = "choices"     // weighted
)

func dists() []string { return []string{Fixed, Uniform, Lognormal, Normal, Exponential, Choices} }

// Bounds of lengths.
const (
	MaxTokens  = 1 << 20 // of any drawn length: one prompt of it is a few megabytes of text
	MaxChoices = 100
	MaxSigma   = 5 // of the logarithm
)

// Length is a distribution of token counts.
type Length struct {
	Dist    string   `json:"dist"`             // "fixed", "uniform", "lognormal", "normal", "exponential", "choices"
	Mean    float64  `json:"mean,omitempty"`   // tokens, before Min and Max cut; fixed: the value; choices: not used
	Spread  float64  `json:"spread,omitempty"` // uniform: half width; lognormal: sigma of the logarithm; normal: standard deviation
	Min     int      `json:"min,omitempty"`
	Max     int      `json:"max,omitempty"`
	Choices []Choice `json:"choices,omitempty"`
}

// Choice is one length of a few.
type Choice struct {
	Tokens int     `json:"tokens"`
	Weight float64 `json:"weight"` // against the sum of all
}

// tailCut is where a distribution without an end is cut unless its user says otherwise, in means: one
// request of a heavy tail must not be the whole load.
const tailCut = 20

// CutTail bounds a distribution that has no end.
func (l *Length) CutTail() {
	switch l.Dist {
	case Lognormal, Normal, Exponential:
		l.Min = max(1, l.Min)
		if l.Max == 0 {
			l.Max = int(min(tailCut*l.Mean, MaxTokens))
		}
	}
}

// bounds are the shortest and the longest length that can be drawn.
func (l *Length) bounds() (least, most int) {
	least, most = max(1, l.Min), MaxTokens
	if l.Max > 0 {
		most = l.Max
	}
	inside := func(n float64) int { return int(math.Round(min(max(n, float64(least)), float64(most)))) }
	switch l.Dist {
	case Fixed:
		return inside(l.Mean), inside(l.Mean)
	case Uniform:
		return inside(math.Ceil(l.Mean - l.Spread)), inside(math.Floor(l.Mean + l.Spread))
	case Choices:
		low, high := MaxTokens, 0
		for _, c := range l.Choices {
			if c.Weight > 0 {
				low, high = min(low, c.Tokens), max(high, c.Tokens)
			}
		}
		return inside(float64(low)), inside(float64(high))
	}
	return least, most
}

// tokens turns 64 random bits into a length of at least one token, inside [Min, Max] where they are set.
func (l *Length) tokens(bits uint64) int {
	n := l.Mean
	switch l.Dist {
	case Uniform:
		low := math.Ceil(l.Mean - l.Spread)
		width := math.Floor(l.Mean+l.Spread) - low + 1
		n = low + math.Floor((1-unit(bits))*width)
	case Lognormal:
		// The mean of a lognormal is exp(mu + sigma²/2).
		n = math.Exp(math.Log(l.Mean) - l.Spread*l.Spread/2 + l.Spread*normal(bits))
	case Normal:
		// Inversion inside the bounds: no draw is thrown away, none piles up at an end.
		from, to := l.window()
		n = l.Mean + l.Spread*math.Sqrt2*math.Erfinv(2*(from+(to-from)*unit(bits))-1)
	case Exponential:
		n = -l.Mean * math.Log(unit(bits))
	case Choices:
		n = float64(l.choose(unit(bits)))
	}
	highest := MaxTokens
	if l.Max > 0 {
		highest = l.Max
	}
	return int(math.Round(min(max(n, 1, float64(l.Min)), float64(highest))))
}

// choose is the choice at u of the summed weights, u in (0, 1].
func (l *Length) choose(u float64) int {
	total := 0.0
	for _, c := range l.Choices {
		total += c.Weight
	}
	for _, c := range l.Choices {
		if u -= c.Weight / total; u <= 0 && c.Weight > 0 {
			return c.Tokens
		}
	}
	return l.Choices[len(l.Choices)-1].Tokens // rounding left a trace of u
}

// Flaws lists what is wrong with l; key is its JSON key.
func (l *Length) Flaws(key string) (wrong []Flaw) {
	bad := func(part, what, mend string) { wrong = append(wrong, Flaw{key + part, what, mend}) }
	switch l.Dist {
	case Fixed, Uniform, Lognormal, Normal, Exponential:
		if len(l.Choices) > 0 {
			bad(".choices", "stand beside dist "+l.Dist, "keep one of the two")
		}
		if !(l.Mean >= 1 && l.Mean <= MaxTokens) {
			bad(".mean", fmt.Sprintf("is %v", l.Mean), fmt.Sprintf("it must lie in 1…%d tokens", MaxTokens))
		}
	case Choices:
		return append(l.boundFlaws(key), l.choiceFlaws(key)...)
	default:
		bad(".dist", fmt.Sprintf("is %.80q", l.Dist), "write "+anyOf(dists()))
		if !(l.Mean >= 1 && l.Mean <= MaxTokens) {
			bad(".mean", fmt.Sprintf("is %v", l.Mean), fmt.Sprintf("it must lie in 1…%d tokens", MaxTokens))
		}
	}
	spread := fmt.Sprintf("is %v", l.Spread)
	switch {
	case !(l.Spread >= 0):
		bad(".spread", spread, "it must not be negative")
	case l.Dist == Uniform && l.Spread >= l.Mean:
		bad(".spread", spread, fmt.Sprintf("the half width of a uniform length must be below its mean %v", l.Mean))
	case l.Dist == Lognormal && l.Spread > MaxSigma:
		bad(".spread", spread, fmt.Sprintf("the sigma of a lognormal length may be %d at most", MaxSigma))
	case l.Dist == Normal && !(l.Spread > 0 && l.Spread <= MaxTokens):
		bad(".spread", spread, "the standard deviation of a normal length must be above 0")
	case (l.Dist == Fixed || l.Dist == Exponential) && l.Spread != 0:
		bad(".spread", spread, l.Dist+" lengths have none, remove it")
	}
	wrong = append(wrong, l.boundFlaws(key)...)
	if from, to := l.window(); l.Dist == Normal && len(wrong) == 0 && to-from < 1e-6 {
		bad("", "lies outside its min and max but for one draw in a million", "move them around the mean")
	}
	return wrong
}

func (l *Length) boundFlaws(key string) []Flaw {
	switch {
	case l.Min < 0 || l.Min > MaxTokens || l.Max < 0 || l.Max > MaxTokens:
		return []Flaw{{key, fmt.Sprintf("has .min and .max of %d and %d", l.Min, l.Max), fmt.Sprintf("they must lie in 0…%d", MaxTokens)}}
	case l.Max > 0 && l.Min > l.Max:
		return []Flaw{{key + ".min", fmt.Sprintf("is %d, above .max %d", l.Min, l.Max), "swap them"}}
	}
	return nil
}

func (l *Length) choiceFlaws(key string) (wrong []Flaw) {
	if n := len(l.Choices); n < 1 || n > MaxChoices {
		return []Flaw{{key + ".choices", fmt.Sprintf("are %d", n), fmt.Sprintf("write 1 to %d, for example [{tokens: 128, weight: 3}, {tokens: 4096, weight: 1}]", MaxChoices)}}
	}
	if l.Mean != 0 || l.Spread != 0 {
		wrong = append(wrong, Flaw{key, "has choices, and a mean or a spread beside them", "keep the choices: their mean follows"})
	}
	total := 0.0
	for i, c := range l.Choices {
		at := fmt.Sprintf("%s.choices[%d]", key, i)
		if c.Tokens < 1 || c.Tokens > MaxTokens {
			wrong = append(wrong, Flaw{at + ".tokens", fmt.Sprintf("is %d", c.Tokens), fmt.Sprintf("it must lie in 1…%d", MaxTokens)})
		}
		if !isWeight(c.Weight) {
			wrong = append(wrong, weightFlaw(at, c.Weight))
		}
		total += c.Weight
	}
	if len(wrong) == 0 && total == 0 {
		wrong = append(wrong, Flaw{key + ".choices", "have no weight at all", "give at least one a weight above 0"})
	}
	return wrong
}
