package arrivals

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Defaults of the readable notation.
const (
	defaultSeed        = 1
	defaultPrompt      = 512 // tokens; with the next one a chat of ordinary length
	defaultOutput      = 64  // tokens
	defaultMaxInFlight = 1000
)

// readReadable reads the notation of a script:
//
//	{ executor: 'brownout-arrivals', rate: '50/s', duration: '30s', client: { baseURL: '…', model: '…' } }
func (c *Config) readReadable(o *options.Object) error {
	if err := json.Unmarshal(o.Raw("executor", "startTime", "gracefulStop", "env", "exec", "tags", "options"), &c.BaseConfig); err != nil {
		return err
	}
	c.readable = true
	cl := o.Object("client")
	settings := client.Read(cl)
	c.Client, c.Limits = settings.Client, settings.Limits
	c.Client.Exact = cl.Flag("exact", false)
	if cl.Has("apiKey") {
		cl.Wrong("apiKey", "would end up in k6's own files: put the key into the environment and name the variable in keyEnv")
	}
	seed := o.Whole("seed", defaultSeed)
	if seed < 0 {
		o.Wrong("seed", "is %d: it must not be negative", seed)
	}
	if !o.Has("duration") {
		o.Wrong("duration", "is missing: write duration: '30s', for example")
	}
	fit, like := readFit(o)
	c.Plan = load.Plan{
		Seed: uint64(max(seed, 0)), Arrivals: readArrivals(o, fit),
		Prompt: length(o, "promptTokens", defaultPrompt), Output: length(o, "outputTokens", defaultOutput),
		Duration: o.Duration("duration", time.Second), Model: settings.Model, Tenant: settings.Tenant, Stream: settings.Stream,
	}
	if like && !o.Has("promptTokens") {
		c.Plan.Prompt = fit.Prompt
	}
	if like && !o.Has("outputTokens") {
		c.Plan.Output = fit.Output
	}
	c.content(o)
	c.Plan.MaxInFlight = int(o.Whole("maxInFlight", int64(max(defaultMaxInFlight, c.Plan.Arrivals.Concurrency))))
	if c.Plan.Arrivals.Process == load.Replay {
		for _, key := range []string{"promptTokens", "outputTokens"} {
			if o.Has(key) {
				o.Wrong(key, "stands beside a trace, which has the lengths of its own requests: remove it")
			}
		}
	}
	c.Drain, c.Calibrate = o.Duration("drain", 0), o.Flag("calibrate", false)
	c.Run, c.Shard = o.Text("run"), o.Text("shard")
	c.mistakes = o.Mistakes()
	return nil
}

// readableNames says the plan's mistakes with the names that the script's author wrote.
func readableNames(err error) []error {
	if err == nil {
		return nil
	}
	names := strings.NewReplacer("arrivals.", "", "].for ", "].duration ", "].to ", "].target ", "duration_ns", "duration",
		"max_in_flight", "maxInFlight", "prompt_tokens", "promptTokens", "output_tokens", "outputTokens",
		"after_tokens", "afterTokens", "key_env", "keyEnv")
	var wrong []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.HasPrefix(line, "model is empty") {
			line = "client." + line
		}
		wrong = append(wrong, errors.New(names.Replace(line)))
	}
	return wrong
}
