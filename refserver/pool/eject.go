package pool

import (
	"fmt"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// Ejection is outlier ejection: a replica whose started streams keep breaking is left out for a
// while, though its breaker, which settles at the first content, sees nothing wrong.
type Ejection struct {
	Enabled  bool          `yaml:"enabled"`   // false: nobody is left out
	Breaks   int           `yaml:"breaks"`    // broken streams in a row that eject; 0 turns ejection off
	For      time.Duration `yaml:"for"`       // the first ejection; the n-th lasts n times as long, up to 10
	MaxShare float64       `yaml:"max_share"` // of the pool that may be out at a time, [0, 1)
	Panic    float64       `yaml:"panic"`     // share of the pool that must be ready and in; below it ejections are ignored
}

// DefaultEjection is [5] breaks, [5 s], at most [50 %] out, panic below [50 %].
func DefaultEjection() Ejection {
	return Ejection{Enabled: true, Breaks: 5, For: 5 * time.Second, MaxShare: 0.5, Panic: 0.5}
}

// Validate reports every bad field: its key, what is wrong, how to mend it.
func (e Ejection) Validate(report func(key, what, mend string)) {
	if e.Breaks < 0 || e.Breaks > 10_000 {
		report("breaks", fmt.Sprintf("%d is not between 0 and 10000", e.Breaks), "write for example 5, or 0 to turn ejection off")
	}
	if e.For < time.Millisecond || e.For > 10*time.Minute {
		report("for", fmt.Sprintf("%v is not between 1ms and 10m", e.For), "write for example 5s")
	}
	if !(e.MaxShare >= 0 && e.MaxShare < 1) {
		report("max_share", fmt.Sprintf("%v is not a share from 0 to below 1", e.MaxShare), "write for example 0.5")
	}
	if !(e.Panic >= 0 && e.Panic <= 1) {
		report("panic", fmt.Sprintf("%v is not a share from 0 to 1", e.Panic), "write for example 0.5")
	}
}

// outlier is one member's record.
type outlier struct {
	mu     sync.Mutex
	breaks int       // in a row
	times  int       // ejections since the last complete answer
	until  time.Time // ejected until
}

func (o *outlier) remaining(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return max(0, o.until.Sub(now))
}

// Broke counts a stream of m that broke after its first content, and reports whether that ejected m.
func (p *Pool) Broke(m *Member, now time.Time) bool {
	e := p.cfg.Ejection
	if !e.Enabled || e.Breaks == 0 {
		return false
	}
	peers := p.byModel[m.Model]
	out := 1
	for _, other := range peers {
		if other != m && other.outlier.remaining(now) > 0 {
			out++
		}
	}
	m.outlier.mu.Lock()
	defer m.outlier.mu.Unlock()
	m.outlier.breaks++
	if m.outlier.breaks < e.Breaks || now.Before(m.outlier.until) || float64(out) > e.MaxShare*float64(len(peers)) {
		return false
	}
	m.outlier.breaks = 0
	m.outlier.times = min(m.outlier.times+1, 10)
	m.outlier.until = now.Add(time.Duration(m.outlier.times) * e.For)
	return true
}

// Completed counts a whole answer of m: the row of breaks ends.
func (p *Pool) Completed(m *Member) {
	m.Served()
	m.outlier.mu.Lock()
	m.outlier.breaks, m.outlier.times = 0, 0
	m.outlier.mu.Unlock()
}

// Candidate is a member that may be asked now.
type Candidate struct {
	*Member
	Load engine.Load
}

// Candidates appends to into the members of model that are ready, whose gate may permit a request
// and that are not ejected. When ejections leave less than the panic share of the pool, they are ignored.
func (p *Pool) Candidates(into []Candidate, model string, now time.Time) []Candidate {
	peers := p.byModel[model]
	start, ejected := len(into), 0
	for _, m := range peers {
		load := m.Look(now)
		if load.State != engine.Ready || (m.Gate != nil && !m.Gate.Permits(now)) {
			continue
		}
		into = append(into, Candidate{Member: m, Load: load})
		if m.outlier.remaining(now) > 0 {
			ejected++
		}
	}
	left := len(into) - start - ejected
	if ejected == 0 || float64(left) < p.cfg.Ejection.Panic*float64(len(peers)) {
		return into
	}
	kept := into[:start]
	for _, c := range into[start:] {
		if c.outlier.remaining(now) == 0 {
			kept = append(kept, c)
		}
	}
	return kept
}
