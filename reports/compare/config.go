package compare

import (
	"fmt"
	"slices"
	"strings"
)

// MinEffect is what a difference must reach to matter: the share and the absolute amount, both.
type MinEffect struct {
	Relative float64 `json:"relative"`  // of the first side's value [0.05]
	Request  float64 `json:"request_s"` // of ttft and e2e, seconds [1 ms]
	Token    float64 `json:"token_s"`   // of tpot and itl, seconds [0.2 ms]: there are many in an answer
	Share    float64 `json:"share"`     // of goodput, absolute [0.01]
	Recovery float64 `json:"recovery_s"`
}

func (m MinEffect) request() float64 { return m.Request }
func (m MinEffect) token() float64   { return m.Token }

// Config is how to compare. Zero fields take the default in brackets.
type Config struct {
	Min          MinEffect
	Metrics      []string // "p99 ttft", "ttft", "goodput", "recovery"; empty: all
	Permutations int      // [4000, and 80 a metric at least]
	Draws        int      // of the bootstrap [1000]
	Seed         uint64   // of both [1]
	// OtherMachine compares results of different machines too; the answer is unknown all the same.
	OtherMachine bool
}

// Alpha is the share of comparisons of equal builds that may find any difference, over all metrics together:
// of 20 comparisons at most one, with a probability of 94 % even if every false finding were a regression.
const Alpha = 0.02

// Confidence is that of the printed intervals.
const Confidence = 0.95

func (c Config) withDefaults() Config {
	fill(&c.Min.Relative, 0.05)
	fill(&c.Min.Request, 1e-3)
	fill(&c.Min.Token, 0.2e-3)
	fill(&c.Min.Share, 0.01)
	fill(&c.Min.Recovery, 0.1)
	fill(&c.Permutations, 4000)
	fill(&c.Draws, 1000)
	fill(&c.Seed, 1)
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// recovery is the word for the recovery numbers in Config.Metrics.
const recovery = "recovery"

// MetricNames are the words that Config.Metrics takes.
func MetricNames() []string {
	out := []string{"ttft", "tpot", "itl", "e2e"}
	for _, k := range kinds() {
		out = append(out, k.name)
	}
	return append(out, recovery)
}

// wanted picks the metrics; an unknown word is an error.
func (c Config) wanted() (picked []kind, recoveries bool, err error) {
	known := MetricNames()
	for _, w := range c.Metrics {
		if !slices.Contains(known, w) {
			return nil, false, fmt.Errorf("%q is no metric; write one of %s", w, strings.Join(known, ", "))
		}
	}
	for _, k := range kinds() {
		_, base, _ := strings.Cut(k.name, " ")
		if len(c.Metrics) == 0 || slices.Contains(c.Metrics, k.name) || slices.Contains(c.Metrics, base) {
			picked = append(picked, k)
		}
	}
	return picked, len(c.Metrics) == 0 || slices.Contains(c.Metrics, recovery), nil
}
