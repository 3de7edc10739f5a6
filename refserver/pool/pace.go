package pool

import (
	"math"
	"sync/atomic"
	"time"
)

// Pace is how fast a replica's streams run, as those who read them see it: a slow device, a busy
// batch and a slow network all show, whatever the engine says of itself. Writers and readers take no
// lock; under a race a sample may be lost, which an average does not mind.
type Pace struct {
	seconds atomic.Uint64 // bits of a float64: a token's mean time; 0 before the first sample
	heard   atomic.Int64  // Unix ns of the newest content, or of when somebody began to wait for one
	waiting atomic.Int64  // streams that are read now
}

const (
	// paceWeight of one token's gap: with a batch of twenty streams one step moves the mean by 70 %.
	paceWeight = 1.0 / 16
	// paceHalf is after how long without a sample half of the difference to another replica is
	// forgotten, so that a replica that nobody asks is measured again.
	paceHalf = 2 * time.Second
	// paceSilence is how many usual gaps of silence are no sign of anything: a step with long prompts.
	paceSilence = 4
	// paceNoise is the ratio below which two replicas count as equally fast.
	paceNoise = 1.25
)

// Began says that somebody waits for content of this replica from now on.
func (p *Pace) Began(now time.Time) {
	if p.waiting.Add(1) == 1 {
		p.heard.Store(now.UnixNano())
	}
}

// Ended is the counterpart of Began.
func (p *Pace) Ended() { p.waiting.Add(-1) }

// Waiting is how many streams of this replica are read now.
func (p *Pace) Waiting() int64 { return p.waiting.Load() }

// Heard records content: tokens that came gap after the same stream's last ones. The first content of
// a stream has no gap (0), for its time is that of the prompt.
func (p *Pace) Heard(now time.Time, gap time.Duration, tokens int) {
	p.heard.Store(now.UnixNano())
	if gap <= 0 || tokens <= 0 {
		return
	}
	x, mean := gap.Seconds()/float64(tokens), math.Float64frombits(p.seconds.Load())
	if mean == 0 {
		mean = x
	}
	p.seconds.Store(math.Float64bits(mean + (x-mean)*paceWeight))
}

// Reading is a pace at one instant.
type Reading struct {
	Seconds float64 // a token; 0: unknown
	Age     time.Duration
}

// Read is the pace now. Silence while somebody waits counts as soon as it is longer than usual gaps are.
func (p *Pace) Read(now time.Time) Reading {
	r := Reading{Seconds: math.Float64frombits(p.seconds.Load()), Age: max(0, time.Duration(now.UnixNano()-p.heard.Load()))}
	if r.Seconds > 0 && p.waiting.Load() > 0 {
		if silent := r.Age.Seconds() / paceSilence; silent > r.Seconds {
			r.Seconds, r.Age = silent, 0
		}
	}
	return r
}

// Slower is how many times slower r is than o: above 1 when it is, below 1 when o is, and exactly 1
// when they do not differ by more than noise or one of them is unknown.
func (r Reading) Slower(o Reading) float64 {
	switch {
	case r.Seconds == 0 || o.Seconds == 0:
		return 1
	case r.Seconds < o.Seconds:
		return 1 / o.Slower(r)
	}
	// The older the reading of the slower one, the nearer to the other's it is taken to be.
	excess := (r.Seconds/o.Seconds - 1) * math.Exp2(-r.Age.Seconds()/paceHalf.Seconds())
	if 1+excess < paceNoise {
		return 1
	}
	return 1 + excess
}
