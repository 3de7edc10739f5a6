package router

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

// fingerprint identifies a prompt without keeping it.
type fingerprint [sha256.Size]byte

func fingerprintOf(model, prompt string) fingerprint {
	h := sha256.New()
	_, _ = h.Write([]byte(model)) // hash.Hash never returns an error
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(prompt))
	return fingerprint(h.Sum(nil))
}

// quarantine remembers prompts that ended engines.
type quarantine struct {
	stay time.Duration
	most int
	size atomic.Int64 // of until, so that the common empty case hashes nothing

	mu    sync.Mutex
	until map[fingerprint]time.Time
}

func newQuarantine(stay time.Duration, most int) *quarantine {
	return &quarantine{stay: stay, most: most, until: make(map[fingerprint]time.Time)}
}

func (q *quarantine) holds(model, prompt string, now time.Time) bool {
	if q.size.Load() == 0 {
		return false
	}
	f := fingerprintOf(model, prompt)
	q.mu.Lock()
	defer q.mu.Unlock()
	until, ok := q.until[f]
	if ok && !now.Before(until) {
		delete(q.until, f)
		q.size.Store(int64(len(q.until)))
		ok = false
	}
	return ok
}

// add holds the prompt from now on. When full, the entry that would leave first makes room.
func (q *quarantine) add(model, prompt string, now time.Time) {
	f := fingerprintOf(model, prompt)
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.until[f]; !known && len(q.until) >= q.most {
		var first fingerprint
		var when time.Time
		for other, until := range q.until {
			if when.IsZero() || until.Before(when) {
				first, when = other, until
			}
		}
		delete(q.until, first)
	}
	q.until[f] = now.Add(q.stay)
	q.size.Store(int64(len(q.until)))
}
