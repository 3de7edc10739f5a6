package spec

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// arrivals is when requests are sent, as written.
type arrivals struct {
	Process     string         `yaml:"process"`
	Rate        rate           `yaml:"rate"`
	CV          float64        `yaml:"cv"`
	On          yamlx.Duration `yaml:"on"`
	Off         yamlx.Duration `yaml:"off"`
	Floor       yamlx.Rate     `yaml:"floor"`
	Stages      []stage        `yaml:"stages"`
	Spikes      []spike        `yaml:"spikes"`
	Concurrency int            `yaml:"concurrency"`
	Think       yamlx.Duration `yaml:"think"`
	Trace       traceFile      `yaml:"trace"`
}

type stage struct {
	For yamlx.Duration `yaml:"for"`
	To  yamlx.Rate     `yaml:"to"`
}

type spike struct {
	At   when           `yaml:"at"`
	For  yamlx.Duration `yaml:"for"`
	Rate yamlx.Rate     `yaml:"rate"`
}

type traceFile struct {
	File   string         `yaml:"file"`
	Format string         `yaml:"format"`
	Speed  float64        `yaml:"speed"`
	From   yamlx.Duration `yaml:"from"`
	Limit  int            `yaml:"limit"`
	Jitter yamlx.Duration `yaml:"jitter"`
}

// arrivals checks when requests are sent. fit is what load.like names; what the file says itself wins.
func (c *checker) arrivals(f *file, phases []slo.Phase, fit *load.Fit) load.Arrivals {
	const path = "load.arrivals"
	w := f.Load.Arrivals
	a := load.Arrivals{Process: load.Process(w.Process), Rate: float64(w.Rate.Rate), CV: w.CV, On: time.Duration(w.On), Off: time.Duration(w.Off),
		Floor: float64(w.Floor), Concurrency: w.Concurrency, Think: time.Duration(w.Think)}
	for _, s := range w.Stages {
		a.Stages = append(a.Stages, load.Stage{For: time.Duration(s.For), To: float64(s.To)})
	}
	for i, s := range w.Spikes {
		at, _ := c.at(fmt.Sprintf("%s.spikes[%d].at", path, i), string(s.At), phases)
		a.Spikes = append(a.Spikes, load.Spike{At: at, For: time.Duration(s.For), Rate: float64(s.Rate)})
	}
	if c.doc.Has(path + ".trace") {
		t := w.Trace
		a.Trace = &load.TraceFile{File: t.File, Format: t.Format, Speed: t.Speed, From: time.Duration(t.From), Limit: t.Limit, Jitter: time.Duration(t.Jitter)}
		if t.File != "" && !filepath.IsAbs(t.File) {
			a.Trace.File = filepath.Join(filepath.Dir(c.doc.Pos("").File), t.File)
		}
	}
	if fit != nil {
		c.like(&a, fit)
	}
	c.word(path+".process", "an arrival process", w.Process, processes())
	for key, given := range map[string]bool{"cv": a.CV == 0, "on": a.On == 0, "off": a.Off == 0, "concurrency": a.Concurrency == 0,
		"trace.speed": w.Trace.Speed == 0, "trace.limit": w.Trace.Limit == 0} {
		if given && c.doc.Has(path+"."+key) {
			c.wrong(path+"."+key, "is zero", "write more, or remove it")
		}
	}
	for _, flaw := range a.Flaws() {
		at := "load." + flaw.Key
		switch {
		case flaw.Key == "arrivals.process" || (flaw.Key == "arrivals.rate" && c.doc.Has(at) && a.Process != load.Closed && a.Process != load.Replay):
			// said in words of their own
		case flaw.Key == "arrivals.rate" && a.Process != load.Closed && a.Process != load.Replay && a.Rate <= 0:
		case c.found.Touches(at):
		case !c.doc.Has(at):
			c.wrong(at, "is missing", flaw.Mend)
		default:
			c.wrong(at, flaw.What, flaw.Mend)
		}
	}
	c.inside(&a, end(phases))
	return a
}

func processes() []string {
	all := load.Processes()
	words := make([]string, len(all))
	for i, p := range all {
		words[i] = string(p)
	}
	return words
}

// fit finds what load.like names.
func (c *checker) fit(name string) *load.Fit {
	if name == "" && !c.doc.Has("load.like") {
		return nil
	}
	if f, ok := load.FitNamed(name); ok {
		return &f
	}
	c.word("load.like", "a load that is known", name, load.FitNames())
	return &load.Fits()[0] // so that nothing seems to be missing beside
}

// like fills in what the file leaves out.
func (c *checker) like(a *load.Arrivals, fit *load.Fit) {
	const path = "load.arrivals"
	if !c.doc.Has(path + ".process") {
		a.Process = fit.Arrivals.Process
	}
	if !c.doc.Has(path+".rate") && a.Process != load.Closed && a.Process != load.Replay {
		if a.Rate = fit.Arrivals.Rate; a.Rate == 0 {
			c.wrong("load.like", fmt.Sprintf("no rate of %s is published", fit.Name), "write load.arrivals.rate, for example 3/s")
		}
	}
	if a.Process != fit.Arrivals.Process {
		return
	}
	if !c.doc.Has(path + ".cv") {
		a.CV = fit.Arrivals.CV
	}
	if !c.doc.Has(path+".on") && !c.doc.Has(path+".off") {
		a.On, a.Off = fit.Arrivals.On, fit.Arrivals.Off
	}
}

