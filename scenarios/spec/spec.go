// Package spec reads scenario files, format brownout/v1: what is run against what, under which load, what
// goes wrong when, and what was promised. A Spec is checked through and through; whoever holds one need
// not check again. Explain shows what it will do before it does it.
//
// What may not live here: starting targets, sending load, harming, judging, and what any one fault kind
// means (faults knows that).
package spec

import (
	"maps"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Version is the format's name, the first key of every file.
const Version = "brownout/v1"

// Spec is a scenario that was checked and has no optional part left.
type Spec struct {
	File     string // as errors name it
	Name     string // lower case, digits and dashes
	Question string // one paragraph
	// Published are figures of another system, one line, for whoever reads the variants side by side.
	Published string
	Target    Target
	Load      load.Plan
	Like      string      // the recorded load it is like, if any
	Phases    []slo.Phase // back to back from time zero
	Faults    []PlannedFault
	SLO       slo.Spec   // Phases are the ones above
	Trials    []slo.Gate // over the trials of a series; a single run does not judge them
	Client    Timeouts
	Seed      uint64
	Share     float64       // of saturation that the rate was written as; 0: it was written as a rate
	Delay     time.Duration // of every fault against the file; see Delayed
	Variants  []Variant     // what is run side by side, the first one under test; empty: the scenario alone

	Set       []string // overrides that were applied
	Effective []byte   // the YAML after them
	Digest    string   // SHA-256 of what it says, whatever its layout

	saturation float64 // that Share was taken of; 0: not known yet
	source     []byte  // the YAML before the overrides
}

// Target is the server a scenario brings along; a run against a server that exists does not read it.
type Target struct {
	Preset     string // "chat-8b"; empty with a ConfigFile
	ConfigFile string // of the reference server; a relative path was joined to the scenario's directory
	Resilience string // "full", "none"; empty: as the ConfigFile says
	Topology   string // "single": nodes inside the server; "processes": each a process; empty: as the ConfigFile says
	// Settings are written over the preset or ConfigFile: "router.resumes=0", in the syntax of --set.
	Settings []string
}

// Timeouts are the measuring client's patience, all above zero. They run from the moment a request was sent.
type Timeouts struct {
	Connect time.Duration
	TTFT    time.Duration
	Stall   time.Duration // between two chunks
	Total   time.Duration
}

// PlannedFault is one fault at its time from time zero of the load.
type PlannedFault struct {
	At    time.Duration
	Fault faults.Fault
	Line  int // of the file; 0 when it came from an override
}

// WithSeed is a deep copy that runs the same scenario with other draws.
func (s *Spec) WithSeed(seed uint64) *Spec {
	c := *s
	c.Seed, c.Load = seed, s.Load.WithSeed(seed)
	c.Phases = slices.Clone(s.Phases)
	c.Set = slices.Clone(s.Set)
	c.Target.Settings = slices.Clone(s.Target.Settings)
	c.Effective = slices.Clone(s.Effective)
	c.SLO.Phases = slices.Clone(s.SLO.Phases)
	c.SLO.Gates = slices.Clone(s.SLO.Gates)
	c.SLO.Expected = slices.Clone(s.SLO.Expected)
	c.SLO.Classes = maps.Clone(s.SLO.Classes)
	c.Trials = slices.Clone(s.Trials)
	c.Variants = slices.Clone(s.Variants) // their own specs are never changed, but copied by Variant
	c.Faults = slices.Clone(s.Faults)
	for i := range c.Faults {
		f := &c.Faults[i].Fault
		f.On, f.Params = slices.Clone(f.On), maps.Clone(f.Params)
	}
	return &c
}

// Length is how long load is sent: all phases. The drain comes on top.
func (s *Spec) Length() time.Duration { return s.Load.Duration }

// Timeline is what the executor brownout-timeline walks. Every fault without a seed of its own gets one
// drawn from the scenario's seed and the fault's place in the file.
func (s *Spec) Timeline(endpoint, tokenEnv, run string, lease time.Duration) faults.Plan {
	p := faults.Plan{Endpoint: endpoint, TokenEnv: tokenEnv, Run: run, Lease: lease, Total: s.Length()}
	for i, planned := range s.Faults {
		f := planned.Fault
		if f.Seed == 0 {
			f.Seed = max(1, synth.Mix(s.Seed^synth.Mix(uint64(i)+1)))
		}
		p.Steps = append(p.Steps, faults.PlanStep{At: planned.At, Fault: f.String()})
	}
	slices.SortStableFunc(p.Steps, func(a, b faults.PlanStep) int { return int(a.At - b.At) })
	return p
}

// Arrivals are the options of the executor brownout-arrivals. The timeouts of client are replaced by the
// scenario's own.
func (s *Spec) Arrivals(client load.Client, run, shard, harness string) load.ArrivalsOptions {
	client.ConnectTimeout, client.TTFTTimeout = s.Client.Connect, s.Client.TTFT
	client.StallTimeout, client.TotalTimeout = s.Client.Stall, s.Client.Total
	o := load.ArrivalsOptions{Plan: s.Load, Client: client, Limits: load.Limits(s.SLO.Limits), Drain: s.Drain(),
		Run: run, Shard: shard, Harness: harness, Calibrate: true}
	for name, class := range s.SLO.Classes {
		if o.ClassLimits == nil {
			o.ClassLimits = map[string]load.Limits{}
		}
		o.ClassLimits[name] = load.Limits(class.Limits)
	}
	for _, p := range s.Phases {
		o.Phases = append(o.Phases, load.PhaseMark{Name: p.Name, At: p.At})
	}
	return o
}

// Drain is how long open requests may go on after the last arrival: the e2e limit, after which they are
// late whatever comes, or the client's patience where there is none.
func (s *Spec) Drain() time.Duration {
	if last := lastLimit(&s.SLO, &s.Load); last > 0 {
		return last
	}
	return s.Client.Total
}
