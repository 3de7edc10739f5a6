package arrivals

import (
	"strings"

	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// readFit is the recorded load that "like" names; false where there is none.
func readFit(o *options.Object) (load.Fit, bool) {
	name := o.Text("like")
	if name == "" {
		return load.Fit{}, false
	}
	fit, ok := load.FitNamed(name)
	if !ok {
		o.Wrong("like", "is %.80q: write one of %s", name, strings.Join(load.FitNames(), ", "))
	}
	return fit, ok
}

// readArrivals reads when requests are due. Stages are named as k6's ramping-arrival-rate names them.
func readArrivals(o *options.Object, fit load.Fit) load.Arrivals {
	a := load.Arrivals{
		Process: load.Process(o.Text("process")), CV: o.Number("cv", 0), On: o.Duration("on", 0), Off: o.Duration("off", 0),
		Floor: o.Rate("floor"), Concurrency: int(o.Whole("concurrency", 0)), Think: o.Duration("think", 0),
	}
	if a.Process == "" {
		a.Process = load.Poisson
		if fit.Name != "" {
			a.Process = fit.Arrivals.Process
		}
	}
	if a.Process == fit.Arrivals.Process && !o.Has("cv") && !o.Has("on") && !o.Has("off") {
		a.CV, a.On, a.Off = fit.Arrivals.CV, fit.Arrivals.On, fit.Arrivals.Off
	}
	for _, s := range o.List("stages") {
		a.Stages = append(a.Stages, load.Stage{For: s.Duration("duration", 0), To: s.Rate("target")})
	}
	for _, s := range o.List("spikes") {
		a.Spikes = append(a.Spikes, load.Spike{At: s.Duration("at", 0), For: s.Duration("duration", 0), Rate: s.Rate("rate")})
	}
	if o.Has("trace") {
		t := o.Object("trace")
		a.Trace = &load.TraceFile{File: t.Text("file"), Format: t.Text("format"), SHA256: t.Text("sha256"), Speed: t.Number("speed", 0),
			From: t.Duration("from", 0), Limit: int(t.Whole("limit", 0)), Jitter: t.Duration("jitter", 0)}
	}
	switch {
	case o.Has("rate"):
		a.Rate = o.Rate("rate")
	case a.Process == load.Closed || a.Process == load.Replay:
	case fit.Arrivals.Rate > 0:
		a.Rate = fit.Arrivals.Rate
	default:
		o.Wrong("rate", "is missing: write rate: '50/s', for example")
		a.Rate = 1 // so that it is told once
	}
	return a
}
