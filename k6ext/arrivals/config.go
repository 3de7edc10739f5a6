// Package arrivals is the k6 executor brownout-arrivals: native open-loop load. Requests are due by
// a plan alone; a slow target makes no request later, and a late client shows as sched_lag. The plan may
// ask for a closed loop instead.
//
// What may not live here: the HTTP exchange (k6ext/client), files (k6ext/output), judging.
package arrivals

import (
	"errors"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/executor"

	"github.com/brownout-dev/brownout/k6ext/calibrate"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Type is the executor's name in k6's options.
const Type = "brownout-arrivals"

// Config is a scenario's options: k6's own and load.ArrivalsOptions beside them. Two notations are
// read: this one, which scenarios/run and k6 itself write, and the readable one, without "plan".
type Config struct {
	executor.BaseConfig
	load.ArrivalsOptions
	registry *session.Registry
	readable bool
	mistakes []error // of the readable notation
}

var _ lib.ExecutorConfig = Config{}

// Register makes the executor known to k6.
func Register(registry *session.Registry) {
	lib.RegisterExecutorConfigType(Type, func(name string, raw []byte) (lib.ExecutorConfig, error) {
		c := Config{BaseConfig: executor.NewBaseConfig(name, Type), registry: registry}
		if err := c.read(raw); err != nil {
			return nil, fmt.Errorf("scenario %s (%s): %w", name, Type, err)
		}
		return c, nil
	})
}

func (c *Config) read(raw []byte) error {
	o, err := options.Read(raw)
	if err != nil {
		return err
	}
	if o.Has("plan") {
		return options.Decode(raw, c)
	}
	return c.readReadable(o)
}

// drain is how long open requests may go on after the last arrival: drain_ns, else k6's gracefulStop.
func (c Config) drain() time.Duration {
	if c.Drain > 0 {
		return c.Drain
	}
	return c.GetGracefulStop()
}

// Validate implements lib.ExecutorConfig: everything that is wrong, at once.
func (c Config) Validate() []error {
	wrong := c.BaseConfig.Validate()
	drain := "drain_ns"
	if c.readable {
		drain = "drain"
		wrong = append(wrong, c.mistakes...)
		wrong = append(wrong, readableNames(c.Plan.Validate())...)
	} else {
		for _, err := range []error{c.Plan.Validate(), client.Check(c.Client)} {
			if err != nil {
				wrong = append(wrong, err)
			}
		}
		if c.Limits.Negative() {
			wrong = append(wrong, errors.New("limits must not be negative: leave a limit out to have none"))
		}
	}
	wrong = append(wrong, c.classLimitFlaws()...)
	if c.Drain < 0 || c.Drain > time.Hour {
		wrong = append(wrong, fmt.Errorf("%s is %v: it must lie in 0…1h", drain, c.Drain))
	}
	if c.Exec.Valid {
		wrong = append(wrong, errors.New("exec is set, but this executor runs no JavaScript: remove it"))
	}
	return wrong
}

// GetDescription implements lib.ExecutorConfig.
func (c Config) GetDescription(et *lib.ExecutionTuple) string {
	text := fmt.Sprintf("%s for %s, drain %s, seed %d", c.Plan.Arrivals, c.Plan.Duration, c.drain(), c.Plan.Seed)
	if et != nil && et.Segment != nil && et.Segment.FloatLength() < 1 {
		text += ", segment " + et.Segment.String()
	}
	return text
}

// GetExecutionRequirements implements lib.ExecutorConfig. No VU is needed; one that may be made but
// never is lets k6 know how long the scenario can last.
func (c Config) GetExecutionRequirements(*lib.ExecutionTuple) []lib.ExecutionStep {
	length := c.Plan.Duration + c.drain()
	if c.Calibrate {
		length += calibrate.Longest
	}
	return []lib.ExecutionStep{{TimeOffset: 0, MaxUnplannedVUs: 1}, {TimeOffset: length}}
}

// HasWork implements lib.ExecutorConfig.
func (c Config) HasWork(*lib.ExecutionTuple) bool { return true }

// NewExecutor implements lib.ExecutorConfig.
func (c Config) NewExecutor(es *lib.ExecutionState, logger *logrus.Entry) (lib.Executor, error) {
	s := c.registry.Open(c.Run, es)
	if !s.Expect(&c.ArrivalsOptions) {
		return nil, fmt.Errorf("scenario %s: run %q already has a %s scenario; give each its own \"run\"", c.Name, c.Run, Type)
	}
	share, err := shareOf(es.ExecutionTuple)
	if err != nil {
		return nil, err
	}
	return &Executor{
		BaseExecutor: executor.NewBaseExecutor(c, es, logger), config: c, test: es, session: s, share: share,
	}, nil
}
