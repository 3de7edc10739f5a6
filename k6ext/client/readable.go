package client

import (
	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Read reads the options of a client as people write them: those of `new Client({…})` and of "client"
// in a scenario. Every mistake that Check finds is noted in o.
func Read(o *options.Object) Config {
	c := Config{
		Client: load.Client{
			BaseURL: o.Text("baseURL"), KeyEnv: o.Text("keyEnv"), Headers: o.Texts("headers"), CAFile: o.Text("caFile"),
			ExtraBody: o.Free("extraBody"), Strict: o.Flag("strict", false), MaxBody: o.Whole("maxBody", 0),
		},
		Model: o.Text("model"), Tenant: o.Text("tenant"), Stream: o.Flag("stream", true),
	}
	t := o.Object("timeouts")
	c.ConnectTimeout, c.TTFTTimeout = t.Duration("connect", 0), t.Duration("ttft", 0)
	c.StallTimeout, c.TotalTimeout = t.Duration("stall", 0), t.Duration("total", 0)
	c.Limits = ReadLimits(o)
	if c.ConnectTimeout < 0 || c.TTFTTimeout < 0 || c.StallTimeout < 0 || c.TotalTimeout < 0 {
		o.Wrong("timeouts", "must not be negative: leave a timeout out for its default")
	}
	if c.MaxBody < 0 || c.MaxBody > 1<<30 {
		o.Wrong("maxBody", "is %d: it must lie in 0…%d bytes", c.MaxBody, 1<<30)
	}
	if !isBase(c.BaseURL) {
		o.Wrong("baseURL", "is %q: write the target's address, as in http://127.0.0.1:8000", c.BaseURL)
	}
	for _, err := range load.CheckHeaders(c.Headers) {
		o.Wrong("headers", "%v", err)
	}
	for _, err := range load.CheckBody(c.ExtraBody) {
		o.Wrong("extraBody", "%v", err)
	}
	return c
}

// ReadLimits reads the limits of one request: "limits" of a client, or of a class.
func ReadLimits(o *options.Object) load.Limits {
	l := o.Object("limits")
	limits := load.Limits{
		TTFT: l.Duration("ttft", 0), TPOT: l.Duration("tpot", 0), Gap: l.Duration("maxGap", 0), E2E: l.Duration("e2e", 0),
	}
	if limits.Negative() {
		o.Wrong("limits", "must not be negative: leave a limit out to have none")
	}
	return limits
}
