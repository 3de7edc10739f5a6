// Package timeline is the k6 executor brownout-timeline: it walks the faults of a plan through the
// API of the process that holds them. It holds no fault itself: if it dies, leases run out.
//
// What may not live here: how a fault harms, load, judging.
package timeline

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/executor"
	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/k6ext/session"
)

// Type is the executor's name in k6's options.
const Type = "brownout-timeline"

// Bounds of a plan.
const (
	maxSteps = 1000
	minLease = 500 * time.Millisecond
	maxTotal = 24 * time.Hour
)

// Config is a scenario's options.
type Config struct {
	executor.BaseConfig
	Timeline faults.Plan `json:"timeline"`
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
	if o.Has("timeline") {
		return options.Decode(raw, c)
	}
	return c.readReadable(o)
}

// Validate implements lib.ExecutorConfig: everything that is wrong, at once.
func (c Config) Validate() []error {
	wrong := append(c.BaseConfig.Validate(), c.mistakes...)
	bad := func(format string, args ...any) {
		err := fmt.Errorf(format, args...)
		if c.readable {
			err = readableNames(err)
		}
		wrong = append(wrong, err)
	}
	t := c.Timeline
	if t.Endpoint == "" {
		bad("timeline.endpoint is empty: give the base URL of the fault holder's API")
	}
	if t.TokenEnv == "" {
		bad("timeline.token_env is empty: name the environment variable that holds the holder's token")
	}
	if t.Lease < minLease || t.Lease > faults.MaxDuration {
		bad("timeline.lease_ns is %v: it must lie in %v…%v", t.Lease, minLease, faults.MaxDuration)
	}
	if t.Total <= 0 || t.Total > maxTotal {
		bad("timeline.total_ns is %v: it must be above 0 and at most %v", t.Total, maxTotal)
	}
	if len(t.Steps) == 0 || len(t.Steps) > maxSteps {
		bad("timeline.steps has %d entries: it needs 1…%d", len(t.Steps), maxSteps)
	}
	for i, s := range t.Steps {
		if s.At < 0 || s.At >= t.Total {
			bad("timeline.steps[%d].at_ns is %v: it must lie before the end of the timeline, %v", i, s.At, t.Total)
		}
		if _, err := faults.Parse(s.Fault); err != nil {
			bad("timeline.steps[%d].fault: %w", i, err)
		}
	}
	if c.Exec.Valid {
		wrong = append(wrong, errors.New("exec is set, but this executor runs no JavaScript: remove it"))
	}
	return wrong
}

// GetDescription implements lib.ExecutorConfig.
func (c Config) GetDescription(*lib.ExecutionTuple) string {
	return fmt.Sprintf("%d faults within %s through %s", len(c.Timeline.Steps), c.Timeline.Total, c.Timeline.Endpoint)
}

// GetExecutionRequirements implements lib.ExecutorConfig; see the same method of brownout-arrivals.
func (c Config) GetExecutionRequirements(*lib.ExecutionTuple) []lib.ExecutionStep {
	return []lib.ExecutionStep{
		{TimeOffset: 0, MaxUnplannedVUs: 1},
		{TimeOffset: c.Timeline.Total + c.GetGracefulStop()},
	}
}

// HasWork implements lib.ExecutorConfig: of several load generators, the one whose execution segment
// starts at 0 injects, or every fault would happen once per generator.
func (c Config) HasWork(et *lib.ExecutionTuple) bool { return et == nil || et.SegmentIndex == 0 }

// NewExecutor implements lib.ExecutorConfig.
func (c Config) NewExecutor(es *lib.ExecutionState, logger *logrus.Entry) (lib.Executor, error) {
	token, ok := c.Env[c.Timeline.TokenEnv]
	if !ok {
		token = os.Getenv(c.Timeline.TokenEnv)
	}
	if token == "" {
		return nil, fmt.Errorf("scenario %s: timeline.token_env names the environment variable %s, which is not set", c.Name, c.Timeline.TokenEnv)
	}
	holder, err := faults.NewClient(faults.ClientConfig{Endpoint: c.Timeline.Endpoint, Token: token})
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", c.Name, err)
	}
	tags := es.Test.RunTags
	if es.Test.Options.SystemTags.Has(metrics.TagScenario) {
		tags = tags.With("scenario", c.Name)
	}
	return &Executor{
		BaseExecutor: executor.NewBaseExecutor(c, es, logger), config: c,
		session: c.registry.Open(c.Timeline.Run, es), holder: holder, tags: tags.WithTagsFromMap(c.Tags),
	}, nil
}
