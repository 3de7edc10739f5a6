package virtual

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/engine/sim"
	"github.com/brownout-dev/brownout/refserver/gpu"
	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// The scenario steady on a third of its server: two engines at 60 % of what they can do.
const (
	engines = 2
	rate    = 51.3 // requests/s: 60 % of saturation
	output  = 64
	warmup  = 2 * time.Second
	steady  = 15 * time.Second
)

// trial is one run of the load on the simulated engines in virtual time, in no real time to speak of.
func trial(t *testing.T, seed uint64, slowdown float64) (out compare.Trial) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		plan := load.Plan{Seed: seed, Duration: warmup + steady, Stream: true, Model: "llama-3.1-8b", MaxInFlight: 1000,
			Arrivals: load.Arrivals{Process: load.Poisson, Rate: rate},
			Prompt:   load.Length{Dist: load.Fixed, Mean: 512}, Output: load.Length{Dist: load.Fixed, Mean: output}}
		in := serve(t, plan, slowdown)
		in.Spec = slo.DefaultSpec()
		in.Spec.Limits = slo.Limits{TTFT: time.Second, E2E: 10 * time.Second}
		in.Spec.Phases = []slo.Phase{{Name: "warmup", For: warmup, Quiet: true}, {Name: "steady", At: warmup, For: steady}}
		out = compare.Trial{
			Run: fmt.Sprintf("seed-%d", seed), Seed: seed, Verdict: slo.Pass, Scenario: "virtual", LoadDigest: "virtual", TargetKind: "refserver",
			Environment: map[string]string{"cpu": "none", "cpus": "1", "gomaxprocs": "1", "os": "virtual"},
			Samples:     *result.NewSamples(slo.Blocks(in)),
		}
	})
	return out
}

// serve sends the plan and writes down what the client sees. It must run in a bubble.
func serve(t *testing.T, plan load.Plan, slowdown float64) slo.Input {
	spec, err := gpu.SpecOf("h100-80gb")
	require.NoError(t, err)
	model, err := gpu.ModelOf(plan.Model)
	require.NoError(t, err)
	clock := event.NewClock()
	log := event.NewLog(clock, 1000)
	ctx, stop := context.WithCancel(context.Background())
	var life, open sync.WaitGroup
	var all []*sim.Engine
	for i := range engines {
		id := fmt.Sprintf("n1/g%d", i)
		device := gpu.NewDevice(gpu.DeviceConfig{ID: id, UUID: id, Spec: spec}, clock.Now())
		e, err := sim.New(sim.Config{ID: id, Model: model, FirstLoad: time.Millisecond, Slowdown: slowdown},
			sim.Deps{Device: device, Events: log, Clock: clock, Waiter: pace.Timers{}})
		require.NoError(t, err)
		all = append(all, e)
		life.Go(func() { _ = e.Run(ctx) })
	}
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()

	start := clock.Now()
	in := slo.Input{Start: start, Load: slo.Load{Rate: plan.Arrivals.Rate}}
	var mu sync.Mutex
	held := make([]int, engines)
	for a := range plan.All() {
		time.Sleep(time.Until(clock.Wall(start.Add(a.Due))))
		mu.Lock()
		least := 0
		for i := range held {
			if held[i] < held[least] {
				least = i
			}
		}
		held[least]++
		mu.Unlock()
		stream, err := all[least].Generate(ctx, engine.Request{ID: a.ID, Model: plan.Model, PromptTokens: a.Prompt, MaxTokens: a.Output, IgnoreEOS: true})
		require.NoError(t, err)
		open.Go(func() {
			r := record.Record{Arrival: a.Index, ID: a.ID, Due: start.Add(a.Due), Sent: start.Add(a.Due), Outcome: record.Truncated, Streaming: true, PromptTokens: a.Prompt}
			var gaps []event.Time
			for c := range stream.C {
				now := clock.Now()
				if c.Tokens > 0 {
					if r.First == 0 {
						r.First = now
					}
					r.Last = now
					r.OutputTokens += c.Tokens
					gaps = append(gaps, now)
				}
				if c.Finish != "" {
					r.Outcome = record.OK
				}
			}
			r.End = clock.Now()
			mu.Lock()
			defer mu.Unlock()
			held[least]--
			in.Records = append(in.Records, r)
			for i := 1; i < len(gaps); i++ {
				in.Gaps.Add(int(gaps[i].Sub(start)/time.Second), gaps[i].Sub(gaps[i-1]))
			}
		})
	}
	open.Wait()
	stop()
	life.Wait()
	return in
}
