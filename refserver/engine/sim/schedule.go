package sim

import (
	"slices"

	"github.com/brownout-dev/brownout/refserver/gpu"
)

// schedule decides what the next step computes: decodes first, then prefill chunks in order of
// admission, within a token budget, a number of sequences and a number of KV blocks. It is pure, and
// its steady state allocates nothing.
type schedule struct {
	maxSequences int
	blockTokens  int

	budget int // tokens a step, now; decodes are served in full even when they exceed it
	blocks int // KV blocks there are, now
	free   int // of them

	running []*sequence // in order of admission
	waiting []*sequence // in order of arrival, preempted ones in front

	step      []*sequence // computed in this step
	sampled   []*sequence // scratch of finish
	preempted int         // since last asked
}

// blocksFor is how many blocks hold that many tokens.
func (s *schedule) blocksFor(tokens int) int { return (tokens + s.blockTokens - 1) / s.blockTokens }

// plan fills step and returns its work. Calling it again before finish plans the same step anew.
func (s *schedule) plan() gpu.Batch {
	var b gpu.Batch
	s.step = s.step[:0]
	for i := 0; i < len(s.running); i++ { // shrinks at its end when a sequence is preempted
		q := s.running[i]
		q.chunk = 0
		if q.decoding() && q.room() && s.cover(q) {
			b.AddDecode(q.cached)
			q.chunk = 1
			s.step = append(s.step, q)
		}
	}
	left := s.budget - b.Decode
	for _, q := range s.running {
		if left <= 0 {
			return b
		}
		if !q.decoding() {
			left -= s.prefill(&b, q, left)
		}
	}
	// A sequence preempted in this plan is first in line and cannot come straight back: somebody took
	// at least one of the blocks it needs.
	for left > 0 && len(s.waiting) > 0 && len(s.running) < s.maxSequences {
		q := s.waiting[0]
		n := s.blocksFor(q.prompt + q.next)
		if n > s.free {
			return b // in order: a shorter one behind does not overtake
		}
		s.waiting[0] = nil
		s.waiting = s.waiting[1:]
		s.free -= n
		q.blocks = n
		s.running = append(s.running, q)
		left -= s.prefill(&b, q, left)
	}
	return b
}

// prefill puts the next chunk of q into the step, its last token only if the reader can take the
// first one, and returns its size.
func (s *schedule) prefill(b *gpu.Batch, q *sequence, left int) int {
	n := min(q.need(), left)
	if n == q.need() && !q.room() {
		n--
	}
	if n <= 0 {
		return 0
	}
	b.Add(n, q.cached, n == q.need())
	q.chunk = n
	s.step = append(s.step, q)
	return n
}

// cover makes sure that q's next token has a block, preempting the last admitted if it must; false
// when q itself had to go.
func (s *schedule) cover(q *sequence) bool {
	for s.blocksFor(q.cached+1) > q.blocks {
		if s.free > 0 {
			s.free--
			q.blocks++
			continue
		}
		victim := s.running[len(s.running)-1]
		s.running = s.running[:len(s.running)-1]
		s.vacate(victim)
		s.waiting = slices.Insert(s.waiting, 0, victim)
		s.preempted++
		if victim == q {
			return false
		}
	}
	return true
}

// vacate takes a sequence's blocks; it must be computed again from its first token.
func (s *schedule) vacate(q *sequence) {
	s.free += q.blocks
	q.blocks, q.cached, q.chunk = 0, 0, 0
}

// finish ends the planned step and returns the sequences that get their next token. The caller counts
// it (next++), retires those that end, and calls sweep. The slice is valid until the next finish.
func (s *schedule) finish() []*sequence {
	s.sampled = s.sampled[:0]
	for _, q := range s.step {
		q.cached += q.chunk
		q.chunk = 0
		if q.need() == 0 {
			s.sampled = append(s.sampled, q)
		}
	}
	s.step = s.step[:0]
	return s.sampled
}

// retire frees what the sequence holds; it leaves the queues at the next sweep.
func (s *schedule) retire(q *sequence) {
	s.vacate(q)
	q.gone = true
}

// sweep takes the retired out of the queues.
func (s *schedule) sweep() {
	isGone := func(q *sequence) bool { return q.gone }
	s.running = slices.DeleteFunc(s.running, isGone)
	s.waiting = slices.DeleteFunc(s.waiting, isGone)
}

// newest is the last admitted sequence; nil when none runs.
func (s *schedule) newest() *sequence {
	if len(s.running) == 0 {
		return nil
	}
	return s.running[len(s.running)-1]
}

// debt is how many tokens of all sequences wait for their prefill.
func (s *schedule) debt() int {
	n := 0
	for _, q := range s.running {
		if !q.decoding() {
			n += q.need()
		}
	}
	for _, q := range s.waiting {
		n += q.need()
	}
	return n
}

// resize changes how many blocks there are, by at most the free ones downwards, and returns the change.
func (s *schedule) resize(blocks int) int {
	change := max(blocks-s.blocks, -s.free)
	s.blocks += change
	s.free += change
	return change
}
