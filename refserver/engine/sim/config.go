package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// Config is one engine. Zero fields take the default in brackets.
type Config struct {
	ID    string // of the replica, "n2/g1/llama-3.1-8b"
	Model gpu.Model

	TokenBudget  int // tokens a step, prefill and decode together [8192, vLLM's server default on an H100]; ≥ MaxSequences
	MaxSequences int // in the batch [256]
	MaxWaiting   int // admitted, not yet scheduled [256]
	BlockTokens  int // tokens a KV block [16]

	MemoryUtilisation float64 // share of the device that the engine claims at start [0.9]

	// Graceful survives a refused allocation: halve the token budget, hand sequences back, shrink the
	// KV cache. Otherwise the process dies of it, as vLLM's does.
	Graceful bool
	// MinBudget is where halving ends [64]. Lower keeps more prefills alive, each of them slower.
	MinBudget int
	// MinKV is the share of KV blocks below which the cache is not shrunk, and a load fails [0.1].
	MinKV float64
	// Recover is how long no allocation may be refused before the engine probes a larger budget [2s].
	// Shorter recovers sooner and is refused more often while memory stays short.
	Recover time.Duration

	Slowdown float64 // every step takes so many times as long as the device's constants say [1]

	Reload    time.Duration // from a new process to serving [8s]
	FirstLoad time.Duration // the same for the first load [Reload]
}

// Deps are what the engine works with.
type Deps struct {
	Device *gpu.Device // its own: one engine a device
	Events event.Sink
	Clock  *event.Clock
	Waiter pace.Waiter // used by Run's goroutine alone
}

func (c Config) withDefaults() Config {
	def(&c.TokenBudget, 8192)
	def(&c.MaxSequences, 256)
	def(&c.MaxWaiting, 256)
	def(&c.BlockTokens, 16)
	def(&c.MemoryUtilisation, 0.9)
	def(&c.MinBudget, 64)
	def(&c.MinKV, 0.1)
	def(&c.Recover, 2*time.Second)
	def(&c.Slowdown, 1)
	def(&c.Reload, 8*time.Second)
	def(&c.FirstLoad, c.Reload)
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with the config once its defaults are filled in.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.ID != "", "an engine needs an ID")
	check(c.MaxSequences >= 1 && c.MaxSequences <= 4096, "max_sequences is %d; it must be 1 to 4096", c.MaxSequences)
	check(c.TokenBudget >= c.MaxSequences && c.TokenBudget <= 1<<20,
		"token_budget is %d; it must be max_sequences (%d) to %d, so that every sequence can decode in every step",
		c.TokenBudget, c.MaxSequences, 1<<20)
	check(c.MaxWaiting >= 1 && c.MaxWaiting <= 1<<20, "max_waiting is %d; it must be 1 to %d", c.MaxWaiting, 1<<20)
	check(c.BlockTokens >= 1 && c.BlockTokens <= 1024, "block tokens are %d; they must be 1 to 1024", c.BlockTokens)
	check(c.MemoryUtilisation > 0 && c.MemoryUtilisation <= 1,
		"memory_utilisation is %g; it must be above 0 and at most 1", c.MemoryUtilisation)
	check(c.MinBudget >= 1 && c.MinBudget <= c.TokenBudget, "the lowest token budget is %d; it must be 1 to %d", c.MinBudget, c.TokenBudget)
	check(c.MinKV > 0 && c.MinKV <= 1, "the lowest KV share is %g; it must be above 0 and at most 1", c.MinKV)
	check(c.Recover > 0, "the recovery time is %v; it must be above 0", c.Recover)
	check(c.Slowdown >= 0.1 && c.Slowdown <= 10, "slowdown is %g; it must be 0.1 to 10", c.Slowdown)
	check(c.Reload > 0, "reload is %v; it must be above 0", c.Reload)
	check(c.FirstLoad > 0, "first_load is %v; it must be above 0", c.FirstLoad)
	return errors.Join(errs...)
}

func (c Config) footprint(s gpu.Spec) (gpu.Footprint, error) {
	return gpu.FootprintOf(gpu.FootprintConfig{
		Spec: s, Model: c.Model, Utilisation: c.MemoryUtilisation,
		TokenBudget: c.TokenBudget, Sequences: c.MaxSequences, BlockTokens: c.BlockTokens,
	})
}
