package spec

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Bounds of a scenario.
const (
	minPhase     = 100 * time.Millisecond // the step of the SLI window: less cannot be looked at
	maxPhases    = 100
	maxFaults    = 100
	maxGates     = 500
	maxRequests  = 50e6 // of one run
	maxName      = 63
	maxHeadroom  = 1e6 // nobody needs more
	maxPublished = 400
)

// Parse reads a scenario after the overrides in set ("load.arrivals.rate=50/s") were applied. file is what
// errors call it. The error is yamlx.Problems: everything that is wrong, by line. Settings of the target's
// server are not judged; ParseWith does that.
func Parse(file string, data []byte, set []string) (*Spec, error) {
	return ParseWith(file, data, set, nil)
}

// ParseWith is Parse that also asks check about the target's server, of the scenario and of every variant.
func ParseWith(file string, data []byte, set []string, check ServerCheck) (*Spec, error) {
	return read(file, data, set, reading{check: check, variants: true})
}

// reading is how a file is read.
type reading struct {
	check      ServerCheck // of the target's server; nil = nobody is asked
	saturation float64     // of the target, requests/s; 0 = not known
	variants   bool        // false: they are neither read nor kept, for this is one
}

func read(file string, data []byte, set []string, how reading) (*Spec, error) {
	f := defaults()
	doc, err := yamlx.Load(file, data, set, &f)
	c := checker{doc: doc, check: how.check}
	if err != nil {
		broken, ok := errors.AsType[yamlx.Problems](err)
		if !ok {
			return nil, err
		}
		c.reading = broken
		if slices.ContainsFunc(broken, func(p yamlx.Problem) bool { return p.Path == "" }) {
			return nil, broken // it was not YAML: nothing below has a meaning
		}
	}
	f.Load.Arrivals.Rate.resolve(how.saturation)
	s := c.spec(&f)
	if how.variants {
		s.Variants = c.variants(&f, file, data, set, how.saturation)
	}
	if err := yamlx.Join(c.reading, c.found); err != nil {
		return nil, err
	}
	s.File, s.Set = file, slices.Clone(set)
	if share := f.Load.Arrivals.Rate.share; share > 0 {
		s.Share, s.saturation, s.source = share, how.saturation, slices.Clone(data)
	}
	s.Effective, s.Digest = doc.Effective(), doc.Digest()
	return s, nil
}

// checker gathers problems and goes on.
type checker struct {
	doc     *yamlx.Doc
	check   ServerCheck    // nil: nobody here knows the server
	reading yamlx.Problems // of the decoder
	found   yamlx.Problems
}

// wrong notes a problem, unless the value could not even be read.
func (c *checker) wrong(path, what, mend string) {
	if !c.reading.Touches(path) {
		c.found = append(c.found, c.doc.Problem(path, what, mend))
	}
}

// fault notes an error of a value's own grammar.
func (c *checker) fault(path string, err error) {
	if w, ok := errors.AsType[yamlx.Wrong](err); ok {
		c.wrong(path, w.What, w.Mend)
		return
	}
	c.wrong(path, err.Error(), "")
}

// word checks a value against the words that are allowed.
func (c *checker) word(path, what, got string, allowed []string) {
	if slices.Contains(allowed, got) {
		return
	}
	mend := "write " + anyOf(allowed)
	if near := yamlx.Nearest(got, allowed); near != "" {
		mend = fmt.Sprintf("did you mean %.80q?", near)
	}
	c.wrong(path, fmt.Sprintf("%.80q is not %s", got, what), mend)
}

// anyOf is "a, b or c".
func anyOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (c *checker) spec(f *file) *Spec {
	if f.APIVersion != Version {
		c.wrong("apiVersion", fmt.Sprintf("%.80q is not a format this version reads", f.APIVersion), "write apiVersion: "+Version)
	}
	s := &Spec{Name: f.Name, Question: strings.TrimSpace(f.Question), Seed: f.Seed}
	c.name("name", f.Name, "gpu-oom")
	if s.Question == "" {
		c.wrong("question", "is missing", "write the question the scenario answers, as one would ask a colleague")
	}
	s.Published = strings.Join(strings.Fields(f.Published), " ")
	if len(s.Published) > maxPublished {
		c.wrong("published", fmt.Sprintf("has %d characters", len(s.Published)), fmt.Sprintf("write at most %d", maxPublished))
	}
	if s.Published != "" && len(f.Variants) == 0 {
		c.wrong("published", "there are no variants to read it beside", "add variants, or remove it")
	}
	s.Target = c.target(f)
	c.server(s.Target)
	s.Phases = c.phases(f)
	s.Load, s.Like = c.load(f, s.Phases), f.Load.Like
	s.SLO = c.slo(f, s.Phases)
	s.Client = c.timeouts(f, greatest(&s.SLO))
	s.Trials = c.trialGates(f)
	s.Faults = c.faults(f, s.Phases, s.SLO.Hold)
	return s
}

