package sample

import (
	"sync"

	"go.k6.io/k6/v2/metrics"
)

// Batch is finished requests on their way together: k6 wakes a goroutine for each container it is sent.
type Batch []*Request

// GetSamples implements metrics.SampleContainer.
func (b Batch) GetSamples() []metrics.Sample {
	var all []metrics.Sample
	for _, r := range b {
		all = append(all, r.samples...)
	}
	return all
}

// mostBatched bounds a batch.
const mostBatched = 256

// Batcher gathers requests until they are a batch, or Flush is called. Safe for concurrent use.
type Batcher struct {
	out chan<- metrics.SampleContainer

	mu   sync.Mutex
	have Batch
}

// NewBatcher makes one that sends to out.
func NewBatcher(out chan<- metrics.SampleContainer) *Batcher { return &Batcher{out: out} }

// Add takes one request. It may wait for out, with as many requests as are in flight at most: who adds
// faster than out is read is slowed down, and memory does not grow.
func (b *Batcher) Add(r *Request) {
	b.mu.Lock()
	b.have = append(b.have, r)
	var full Batch
	if len(b.have) >= mostBatched {
		full, b.have = b.have, nil
	}
	b.mu.Unlock()
	if full != nil {
		b.out <- full
	}
}

// Flush sends what was gathered.
func (b *Batcher) Flush() {
	b.mu.Lock()
	have := b.have
	b.have = nil
	b.mu.Unlock()
	if have != nil {
		b.out <- have
	}
}