// inside checks that stages and spikes happen.
func (c *checker) inside(a *load.Arrivals, total time.Duration) {
	at := time.Duration(0)
	for i, s := range a.Stages {
		if at >= total && total > 0 {
			c.wrong(fmt.Sprintf("load.arrivals.stages[%d]", i), fmt.Sprintf("begins at %s, when the plan is over (%s)", short(at), short(total)), "remove it, or lengthen the phases")
		}
		at += s.For
	}
	for i, s := range a.Spikes {
		if s.At >= total && total > 0 {
			c.wrong(fmt.Sprintf("load.arrivals.spikes[%d].at", i), fmt.Sprintf("%s is past the end of the plan, %s", short(s.At), short(total)), "move it, or lengthen the phases")
		}
	}
}

// open reads the plan's trace; its mistakes are told by their own file and line.
func (c *checker) open(p *load.Plan) {
	const path = "load.arrivals.trace"
	for _, key := range []string{"load.prompt_tokens", "load.output_tokens"} {
		if c.doc.Has(key) {
			c.wrong(key, "stands beside a trace, which has the lengths of its own requests", "remove it")
		}
	}
	if len(p.Arrivals.Flaws()) > 0 || p.Duration <= 0 || c.reading.Touches(path) {
		return // it is not known which part is replayed
	}
	err := p.Open()
	problems, ok := errors.AsType[*load.TraceProblems](err)
	switch {
	case err == nil:
	case !ok:
		c.wrong(path+".file", err.Error(), "make it readable")
	default:
		for _, one := range problems.List {
			if one.Line == 0 {
				c.wrong(path+".file", fmt.Sprintf("%.200q %s", one.File, one.What), one.Mend)
				continue
			}
			c.found = append(c.found, yamlx.Problem{Position: yamlx.Position{File: one.File, Line: one.Line, Column: 1}, What: one.What, Mend: one.Mend})
		}
		if problems.More > 0 {
			c.wrong(path+".file", fmt.Sprintf("has %s mistakes more", thousands(problems.More)), "mend the first ones, and see what is left")
		}
	}
}

// amount checks that the plan sends something, and not too much to keep.
func (c *checker) amount(p *load.Plan) {
	a := &p.Arrivals
	if !slices.Contains(load.Processes(), a.Process) || a.Process == load.Closed || a.Process == load.Replay || c.found.Touches("load.like") {
		return
	}
	const path = "load.arrivals.rate"
	rate, changes := yamlx.Rate(a.Rate), len(a.Stages)+len(a.Spikes) > 0
	planned := p.Expected(0, p.Duration)
	what := fmt.Sprintf("%s for %s are", rate, short(p.Duration))
	if changes {
		what = fmt.Sprintf("with its stages and spikes the plan of %s is", short(p.Duration))
	}
	switch {
	case a.Rate < 0 || a.Rate == 0 && !changes:
		c.wrong(path, "no request would be sent", "write a rate above zero, for example 130/s")
	case a.Rate > load.MaxRate:
		c.wrong(path, fmt.Sprintf("%s is more than %s/s", rate, thousands(load.MaxRate)), "write a lower rate")
	case planned > maxRequests:
		c.wrong(path, fmt.Sprintf("%s %s requests, and a run keeps at most %s", what, thousands(int(planned)), thousands(maxRequests)), "lower the rate or shorten the phases")
	case planned < 1 && p.Duration > 0:
		c.wrong(path, what+" less than one request", "raise the rate or lengthen the phases")
	}
}

// inFlight is how many requests may be open: twenty seconds of arrivals, as what is still open then has
// long failed its limits; of a closed loop every user's.
func (c *checker) inFlight(l loadFile, p *load.Plan) int {
	const path = "load.max_in_flight"
	switch n := l.MaxInFlight; {
	case n < 0 || n > load.MaxOpen || (n == 0 && c.doc.Has(path)):
		c.wrong(path, fmt.Sprintf("%d is out of bounds", n), fmt.Sprintf("write 1 to %d", load.MaxOpen))
		return 1
	case n > 0 && n < p.Arrivals.Concurrency:
		c.wrong(path, fmt.Sprintf("%d is less than the %d users of the closed loop", n, p.Arrivals.Concurrency), "raise it, or remove it")
		return n
	case n > 0:
		return n
	case p.Arrivals.Process == load.Closed:
		return max(1, min(p.Arrivals.Concurrency, load.MaxOpen))
	}
	const seconds, least, most = 20, 1000, 20_000
	return max(least, int(min(seconds*math.Max(0, p.PeakRate()), most)))
}
