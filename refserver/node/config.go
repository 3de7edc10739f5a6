package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
)

// Config is a cluster of equal nodes. Zero fields take the default in brackets.
type Config struct {
	Nodes       int    // [3]
	Only        string // "n2": this process is that node alone, of all Nodes [all]
	GPUsPerNode int    // one replica on each [2]
	GPU         string // kind of device [h100-80gb]
	Model       string // [llama-3.1-8b]

	TokenBudget  int // tokens an engine step [8192, as vLLM's server on an H100]
	MaxSequences int // in an engine's batch [256]
	MaxWaiting   int // in an engine's queue [256]

	MemoryUtilisation float64 // share of a device that an engine claims [0.9]
	Graceful          bool    // engines survive a refused allocation instead of dying of it

	Slowdown float64 // every engine step takes so many times as long [1]

	Reload    time.Duration // from a new engine process to serving [8s]
	FirstLoad time.Duration // the same at start, shorter so that tests and CI start fast [200ms]
}

// Deps are what the cluster works with.
type Deps struct {
	Events event.Sink
	Clock  *event.Clock
	Waiter func() pace.Waiter // called once for each engine; [pace.New]
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	def(&c.Nodes, 3)
	def(&c.GPUsPerNode, 2)
	def(&c.GPU, "h100-80gb")
	def(&c.Model, "llama-3.1-8b")
	def(&c.TokenBudget, 8192)
	def(&c.MaxSequences, 256)
	def(&c.MaxWaiting, 256)
	def(&c.MemoryUtilisation, 0.9)
	def(&c.Slowdown, 1)
	def(&c.Reload, 8*time.Second)
	def(&c.FirstLoad, 200*time.Millisecond)
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

const (
	maxNodes = 64
	maxGPUs  = 16
)

// Validate reports everything that is wrong, once defaults are filled in; the engines' fields included.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Nodes >= 1 && c.Nodes <= maxNodes, "nodes is %d; it must be 1 to %d", c.Nodes, maxNodes)
	if c.Only != "" {
		ids := c.ids()
		check(slices.Contains(ids, c.Only), "there is no node %q; nodes are n1 to n%d", c.Only, c.Nodes)
	}
	check(c.GPUsPerNode >= 1 && c.GPUsPerNode <= maxGPUs, "gpus_per_node is %d; it must be 1 to %d", c.GPUsPerNode, maxGPUs)
	if _, _, err := c.hardware(); err != nil {
		errs = append(errs, err)
	}
	if err := c.engine("n1/g0").Validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ids are the names of all nodes.
func (c Config) ids() []string {
	out := make([]string, 0, min(maxNodes, max(0, c.Nodes)))
	for n := range cap(out) {
		out = append(out, fmt.Sprintf("n%d", n+1))
	}
	return out
}
