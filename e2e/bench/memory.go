package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// long is one load of many one-token streams: what its records cost the load generator while it
// runs, and the harness afterwards.
func (b *bench) long(ctx context.Context) error {
	j := job{url: b.server.urls[0], rate: b.fast, outputs: 1, length: time.Duration(float64(b.requests) / float64(b.fast) * float64(time.Second))}
	fmt.Fprintf(b.out, "\n%d requests of one token at %d/s\n", b.requests, b.fast)
	for _, p := range peers() {
		if !p.records || !strings.Contains(p.name, b.only) {
			continue
		}
		c, err := b.load(ctx, p, j)
		if err != nil {
			return err
		}
		info, err := os.Stat(c.job.shard())
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "%s: peak memory %s, CPU %v (%s a stream), %d streams in %v; shard %s\n", p.name, mib(c.rss),
			c.cpu.Round(10*time.Millisecond), micros(c.cpu/time.Duration(max(c.served, 1))), c.served, c.wall.Round(100*time.Millisecond), mib(info.Size()))
		r := row{peer: p}
		if p.name == peers()[0].name {
			if err := b.judged(ctx, c.job.shard()); err != nil {
				return err
			}
		}
		if err := r.read(c.job.shard()); err != nil {
			return err
		}
		r.remarks(b)
	}
	return nil
}

// judged has a child merge and judge the shard, as brownout run does after the load.
func (b *bench) judged(ctx context.Context, shard string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, err := call(ctx, "", self, "judge", shard)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "the harness: reads, merges and judges them in %v (CPU %v), peak memory %s\n",
		c.wall.Round(10*time.Millisecond), c.cpu.Round(10*time.Millisecond), mib(c.rss))
	return nil
}

// judge is the child "judge".
func judge(_ context.Context, args []string) error {
	shard, err := readShard(args[0])
	if err != nil {
		return err
	}
	merged, err := record.Merge([]record.Shard{shard}, nil)
	if err != nil {
		return err
	}
	gate := slo.Gate{Scope: "all", Metric: "ttft", P: 99, Op: "<=", Value: 0.5, Text: "p99 ttft <= 500ms"}
	length := merged.Finished.Sub(merged.Start)
	j := slo.Judge(slo.Input{
		Spec: slo.Spec{
			Limits: slo.Limits{TTFT: time.Second, E2E: 10 * time.Second},
			Phases: []slo.Phase{{Name: "all", For: length}}, Gates: []slo.Gate{gate},
		},
		Start: merged.Start, Records: merged.Records, Gaps: merged.Gaps, Client: merged.Client, Clocks: merged.Offsets,
		Load: slo.Load{Rate: float64(len(merged.Records)) / length.Seconds()},
	})
	if j.Verdict == "" {
		return errors.New("no verdict")
	}
	return nil
}

func mib(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
