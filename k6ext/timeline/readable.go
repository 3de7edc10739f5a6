package timeline

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/k6ext/options"
)

// defaultLease is how long a fault outlives a load generator that was killed.
const defaultLease = 3 * time.Second

// readReadable reads the notation of a script:
//
//	{ executor: 'brownout-timeline', url: '…', tokenEnv: '…', duration: '40s',
//	  steps: [{ at: '5s', fault: 'gpu.oom on gpu=n2/g1 for 10s' }] }
func (c *Config) readReadable(o *options.Object) error {
	if err := json.Unmarshal(o.Raw("executor", "startTime", "gracefulStop", "env", "exec", "tags", "options"), &c.BaseConfig); err != nil {
		return err
	}
	c.readable = true
	c.Timeline = faults.Plan{
		Endpoint: o.Text("url"), TokenEnv: o.Text("tokenEnv"), Run: o.Text("run"),
		Lease: o.Duration("lease", defaultLease), Total: o.Duration("duration", 0),
	}
	for _, step := range o.List("steps") {
		c.Timeline.Steps = append(c.Timeline.Steps, faults.PlanStep{At: step.Duration("at", 0), Fault: step.Text("fault")})
	}
	c.mistakes = o.Mistakes()
	return nil
}

// readableNames says a mistake with the names that the script's author wrote.
func readableNames(err error) error {
	return errors.New(strings.NewReplacer("timeline.endpoint", "url", "timeline.token_env", "tokenEnv",
		"timeline.lease_ns", "lease", "timeline.total_ns", "duration", "at_ns", "at", "timeline.steps", "steps").Replace(err.Error()))
}
