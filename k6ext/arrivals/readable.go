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
	process := load.Process(o.Text("process"))
	if process == "" {
		process = load.Poisson
	}
	seed := o.Whole("seed", defaultSeed)
	if seed < 0 {
		o.Wrong("seed", "is %d: it must not be negative", seed)
	}
	for _, key := range []string{"rate", "duration"} {
		if !o.Has(key) {
			o.Wrong(key, "is missing: write rate: '50/s' and duration: '30s', for example")
		}
	}
	c.Plan = load.Plan{
		Seed: uint64(max(seed, 0)), Arrivals: load.Arrivals{Process: process, Rate: 1},
		Prompt: length(o, "promptTokens", defaultPrompt), Output: length(o, "outputTokens", defaultOutput),
		Duration: o.Duration("duration", time.Second), Model: settings.Model, Tenant: settings.Tenant, Stream: settings.Stream,
		MaxInFlight: int(o.Whole("maxInFlight", defaultMaxInFlight)),
	}
	c.content(o)
	if o.Has("rate") {
		c.Plan.Arrivals.Rate = o.Rate("rate")
	}
	c.Drain = o.Duration("drain", 0)
	c.Run, c.Shard = o.Text("run"), o.Text("shard")
	c.mistakes = o.Mistakes()
	return nil
}

// readableNames says the plan's mistakes with the names that the script's author wrote.
func readableNames(err error) []error {
	if err == nil {
		return nil
	}
	names := strings.NewReplacer("arrivals.process", "process", "arrivals.rate_per_s", "rate", "duration_ns", "duration",
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
