package gpu

import (
	"math"
	"time"
)

// Batch is the work of one engine step.
type Batch struct {
	Prefill int   // prompt tokens in this step's chunks
	Pairs   int64 // query-key pairs of those chunks: Σ n·before + n·(n+1)/2
	Decode  int   // sequences that decode one token
	Context int64 // Σ tokens in the KV cache of those
	Samples int   // sequences that get a token: the decodes and the prefills that finish
	Chunks  int   // prefill chunks
}

// Add puts a prefill chunk of n tokens that follows before tokens into the batch.
func (b *Batch) Add(n, before int, finishes bool) {
	b.Prefill += n
	b.Chunks++
	b.Pairs += int64(n)*int64(before) + int64(n)*int64(n+1)/2
	if finishes {
		b.Samples++
	}
}

// AddDecode puts one decoding sequence with context tokens in the cache into the batch.
func (b *Batch) AddDecode(context int) {
	b.Decode++
	b.Context += int64(context)
	b.Samples++
}

// Tokens is how many tokens pass through the layers.
func (b Batch) Tokens() int { return b.Prefill + b.Decode }

// Timing is the step formula with a device's and a model's numbers filled in.
type Timing struct {
	fixed    float64 // s a step
	weights  float64 // s to stream the weights once
	token    float64 // s of matrix work a token
	context  float64 // s to read one token of KV cache
	pair     float64 // s of attention per query-key pair
	sequence float64 // s a sequence
}

// TimingOf prepares the formula for a model on a device, in BF16.
func TimingOf(s Spec, m Model) Timing {
	c := s.Constants
	flops := s.FLOPs * c.FLOPsShare
	return Timing{
		fixed:    c.PerStep + float64(m.Layers)*c.PerLayer,
		weights:  m.streamedBytes() / (s.Bandwidth * c.BandwidthShare),
		token:    2 * m.Params / flops,
		context:  float64(m.KVBytes()) / (s.Bandwidth * c.KVShare),
		pair:     4 * float64(m.Layers) * float64(m.Heads) * float64(m.HeadDim) / flops,
		sequence: c.PerSequence,
	}
}

// Slowed is the formula with every constant factor times as large.
func (t Timing) Slowed(factor float64) Timing {
	for _, c := range []*float64{&t.fixed, &t.weights, &t.token, &t.context, &t.pair, &t.sequence} {
		*c *= factor
	}
	return t
}

// Step is how long one iteration of the engine takes for the whole batch:
//
//	fixed + layers·c + smoothmax(weights/(BW·e_bw), 2·params·tokens/(FLOPs·e_f))
//	      + Σ kv_bytes(context)/(BW·e_kv) + prefill attention + batch·c_request
//
// with smoothmax(a, b) = √(a²+b²), which fits Vidur's measured linear operators within 3 to 11 %.
func (t Timing) Step(b Batch) time.Duration {
	matrix := math.Hypot(t.weights, t.token*float64(b.Tokens()))
	s := t.fixed + matrix + t.context*float64(b.Context) + t.pair*float64(b.Pairs) +
		t.sequence*float64(b.Decode+b.Chunks)
	return time.Duration(s * float64(time.Second))
}
