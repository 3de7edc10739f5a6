package pool

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Pace is how fast a replica's streams run, as those who read them see it: a slow device, a busy
// batch and a slow network all show, whatever the engine says of itself. Its mutex is held for a few
// instructions a token.
type Pace struct {
	mu              sync.Mutex
	seconds, tokens float64 // of the gaps heard, fading
	gap             time.Duration
	heard           time.Time // the newest content, or when somebody began to wait for one
	waiting         int       // streams that are read now
}

const (
	// paceFade is the time constant of the mean: some twenty steps, so that one with many prompts in it
	// does not count for much.
	paceFade = 300 * time.Millisecond
	// paceHalf is after how long without a sample half of the difference to another replica is
	// forgotten, so that a replica that nobody asks is measured again.
	paceHalf = 2 * time.Second
	// paceQuiet is how many usual gaps a single one may last, and be no sign of anything.
	paceQuiet = 4
	// paceNoise is the ratio below which two replicas count as equally fast.
	paceNoise = 1.25
)

// Began says that somebody waits for content of this replica from now on.
func (p *Pace) Began(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting++; p.waiting == 1 {
		p.heard = now
	}
}

// Ended is the counterpart of Began.
func (p *Pace) Ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
}

// Waiting is how many streams of this replica are read now.
func (p *Pace) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}

// Heard records content: tokens that came gap after the same stream's last ones. The first content of
// a stream has no gap (0), for its time is that of the prompt.
func (p *Pace) Heard(now time.Time, gap time.Duration, tokens int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gap > 0 && tokens > 0 {
		// Never faded to nothing: the last that was known stays known until there is something new.
		keep := max(1e-6, math.Exp(-now.Sub(p.heard).Seconds()/paceFade.Seconds()))
		p.seconds, p.tokens = keep*p.seconds+gap.Seconds(), keep*p.tokens+float64(tokens)
		p.gap = gap
	}
	p.heard = now
}

// Reading is a pace at one instant.
type Reading struct {
	Seconds float64       // a token; 0: unknown
	Quiet   time.Duration // the newest gap, or the one that is not over yet if it is longer; 0: nobody waits
	Age     time.Duration
}

// Read is the pace now.
func (p *Pace) Read(now time.Time) Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens == 0 {
		return Reading{}
	}
	r := Reading{Seconds: p.seconds / p.tokens, Age: max(0, now.Sub(p.heard))}
	if p.waiting > 0 {
		r.Quiet = max(p.gap, r.Age)
	}
	return r
}

// Slower is how many times slower r is than o: above 1 when it is, below 1 when o is, and exactly 1
// when they do not differ by more than noise or one of them is unknown.
//
// A replica that has become slow shows in one long gap before its mean does. But a gap that the other
// one had as well is no sign: then the machine stalled that both run on, or that reads them.
func (r Reading) Slower(o Reading) float64 {
	if r.Seconds == 0 || o.Seconds == 0 {
		return 1
	}
	mine, others := max(r.Seconds, (r.Quiet-o.Quiet).Seconds()/paceQuiet), max(o.Seconds, (o.Quiet-r.Quiet).Seconds()/paceQuiet)
	if mine < others {
		return 1 / o.excess(others/mine)
	}
	return r.excess(mine / others)
}

// excess takes r, which is ratio times slower than another one, to be the nearer to that the older the
// reading is.
func (r Reading) excess(ratio float64) float64 {
	if r.Quiet == 0 { // while somebody waits, no news is news
		ratio = 1 + (ratio-1)*math.Exp2(-r.Age.Seconds()/paceHalf.Seconds())
	}
	if ratio < paceNoise {
		return 1
	}
	return ratio
}

// Since is a condition and when it began. The zero Since does not hold.
type Since struct{ ns atomic.Int64 }

// Begin lets it hold from now on.
func (s *Since) Begin(now time.Time) { s.ns.Store(now.UnixNano()) }

// End lets it hold no more.
func (s *Since) End() { s.ns.Store(0) }

// Holds reports whether it holds now.
func (s *Since) Holds() bool { return s.ns.Load() != 0 }

// BeganAfter reports whether it holds and began after t.
func (s *Since) BeganAfter(t time.Time) bool { return s.ns.Load() > t.UnixNano() }