func end(phases []slo.Phase) time.Duration {
	if len(phases) == 0 {
		return 0
	}
	last := phases[len(phases)-1]
	return last.At + last.For
}

// name checks a name: lower case, digits and dashes, a letter first.
func (c *checker) name(path, name, example string) bool {
	ok := name != "" && len(name) <= maxName && name[0] >= 'a' && name[0] <= 'z' &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && !strings.HasSuffix(name, "-")
	switch {
	case name == "":
		c.wrong(path, "is missing", "write for example name: "+example)
	case !ok:
		c.wrong(path, fmt.Sprintf("%.80q is not a name", name), fmt.Sprintf("use lower case, digits and dashes, a letter first, at most %d, for example %s", maxName, example))
	}
	return ok
}

func (c *checker) target(f *file) Target {
	r := f.Target.Refserver
	t := Target{Preset: r.Preset, Resilience: r.Resilience, Topology: r.Topology, Settings: c.settings()}
	if r.Resilience != "" {
		c.word("target.refserver.resilience", "a resilience", r.Resilience, []string{"full", "none"})
	}
	if r.Topology != "" {
		c.word("target.refserver.topology", "a topology", r.Topology, []string{"single", "processes"})
	}
	if r.Config != "" {
		if r.Preset != "" {
			c.wrong("target.refserver.config", "config and preset are both given", "keep one of the two")
		}
		t.ConfigFile = r.Config
		if !filepath.IsAbs(r.Config) {
			t.ConfigFile = filepath.Join(filepath.Dir(c.doc.Pos("").File), r.Config)
		}
		return t
	}
	if t.Preset == "" {
		t.Preset = "chat-8b"
	}
	if t.Resilience == "" {
		t.Resilience = "full"
	}
	if t.Topology == "" {
		t.Topology = "single"
	}
	return t
}

func (c *checker) load(f *file, phases []slo.Phase) load.Plan {
	l := f.Load
	p := load.Plan{Seed: f.Seed, Duration: end(phases), Model: l.Model, Tenant: l.Tenant, Stream: l.Stream}
	fit := c.fit(l.Like)
	p.Arrivals = c.arrivals(f, phases, fit)
	if p.Arrivals.Process == load.Replay {
		c.open(&p)
	}
	c.content(f, &p, fit)
	c.amount(&p)
	if l.Model == "" {
		c.wrong("load.model", "is empty", "write the model to ask for")
	}
	p.MaxInFlight = c.inFlight(l, &p)
	return p
}

func (c *checker) phases(f *file) []slo.Phase {
	if len(f.Phases) == 0 || len(f.Phases) > maxPhases {
		c.wrong("phases", fmt.Sprintf("there are %d phases", len(f.Phases)), fmt.Sprintf("write 1 to %d, for example - {name: steady, for: 15s}", maxPhases))
		return nil
	}
	var out []slo.Phase
	seen := map[string]int{}
	at, judged := time.Duration(0), false
	for i, p := range f.Phases {
		path := fmt.Sprintf("phases[%d]", i)
		d := time.Duration(p.For)
		if c.name(path+".name", p.Name, "before") {
			if first, again := seen[p.Name]; again {
				c.wrong(path+".name", fmt.Sprintf("%.80q is phase %d already", p.Name, first+1), "give it another name")
			}
			if p.Name == scopeRun || p.Name == scopeRecovery {
				c.wrong(path+".name", fmt.Sprintf("%.80q is a scope of gates", p.Name), "give the phase another name")
			}
			seen[p.Name] = i
		}
		switch {
		case d == 0 && !c.doc.Has(path+".for"):
			c.wrong(path+".for", "is missing", "write for example for: 12s")
		case d < minPhase || d > load.MaxDuration:
			c.wrong(path+".for", fmt.Sprintf("%s is out of bounds", p.For), fmt.Sprintf("write %s to %s", short(minPhase), short(load.MaxDuration)))
		}
		judged = judged || !p.Quiet
		out = append(out, slo.Phase{Name: p.Name, At: at, For: d, Quiet: p.Quiet})
		at += min(d, load.MaxDuration) // so that a hundred absurd phases cannot overflow
	}
	if at > load.MaxDuration {
		c.wrong("phases", fmt.Sprintf("all phases together last %s", short(at)), "shorten them to "+short(load.MaxDuration))
	}
	if !judged {
		c.wrong("phases", "every phase is quiet, so nothing is judged", "remove quiet: true from one")
	}
	return out
}
