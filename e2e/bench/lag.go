package main

import (
	"context"
	"fmt"
	"time"
)

// lag is how late requests are sent, at a rate at which the machine has time to spare.
func (b *bench) lag(ctx context.Context) error {
	const length = 10 * time.Second
	p := peers()[0]
	r := row{peer: p}
	c, err := b.load(ctx, p, job{url: b.server.urls[0], rate: b.lagRate, outputs: tokens, length: length})
	if err != nil {
		return err
	}
	if err := r.read(c.job.shard()); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\nArrival lag; one write a stream; %d/s for %v\n", b.lagRate, length)
	r.remarks(b)
	return nil
}
