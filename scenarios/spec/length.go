package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// length is a number of tokens, 512, or a distribution, {dist: lognormal, mean: 512, spread: 0.5}.
type length struct {
	Dist    string   `yaml:"dist"`
	Mean    float64  `yaml:"mean"`
	Spread  float64  `yaml:"spread"`
	Min     int      `yaml:"min"`
	Max     int      `yaml:"max"`
	Choices []choice `yaml:"choices"`
}

// choice is one of a few lengths.
type choice struct {
	Tokens int     `yaml:"tokens"`
	Weight float64 `yaml:"weight"`
}

// UnmarshalText reads the short form.
func (l *length) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return yamlx.Wrong{What: fmt.Sprintf("%.80q is not a number of tokens", text), Mend: "write for example 512, or {dist: lognormal, mean: 512, spread: 0.5}"}
	}
	*l = length{Dist: load.Fixed, Mean: float64(n)}
	return nil
}

// maxSpread bounds sigma, of the logarithm: one in a thousand would already be 10,000 medians long.
const maxSpread = 3

// length checks one distribution and fills in its bounds.
func (c *checker) length(path string, l length) load.Length {
	if !c.doc.Has(path) {
		c.wrong(path, "is missing", "write for example "+path[strings.LastIndexByte(path, '.')+1:]+map[string]string{"tokens": ": 64", "turns": ": 4"}[unit(path)])
		return load.Length{}
	}
	if l.Dist == "" && len(l.Choices) > 0 {
		l.Dist = load.Choices
	}
	out := load.Length{Dist: l.Dist, Mean: l.Mean, Spread: l.Spread, Min: l.Min, Max: l.Max}
	if l.Dist == load.Choices {
		return c.choices(path, l, out)
	}
	if len(l.Choices) > 0 {
		c.wrong(path+".choices", fmt.Sprintf("stand beside dist: %.80s", l.Dist), "keep one of the two")
		return out
	}
	if l.Mean < 1 || l.Mean > load.MaxTokens {
		at := path
		if c.doc.Has(path + ".mean") {
			at = path + ".mean"
		}
		c.wrong(at, fmt.Sprintf("a mean of %g %s is out of bounds", l.Mean, unit(path)), fmt.Sprintf("write 1 to %d", load.MaxTokens))
		return out
	}
	if l.Min < 0 || l.Max < 0 || l.Max > load.MaxTokens || (l.Max > 0 && (l.Min > l.Max || l.Mean > float64(l.Max))) || float64(l.Min) > l.Mean {
		c.wrong(path, fmt.Sprintf("min %d, mean %g, max %d are not in order", l.Min, l.Mean, l.Max), fmt.Sprintf("write min <= mean <= max <= %d", load.MaxTokens))
		return out
	}
	c.shape(path, l, &out)
	return out
}

// shape checks what one kind of distribution asks for.
func (c *checker) shape(path string, l length, out *load.Length) {
	switch l.Dist {
	case load.Fixed:
		if l.Spread != 0 || l.Min != 0 || l.Max != 0 || l.Mean != math.Trunc(l.Mean) {
			c.wrong(path, "a fixed length is one whole number and has no spread, min or max", "remove them, or write dist: uniform or lognormal")
		}
	case load.Uniform:
		if l.Spread <= 0 || l.Spread > l.Mean-1 {
			c.wrong(path+".spread", fmt.Sprintf("a half width of %g does not fit a mean of %g", l.Spread, l.Mean), "write a spread above 0 and below the mean")
			return
		}
		out.Min = max(l.Min, int(l.Mean-l.Spread))
		out.Max = int(l.Mean + l.Spread)
		if l.Max > 0 {
			out.Max = min(out.Max, l.Max)
		}
	case load.Lognormal:
		if l.Spread <= 0 || l.Spread > maxSpread {
			c.wrong(path+".spread", fmt.Sprintf("a sigma of %g is out of bounds", l.Spread), fmt.Sprintf("write a spread above 0 and up to %d, for example 0.5", maxSpread))
			return
		}
		out.CutTail()
	case load.Normal:
		if l.Spread <= 0 || l.Spread > load.MaxTokens {
			c.wrong(path+".spread", fmt.Sprintf("a standard deviation of %g is out of bounds", l.Spread), "write a spread above 0, for example a quarter of the mean")
			return
		}
		out.CutTail()
	case load.Exponential:
		if l.Spread != 0 {
			c.wrong(path+".spread", "an exponential length has no spread: its mean says all", "remove it, or write dist: normal or lognormal")
			return
		}
		out.CutTail()
	default:
		c.word(path+".dist", "a distribution", l.Dist, []string{load.Fixed, load.Uniform, load.Lognormal, load.Normal, load.Exponential, load.Choices})
	}
}

// choices checks a weighted choice of a few lengths.
func (c *checker) choices(path string, l length, out load.Length) load.Length {
	for i, one := range l.Choices {
		weight := one.Weight
		if !c.doc.Has(fmt.Sprintf("%s.choices[%d].weight", path, i)) {
			weight = 1
		}
		out.Choices = append(out.Choices, load.Choice{Tokens: one.Tokens, Weight: weight})
	}
	for _, f := range out.Flaws(strings.TrimPrefix(path, "load.")) {
		c.wrong("load."+f.Key, f.What, f.Mend)
	}
	return out
}
