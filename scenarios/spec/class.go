package spec

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// limitKeys are the limits of one request.
type limitKeys struct {
	TTFT yamlx.Duration `yaml:"ttft"`
	TPOT yamlx.Duration `yaml:"tpot"`
	Gap  yamlx.Duration `yaml:"max_gap"`
	E2E  yamlx.Duration `yaml:"e2e"`
}

// promiseKeys are what is promised to the requests of one class.
type promiseKeys struct {
	Limits   *limitKeys          `yaml:"limits"`
	Expected []string            `yaml:"expected"`
	Gates    map[string][]string `yaml:"gates"`
}

// limits checks the limits at path, of requests whose answers stream or not.
func (c *checker) limits(path string, k *limitKeys, streams bool) slo.Limits {
	l := slo.Limits{TTFT: time.Duration(k.TTFT), TPOT: time.Duration(k.TPOT), Gap: time.Duration(k.Gap), E2E: time.Duration(k.E2E)}
	for _, limit := range []struct {
		key    string
		got    time.Duration
		stream bool
	}{{"ttft", l.TTFT, true}, {"tpot", l.TPOT, true}, {"max_gap", l.Gap, true}, {"e2e", l.E2E, false}} {
		at := path + "." + limit.key
		switch {
		case !c.doc.Has(at):
		case limit.got <= 0:
			c.wrong(at, "a limit of zero fails every request", "write a longer one, or remove it")
		case limit.stream && !streams:
			c.wrong(at, "needs an answer that comes token by token", "write load.stream: true, or keep e2e only")
		}
	}
	return l
}

// expected reads a list of outcomes.
func (c *checker) expected(path string, list []string) (out []record.Outcome) {
	for i, text := range list {
		o, ok := record.ParseOutcome(text)
		if !ok {
			c.word(fmt.Sprintf("%s[%d]", path, i), "a known outcome", text, outcomes())
			continue
		}
		out = append(out, o)
	}
	return out
}

// classes reads slo.classes into s: what a class does not say is as for all.
func (c *checker) classes(f *file, s *slo.Spec) {
	names := classNames(f)
	for _, name := range slices.Sorted(maps.Keys(f.SLO.Classes)) {
		path, k := "slo.classes."+name, f.SLO.Classes[name]
		switch {
		case len(names) == 0:
			c.wrong(path, "the load has no classes", "write load.mix with one of that name, or remove it")
			continue
		case !slices.Contains(names, name):
			c.word(path, "a class of load.mix", name, names)
			continue
		}
		class := slo.Class{Limits: s.Limits, Expected: s.Expected}
		if k.Limits != nil {
			class.Limits = c.limits(path+".limits", k.Limits, f.streams(name))
		}
		if c.doc.Has(path + ".expected") {
			class.Expected = c.expected(path+".expected", k.Expected)
		}
		if s.Classes == nil {
			s.Classes = map[string]slo.Class{}
		}
		s.Classes[name] = class
	}
}

func classNames(f *file) (names []string) {
	for i := range f.Load.Mix {
		if name := f.Load.Mix[i].Class; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// lastLimit is when the slowest request is late whatever comes; 0 where one has no e2e limit.
func lastLimit(s *slo.Spec, p *load.Plan) (last time.Duration) {
	for _, class := range p.Classes() {
		limits := s.Limits
		if own, ok := s.Classes[class.Name]; ok {
			limits = own.Limits
		}
		if limits.E2E == 0 {
			return 0
		}
		last = max(last, limits.E2E)
	}
	return last
}

// greatest are the longest limits that any request may have, those that have none aside.
func greatest(s *slo.Spec) slo.Limits {
	l := s.Limits
	for _, c := range s.Classes {
		l.TTFT, l.TPOT = max(l.TTFT, c.Limits.TTFT), max(l.TPOT, c.Limits.TPOT)
		l.Gap, l.E2E = max(l.Gap, c.Limits.Gap), max(l.E2E, c.Limits.E2E)
	}
	return l
}
