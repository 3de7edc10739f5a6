package saturate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// Job is one search against one target.
type Job struct {
	Spec   *spec.Spec // what the probes are made of
	Search Config
	Shape  Shape
	Settle time.Duration // between probes, where the target cannot say that it is idle
	Target *target.Target
	Run    run.Config               // of every probe: binary, directory, progress
	Show   func(p saturation.Probe) // each probe once it is over
}

// idleWithin bounds the wait between two probes.
const idleWithin = 30 * time.Second

// Conduct carries the search out. When ctx ends it returns what is known so far with the cause.
func Conduct(ctx context.Context, j Job) (saturation.File, error) { return j.conduct(ctx, j.probe) }

// ask makes the n-th probe at a rate and adds what it learns of the target to f.
type ask func(ctx context.Context, rate float64, n int, f *saturation.File) (saturation.Probe, error)

func (j *Job) conduct(ctx context.Context, probe ask) (saturation.File, error) {
	started := time.Now()
	prompt, output := j.Spec.Load.Means()
	f := saturation.File{Started: started, Confidence: claimed, Limits: j.Spec.SLO.Limits, Gates: gates(j.Spec),
		Scenario: saturation.Scenario{Name: j.Spec.Name, File: j.Spec.File, Digest: j.Spec.Digest, Set: j.Spec.Set, Seed: j.Spec.Seed},
		Load:     saturation.Load{Process: string(j.Spec.Load.Arrivals.Process), PromptMean: prompt, OutputMean: output}}
	var seen []Probe
	var broken error
	d := j.Search.Next(nil, 0)
	for !d.Done && broken == nil {
		var p saturation.Probe
		if p, broken = probe(ctx, d.Next, len(seen), &f); broken != nil {
			break
		}
		f.Probes = append(f.Probes, p)
		rate := p.Rate
		if p.Verdict == slo.Unknown {
			rate = p.Asked // to be repeated, not to be followed
		}
		seen = append(seen, Probe{Rate: rate, Verdict: p.Verdict, Word: p.Word})
		j.Show(p)
		d = j.Search.Next(seen, time.Since(started))
	}
	if !d.Done {
		why := "interrupted"
		if broken != nil && ctx.Err() == nil {
			why = broken.Error()
		}
		d = d.end(j.Search, d.Low > 0, d.High > 0, why)
	}
	f.Status, f.Why, f.Best, f.Low, f.High = string(d.Status), d.Why, d.Best, d.Low, d.High
	f.Seconds = time.Since(started).Seconds()
	f.Summary = saturation.Summarize(f)
	return f, broken
}

func (j *Job) probe(ctx context.Context, rate float64, n int, f *saturation.File) (saturation.Probe, error) {
	began := time.Now()
	derived, err := Derive(j.Spec, rate, n, j.Shape)
	if err != nil {
		return saturation.Probe{}, err
	}
	if err := run.Idle(ctx, j.Target, j.Settle, idleWithin); err != nil {
		return saturation.Probe{}, err
	}
	c := j.Run
	c.Spec, c.Adopted, c.Keep = derived, j.Target, true
	done, err := run.Run(ctx, c)
	if err != nil {
		return saturation.Probe{}, err
	}
	if ctx.Err() != nil {
		return saturation.Probe{}, context.Cause(ctx)
	}
	r := &done.Result
	ph := phase(derived)
	trend := trendOf(done.Records, r.Start, ph.At, ph.For)
	p := judge(rate, r.Judgement, trend, derived.SLO.Limits, derived.Load.Stream)
	p.Seconds, p.Dir = time.Since(began).Seconds(), filepath.Base(done.Dir)
	f.Tool, f.Environment, f.Model = r.Tool, r.Environment, r.Load.Saturation
	f.Target = saturation.Target{Kind: r.Target.Kind, URL: r.Target.URL, Model: r.Target.Model,
		Resilience: r.Target.Resilience, Replicas: r.Target.Replicas}
	f.Target.Fingerprint = fingerprint(f.Target)
	for _, reason := range r.Judgement.Reasons {
		if reason.Word == "unreachable" {
			return p, fmt.Errorf("the target went away at %.4g/s: %s", rate, reason.Text)
		}
	}
	return p, nil
}

// fingerprint tells targets apart. The reference server's port is drawn, so its URL is left out.
func fingerprint(t saturation.Target) string {
	url := t.URL
	if t.Kind == "refserver" {
		url = ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d", t.Kind, url, t.Model, t.Resilience, t.Replicas))
	return hex.EncodeToString(sum[:8])
}
