package router

import (
	"fmt"
	"time"
)

// Config is the fate of requests. Durations are of real time.
type Config struct {
	Resilient bool `yaml:"-"` // false is the control group: round robin over all, first failure is final

	FirstToken time.Duration `yaml:"first_token"` // an attempt's limit until its first content
	Idle       time.Duration `yaml:"idle"`        // and between two contents
	Total      time.Duration `yaml:"total"`       // of the whole request, all attempts together

	Attempts int `yaml:"attempts"` // of one request at most, hand-backs included
	Retries  int `yaml:"retries"`  // of one request, before content; each costs the shared budget
	Resumes  int `yaml:"resumes"`  // of one request, after content; free of the budget

	BudgetShare  float64       `yaml:"budget_share"`  // retries ÷ requests in the window, [0, 1]; higher amplifies an outage
	BudgetFloor  int           `yaml:"budget_floor"`  // retries always granted in the window
	BudgetWindow time.Duration `yaml:"budget_window"` // what counts as live traffic

	Backoff    time.Duration `yaml:"backoff"`     // first wait when no other replica is left; doubles, ± 50 % jitter
	BackoffMax time.Duration `yaml:"backoff_max"` // longest of them
	Waits      int           `yaml:"waits"`       // such waits of one request

	SlowFirstToken time.Duration `yaml:"slow_first_token"` // a first token later than this …
	SlowFactor     float64       `yaml:"slow_factor"`      // … and than so many times the pool's median counts as the replica's failure
	Ramp           time.Duration `yaml:"ramp"`             // from no share to a full one after a breaker closed

	MoveFactor float64 `yaml:"move_factor"` // a running stream leaves a slow replica where the wait is so many times that of another one; 0: never

	PoisonKills  int           `yaml:"poison_kills"`  // engines a request may end before it is refused
	PoisonFor    time.Duration `yaml:"poison_for"`    // how long its prompt stays quarantined
	PoisonMemory int           `yaml:"poison_memory"` // prompts remembered at most
}

// Defaults are those of a resilient router.
func Defaults() Config {
	return Config{
		Resilient:  true,
		FirstToken: 10 * time.Second, Idle: 5 * time.Second, Total: 120 * time.Second,
		Attempts: 8, Retries: 3, Resumes: 2,
		BudgetShare: 0.2, BudgetFloor: 3, BudgetWindow: 10 * time.Second,
		Backoff: 25 * time.Millisecond, BackoffMax: 500 * time.Millisecond, Waits: 5,
		SlowFirstToken: 500 * time.Millisecond, SlowFactor: 4, Ramp: 5 * time.Second,
		MoveFactor:  2,
		PoisonKills: 2, PoisonFor: 10 * time.Minute, PoisonMemory: 1024,
	}
}

// Validate reports every bad field: its key, what is wrong, how to mend it.
func (c Config) Validate(report func(key, what, mend string)) {
	for _, f := range []struct {
		key         string
		value, most time.Duration
		least       time.Duration
		example     string
	}{
		{"first_token", c.FirstToken, time.Hour, time.Millisecond, "10s"},
		{"idle", c.Idle, time.Hour, time.Millisecond, "5s"},
		{"total", c.Total, 24 * time.Hour, time.Millisecond, "120s"},
		{"budget_window", c.BudgetWindow, 10 * time.Minute, 100 * time.Millisecond, "10s"},
		{"backoff", c.Backoff, time.Minute, time.Millisecond, "25ms"},
		{"backoff_max", c.BackoffMax, time.Minute, time.Millisecond, "500ms"},
		{"slow_first_token", c.SlowFirstToken, time.Hour, time.Millisecond, "500ms"},
		{"ramp", c.Ramp, 10 * time.Minute, 0, "5s"},
		{"poison_for", c.PoisonFor, 24 * time.Hour, time.Second, "10m"},
	} {
		if f.value < f.least || f.value > f.most {
			report(f.key, fmt.Sprintf("%v is not between %v and %v", f.value, f.least, f.most), "write for example "+f.example)
		}
	}
	for _, f := range []struct {
		key                string
		value, least, most int
	}{
		{"attempts", c.Attempts, 1, 100},
		{"retries", c.Retries, 0, 100},
		{"resumes", c.Resumes, 0, 100},
		{"budget_floor", c.BudgetFloor, 0, 1_000_000},
		{"waits", c.Waits, 0, 1000},
		{"poison_kills", c.PoisonKills, 1, 100},
		{"poison_memory", c.PoisonMemory, 1, 1_000_000},
	} {
		if f.value < f.least || f.value > f.most {
			report(f.key, fmt.Sprintf("%d is not between %d and %d", f.value, f.least, f.most), fmt.Sprintf("write a number from %d to %d", f.least, f.most))
		}
	}
	if !(c.BudgetShare >= 0 && c.BudgetShare <= 1) {
		report("budget_share", fmt.Sprintf("%v is not a share from 0 to 1", c.BudgetShare), "write for example 0.2")
	}
	if c.MoveFactor != 0 && !(c.MoveFactor >= 1 && c.MoveFactor <= 1000) {
		report("move_factor", fmt.Sprintf("%v is not between 1 and 1000, nor 0", c.MoveFactor), "write for example 2, or 0 to let streams stay")
	}
	if !(c.SlowFactor >= 1 && c.SlowFactor <= 1000) {
		report("slow_factor", fmt.Sprintf("%v is not between 1 and 1000", c.SlowFactor), "write for example 4")
	}
}
