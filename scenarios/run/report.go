package run

import (
	"context"

	"github.com/brownout-dev/brownout/internal/build"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// report judges what was gathered and puts it into the form of a result file.
func (r *running) report(ctx context.Context, f fired) result.Result {
	r.Say("judging")
	g := r.gather(context.WithoutCancel(ctx), f)
	in := slo.Input{
		Spec: r.Spec.SLO, Start: g.merged.Start, Records: g.merged.Records, Gaps: g.merged.Gaps,
		Events: g.events, Faults: g.faults, Client: g.merged.Client, Steps: g.steps,
		Load: slo.Load{Rate: r.Spec.Load.Arrivals.Rate}, Problems: r.before,
	}
	for _, c := range g.clocks {
		in.Clocks = append(in.Clocks, c.Offset)
	}
	j := slo.Judge(in)
	client := g.merged.Client
	res := result.Result{
		Version: result.Version, Run: r.id, Started: r.started, Seconds: g.seconds(f, r.started), Tool: build.String(),
		Scenario: result.Scenario{Name: r.Spec.Name, File: r.file(), Question: r.Spec.Question, Digest: r.Spec.Digest,
			Set: r.Spec.Set, YAML: string(r.Spec.Effective), Seed: r.Spec.Seed},
		Target: r.describeTarget(g),
		Load:   r.loadInfo(g),

		Summary: slo.Summary(in, j), Spec: in.Spec, Start: in.Start, Judgement: j, Events: g.events,
		Journal: g.journal, Clocks: g.clocks, Simulator: g.steps, Environment: environment(),
		Client: result.ClientInfo{MaxInFlight: client.MaxInFlight, TimerLateP99: client.TimerLateP99, ReadsPerChunk: client.ReadsPerChunk},
	}
	res.Scenario.Delay = r.Spec.Delay
	if said := r.capacity(g.target.Replicas).Sentence(); said != "" {
		res.Summary = append(res.Summary, said)
	}
	if client.WallSeconds > 0 {
		res.Client.Cores = client.CPUSeconds / client.WallSeconds
	}
	res.ExitCode = exitCode(j.Verdict, f.interrupted)
	return res
}

// capacity is the load beside what the target bears.
func (r *running) capacity(replicas int) slo.Capacity {
	return slo.Capacity{Rate: r.Spec.Load.Arrivals.Rate, All: r.sat.all, Minus1: r.sat.minus1, Replicas: replicas}
}

func (r *running) loadInfo(g gathered) result.LoadInfo {
	l := r.Spec.Load
	info := result.LoadInfo{Process: string(l.Arrivals.Process), Rate: l.Arrivals.Rate,
		Delivered: g.delivered(l.Duration), PromptMean: l.Prompt.Mean, OutputMean: l.Output.Mean, Saturation: r.sat.all}
	if r.sat.all > 0 {
		info.Share = l.Arrivals.Rate / r.sat.all
	}
	if r.sat.minus1 > 0 {
		info.ShareNMinus1 = l.Arrivals.Rate / r.sat.minus1
	}
	return info
}

// exitCode maps a verdict to the process's code.
func exitCode(v slo.Verdict, interrupted bool) int {
	switch {
	case interrupted:
		return ExitInterrupted
	case v == slo.Pass:
		return ExitPass
	case v == slo.Fail:
		return ExitFail
	}
	return ExitUnknown
}
