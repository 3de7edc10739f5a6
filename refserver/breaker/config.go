package breaker

import (
	"fmt"
	"time"
)

// Config is when a breaker opens and how it closes again.
type Config struct {
	Enabled      bool          `yaml:"enabled"`       // false: no breaker; who may be asked is then up to the engines' own state and ejection
	FailureRatio float64       `yaml:"failure_ratio"` // failures ÷ settled in the window that open it, (0, 1]; lower opens on less evidence
	MinRequests  int           `yaml:"min_requests"`  // settled requests the ratio needs; higher is blinder at low rates
	Window       time.Duration `yaml:"window"`        // the ratio's rolling window
	Consecutive  int           `yaml:"consecutive"`   // failures in a row that open it
	Open         time.Duration `yaml:"open"`          // before the first probe; longer spares a sick replica, shorter finds a healed one
	Probes       int           `yaml:"probes"`        // probes at a time in half-open; so many good ones in a row close it
}

// Defaults are [50 % of ≥ 10 in 10 s], [5] in a row, open [5 s], [3] probes.
func Defaults() Config {
	return Config{
		Enabled: true, FailureRatio: 0.5, MinRequests: 10, Window: 10 * time.Second,
		Consecutive: 5, Open: 5 * time.Second, Probes: 3,
	}
}

// Validate reports every bad field: its key, what is wrong, how to mend it.
func (c Config) Validate(report func(key, what, mend string)) {
	if !(c.FailureRatio > 0 && c.FailureRatio <= 1) {
		report("failure_ratio", fmt.Sprintf("%v is not a share above 0 and up to 1", c.FailureRatio), "write for example 0.5")
	}
	if c.Window < 100*time.Millisecond || c.Window > 10*time.Minute {
		report("window", fmt.Sprintf("%v is not between 100ms and 10m", c.Window), "write for example 10s")
	}
	if c.Open < 10*time.Millisecond || c.Open > 10*time.Minute {
		report("open", fmt.Sprintf("%v is not between 10ms and 10m", c.Open), "write for example 5s")
	}
	for _, f := range []struct {
		key   string
		value int
	}{{"min_requests", c.MinRequests}, {"consecutive", c.Consecutive}, {"probes", c.Probes}} {
		if f.value < 1 || f.value > 10_000 {
			report(f.key, fmt.Sprintf("%d is not between 1 and 10000", f.value), "write for example 5")
		}
	}
}
