package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/brownout-dev/brownout/reports/record"
)

// shape is how the server cuts an answer, and how many of them a second the peers ask for.
type shape struct {
	name string
	url  string
	rate int
}

// row is what the rounds told of one peer.
type row struct {
	peer
	cpu    []time.Duration // a stream, one a round
	quiet  cost            // of a load of one stream a second
	short  int             // rounds in which streams were missing
	lags   []time.Duration
	reads  float64 // a chunk
	record int     // records with another outcome than ok
}

// compare has all peers make the same load, one after the other, round after round. What a load of one
// stream a second takes in the same time is subtracted, so that neither starting the process and
// compiling a script nor its clocks and tickers count.
func (b *bench) compare(ctx context.Context, s shape) error {
	var rows []*row
	for _, p := range peers() {
		if strings.Contains(p.name, b.only) {
			rows = append(rows, &row{peer: p})
		}
	}
	for range b.rounds {
		for _, r := range rows {
			if err := b.round(ctx, r, s); err != nil {
				return err
			}
		}
	}
	floor, err := b.floor(ctx, s)
	if err != nil {
		fmt.Fprintf(b.out, "\nno floor: %v\n", err)
	}
	fmt.Fprintf(b.out, "\nCPU of the load generator's process per %d-token stream; %s; %d/s for %v less 1/s for %v, %d rounds\n",
		tokens, s.name, s.rate, b.length, b.length, b.rounds)
	w := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "peer\tmedian\tlowest…highest\tratio\tat 1/s\twhat it does\n")
	base := time.Duration(0)
	for _, r := range rows {
		mid := median(r.cpu)
		if base == 0 {
			base = mid
		}
		fmt.Fprintf(w, "%s\t%s\t%s…%s\t%.1f×\t%v\t%s\n", r.name, micros(mid), micros(slices.Min(r.cpu)), micros(slices.Max(r.cpu)),
			float64(mid)/float64(max(base, 1)), r.quiet.cpu.Round(time.Millisecond), r.does)
	}
	if floor > 0 {
		fmt.Fprintf(w, "bare system calls\t%s\t\t%.1f×\t\twrite, epoll and read on warm sockets, nothing looked at\n",
			micros(floor), float64(floor)/float64(max(base, 1)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		r.remarks(b)
	}
	return nil
}

func (r *row) remarks(b *bench) {
	if len(r.lags) > 0 {
		slices.Sort(r.lags)
		at := func(share float64) time.Duration {
			return r.lags[int(share*float64(len(r.lags)-1))].Round(time.Microsecond)
		}
		fmt.Fprintf(b.out, "%s: sent late by p50 %v, p99 %v, p99.9 %v, max %v (%d requests); %.2f reads a chunk\n",
			r.name, at(0.5), at(0.99), at(0.999), at(1), len(r.lags), r.reads)
	}
	if r.record > 0 {
		fmt.Fprintf(b.out, "%s: %d requests were not ok\n", r.name, r.record)
	}
	if r.short > 0 {
		fmt.Fprintf(b.out, "%s: in %d of %d rounds more than 1 %% of the streams were missing\n", r.name, r.short, b.rounds)
	}
}

// round measures one peer once.
func (b *bench) round(ctx context.Context, r *row, s shape) error {
	j := job{url: s.url, rate: 1, outputs: tokens, length: b.length}
	if r.quiet.cpu == 0 {
		var err error
		if r.quiet, err = b.load(ctx, r.peer, j); err != nil {
			return err
		}
	}
	j.rate = s.rate
	c, err := b.load(ctx, r.peer, j)
	if err != nil {
		return err
	}
	more := c.served - r.quiet.served
	if more <= 0 {
		return fmt.Errorf("%s: a load of %d/s had no more streams than one of 1/s", r.name, s.rate)
	}
	r.cpu = append(r.cpu, (c.cpu-r.quiet.cpu)/time.Duration(more))
	if float64(c.served) < 0.99*float64(s.rate)*b.length.Seconds() {
		r.short++
	}
	if r.records {
		return r.read(c.job.shard())
	}
	return nil
}

// read takes the lags from the records of a load.
func (r *row) read(path string) error {
	shard, err := readShard(path)
	if err != nil {
		return err
	}
	for i := range shard.Records {
		rec := &shard.Records[i]
		if rec.Outcome != record.OK {
			r.record++
		}
		if lag, ok := rec.Lag(); ok {
			r.lags = append(r.lags, lag)
		}
	}
	r.reads = shard.Footer.Client.ReadsPerChunk
	return os.Remove(path)
}

func readShard(path string) (record.Shard, error) {
	file, err := os.Open(path)
	if err != nil {
		return record.Shard{}, err
	}
	defer file.Close()
	return record.Read(file)
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }
