package run

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

// gathered is everything a run left behind, on the harness's clock.
type gathered struct {
	merged  record.Merged
	events  []event.Event
	journal []faults.Entry
	faults  []slo.Fault
	clocks  []result.ClockInfo
	steps   slo.StepStats
	state   map[string]any
	target  result.Target
}

// gather reads the shard and asks the target for what it knows. What cannot be had becomes a problem
// of the verdict, never a silent gap.
func (r *running) gather(ctx context.Context, f fired) gathered {
	var g gathered
	if !f.targetDied {
		if err := r.server.part(ctx); err != nil {
			r.problem("unreachable", "%v", err)
		}
		if r.target.Kind == "foreign" {
			if err := r.target.Reachable(ctx); err != nil {
				r.problem("unreachable", "nobody answered at %s when the run ended: %v", r.target.API, err)
			}
		}
	} else {
		r.problem("unreachable", "the target died during the run; its log is server.log in the run's directory")
	}
	if f.interrupted {
		r.problem("interrupted", "the run was interrupted before its end")
	}
	offsets := r.offsets(&g)
	r.readShard(&g, f.shard)
	r.readServer(ctx, &g, offsets)
	return g
}

// offsets settles on one offset per clock: the sharper of start and end, widened by their disagreement.
func (r *running) offsets(g *gathered) map[string]event.Offset {
	byClock := map[string]event.Offset{}
	for _, who := range slices.Sorted(maps.Keys(r.server.first)) {
		o := r.server.first[who]
		if last, ok := r.server.last[who]; ok {
			if last.Clock != o.Clock {
				r.problem("clock", "the %s was replaced during the run: its clock is a new one", who)
				continue
			}
			drift := (last.Shift - o.Shift).Abs()
			if last.Error < o.Error {
				o = last
			}
			o.Error += drift
		}
		if _, twice := byClock[o.Clock]; !twice {
			byClock[o.Clock] = o
		}
		g.clocks = append(g.clocks, result.ClockInfo{Who: who, Offset: o})
	}
	return byClock
}

func (r *running) readShard(g *gathered, path string) {
	g.merged = record.Merged{Start: r.clock.At(r.started)}
	file, err := os.Open(path)
	if err != nil {
		r.problem("unreachable", "the load generator wrote no records: %v", err)
		return
	}
	defer file.Close()
	shard, err := record.Read(file)
	if err != nil {
		r.problem("unreachable", "the load generator's records cannot be read: %v", err)
		return
	}
	merged, err := record.Merge([]record.Shard{shard}, nil)
	if err != nil {
		r.problem("clock", "the load generator's records cannot be placed on our clock: %v", err)
		return
	}
	if why := merged.Client.GaveUp; why != "" {
		r.problem("client-limited", "the load generator could not keep up and gave the load up: %s; lower the rate or give it more cores", why)
	}
	if c := merged.Client.Calibration; c != nil && c.Failed != "" {
		r.problem("client-limited", "%s", c.Failed)
	}
	if len(merged.CutOff) > 0 {
		r.problem("interrupted", "the load generator was cut off: its last records are missing")
	}
	g.merged = merged
	for _, o := range merged.Offsets {
		g.clocks = append(g.clocks, result.ClockInfo{Who: "load generator", Offset: o})
	}
}

func (r *running) readServer(ctx context.Context, g *gathered, offsets map[string]event.Offset) {
	server := r.server.first["server"].Clock
	for _, e := range r.server.events {
		e.At = offsets[server].Map(e.At)
		g.events = append(g.events, e)
	}
	if r.server.gap > 0 {
		r.problem("events", "%d of the server's events were lost, so who noticed what is not known", r.server.gap)
	}
	if r.server.faults != nil {
		journal, err := r.server.faults.Journal(ctx)
		if err != nil {
			r.problem("unproven", "the fault journal cannot be read: %v", err)
		}
		for _, e := range journal {
			if e.Run != r.id {
				continue // a holder that was there already has other runs' lines
			}
			e.At = offsets[e.Clock].Map(e.At)
			g.journal = append(g.journal, e)
		}
	}
	g.faults = r.faultsOf(g)
	st, err := r.server.state(ctx, "")
	if err != nil {
		if r.target.Admin != "" {
			r.problem("unreachable", "the server's state cannot be read: %v", err)
		}
		return
	}
	g.steps = slo.StepStats{Steps: st.Steps.Steps, LateP50: st.Steps.LateP50, LateP99: st.Steps.LateP99,
		StepP50: st.Steps.StepP50, Known: st.Steps.Known}
	g.target.Resilience, g.target.Model = st.Resilience, st.Model
	for _, n := range st.Nodes {
		g.target.Replicas += len(n.Replicas)
	}
	if g.state, err = asMap(st); err != nil {
		r.problem("unreachable", "the server's state cannot be kept: %v", err)
	}
}

