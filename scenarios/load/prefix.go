package load

import (
	"fmt"
	"math"
	"slices"

	"github.com/brownout-dev/brownout/internal/synth"
)

// Prefix makes prompts begin alike, so that a prefix cache has something true to hit: each begins with one
// of a pool of prefixes, as with system prompts; the rest of it is unique.
type Prefix struct {
	Tokens int `json:"tokens"` // of the prompt's own; 0 = none
	Pool   int `json:"pool"`   // how many prefixes there are
	// Zipf is the exponent s with which the k-th prefix is drawn in proportion to k^-s; 0 = all alike.
	Zipf float64 `json:"zipf,omitempty"`
	// Group tells pools apart: classes of one group share their prefixes.
	Group int `json:"group,omitempty"`
}

// Bounds of a prefix.
const (
	MaxPool = 100_000
	MaxZipf = 10

	// uniqueTokens is what must be left after the prefix: five tokens carry 60 random bits.
	uniqueTokens = 5
)

// Shares are the probabilities of the pool's prefixes, the most frequent one first.
func (x *Prefix) Shares() []float64 {
	shares := make([]float64, x.Pool)
	total := 0.0
	for i := range shares {
		shares[i] = math.Pow(float64(i+1), -x.Zipf)
		total += shares[i]
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares
}

// ranks draws prefixes: the summed shares.
type ranks []float64

func (x *Prefix) ranks() ranks {
	if x == nil || x.Tokens == 0 {
		return nil
	}
	sums := x.Shares()
	for i := 1; i < len(sums); i++ {
		sums[i] += sums[i-1]
	}
	return sums
}

// rank is a prefix of the pool, from 1; 0 where there is no pool.
func (r ranks) rank(bits uint64) int {
	if len(r) == 0 {
		return 0
	}
	i, _ := slices.BinarySearch(r, unit(bits))
	return min(i, len(r)-1) + 1
}

// key is the text of the prefix of that rank.
func (x *Prefix) key(seed uint64, rank int) synth.Key {
	return synth.Key(draw(seed, forPrefix, uint64(x.Group)<<32|uint64(rank)))
}

// flaws lists what is wrong with x under prompts of that length.
func (x *Prefix) flaws(key string, prompt *Length) (wrong []Flaw) {
	if x == nil || (x.Tokens == 0 && x.Pool == 0 && x.Zipf == 0) {
		return nil
	}
	if x.Tokens < 1 || x.Tokens > MaxTokens {
		wrong = append(wrong, Flaw{key + ".tokens", fmt.Sprintf("is %d", x.Tokens), fmt.Sprintf("it must lie in 1…%d", MaxTokens)})
	}
	if x.Pool < 1 || x.Pool > MaxPool {
		wrong = append(wrong, Flaw{key + ".pool", fmt.Sprintf("is %d", x.Pool), fmt.Sprintf("it must lie in 1…%d prefixes", MaxPool)})
	}
	if !(x.Zipf >= 0 && x.Zipf <= MaxZipf) {
		wrong = append(wrong, Flaw{key + ".zipf", fmt.Sprintf("is %v", x.Zipf), fmt.Sprintf("it must lie in 0…%d; 0 draws all alike", MaxZipf)})
	}
	if len(prompt.Flaws("")) > 0 {
		return wrong
	}
	if least, _ := prompt.bounds(); least < x.Tokens+uniqueTokens {
		wrong = append(wrong, Flaw{key + ".tokens", fmt.Sprintf("of %d do not fit prompts as short as %d", x.Tokens, least),
			fmt.Sprintf("shorten the prefix, or write prompt_tokens with a min of %d or more", x.Tokens+uniqueTokens)})
	}
	return wrong
}