// faultsOf joins what was planned, what the timeline saw and what the holder proved.
func (r *running) faultsOf(g *gathered) []slo.Fault {
	steps := slices.Clone(r.Spec.Faults)
	slices.SortStableFunc(steps, func(a, b spec.PlannedFault) int { return cmp.Compare(a.At, b.At) }) // as the timeline walks them
	all := make([]slo.Fault, 0, len(steps))
	for i, planned := range steps {
		f := slo.Fault{Fault: planned.Fault.String(), Kind: planned.Fault.Kind, Planned: planned.At}
		if info, ok := faults.Lookup(f.Kind); ok {
			f.Serving = info.On == "gpu" || info.On == "node"
		}
		if i < len(g.merged.Timeline) {
			seen := g.merged.Timeline[i]
			f.ID, f.Error, f.LeaseLost = seen.ID, seen.Error, seen.LeaseLost
		}
		for _, e := range g.journal {
			if e.ID == f.ID {
				fold(&f, e)
			}
		}
		all = append(all, f)
	}
	return all
}

// fold adds one journal line to what is known of a fault.
func fold(f *slo.Fault, e faults.Entry) {
	f.Targets = e.Targets
	switch e.Step {
	case faults.StepArmed:
		f.Armed = e.At
	case faults.StepEffective:
		f.Effective, f.Evidence = e.At, e.Evidence
	case faults.StepUnproven:
		f.Error = e.Evidence + e.Error
	case faults.StepExpired:
		f.Cleared, f.Gone = e.At, e.Evidence
		f.LeaseLost = f.LeaseLost || e.Cause == faults.CauseLease
	case faults.StepCleared:
		f.Cleared, f.Gone = e.At, e.Evidence
	case faults.StepClearFailed:
		f.Error = e.Error
	case faults.StepRenewed:
	}
}

// seconds of the load, drain included.
func (g *gathered) seconds(f fired, started time.Time) float64 {
	if g.merged.Finished != 0 {
		return g.merged.Finished.Sub(g.merged.Start).Seconds()
	}
	return f.ended.Sub(started).Seconds()
}

// delivered is the rate that was really sent, in requests/s.
func (g *gathered) delivered(planned time.Duration) float64 {
	sent := 0
	for i := range g.merged.Records {
		if g.merged.Records[i].Sent != 0 {
			sent++
		}
	}
	return float64(sent) / planned.Seconds()
}

func (r *running) describeTarget(g gathered) result.Target {
	t := g.target
	t.Kind, t.URL, t.State = r.target.Kind, r.target.API, g.state
	if t.Model == "" {
		t.Model = r.Spec.Load.Model
	}
	if r.Adopted == nil {
		t.Settings = r.Spec.Target.Settings
	}
	d := r.target.Dialect
	t.KeyEnv, t.Headers, t.CAFile, t.ExtraBody, t.MaxRate = d.KeyEnv, d.Headers, d.CAFile, d.Body, r.target.MaxRate
	for i := range g.merged.Records {
		switch rec := &g.merged.Records[i]; {
		case rec.Outcome != record.OK && rec.Outcome != record.Degraded:
		case rec.TokensBy == record.TokensByUsage:
			t.Tokens.Usage++
		default:
			t.Tokens.Chunks++
		}
	}
	return t
}

// file is the scenario's file as the result names it.
func (r *running) file() string {
	if r.Spec.File == "" {
		return fmt.Sprintf("%s (built-in)", r.Spec.Name)
	}
	return r.Spec.File
}
