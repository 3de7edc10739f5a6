package sim

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/refserver/gpu"
)

func newSchedule(budget, sequences, blocks int) *schedule {
	return &schedule{maxSequences: sequences, blockTokens: 16, budget: budget, blocks: blocks, free: blocks}
}

// checkPlan computes anew what the plan claims, from the sequences alone.
func checkPlan(t *testing.T, s *schedule, b gpu.Batch) {
	t.Helper()
	var want gpu.Batch
	held := 0
	for _, q := range s.running {
		held += q.blocks
		require.LessOrEqual(t, q.cached+q.chunk, q.blocks*s.blockTokens, "every token has a block")
		require.LessOrEqual(t, q.chunk, q.need())
		if q.chunk == 0 {
			continue
		}
		if q.decoding() {
			want.AddDecode(q.cached)
		} else {
			want.Add(q.chunk, q.cached, q.chunk == q.need())
		}
	}
	for _, q := range s.waiting {
		require.Zero(t, q.blocks)
		require.Zero(t, q.cached)
	}
	require.Equal(t, want, b)
	require.Equal(t, s.blocks, s.free+held, "no block lost or held twice")
	require.LessOrEqual(t, len(s.running), s.maxSequences)
	require.LessOrEqual(t, b.Prefill, max(0, s.budget-b.Decode), "prefill takes what decodes leave")
}

func TestScheduleInvariants(t *testing.T) {
	preempted := 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := newSchedule(64+r.IntN(512), 1+r.IntN(24), 20+r.IntN(60))
		var all []*sequence
		cancelled := 0
		for step := 0; step < 20_000; step++ {
			if len(all) < 60 && r.IntN(3) == 0 {
				q := &sequence{prompt: 1 + r.IntN(200), end: 1 + r.IntN(100)}
				q.next = r.IntN(q.end) // some are resumed
				all = append(all, q)
				s.waiting = append(s.waiting, q)
			}
			if r.IntN(50) == 0 {
				s.budget = 16 + r.IntN(512)
			}
			if q := s.newest(); q != nil && r.IntN(100) == 0 {
				s.retire(q)
				s.sweep()
				cancelled++
			}
			b := s.plan()
			checkPlan(t, s, b)
			checkPlan(t, s, s.plan()) // planning twice changes nothing but preemptions
			if len(all) == 60 && len(s.running)+len(s.waiting) == 0 {
				break
			}
			require.True(t, b.Tokens() > 0 || len(s.waiting)+len(s.running) == 0, "work waits and none is done")
			samples := b.Samples
			got := s.finish()
			require.LessOrEqual(t, len(got), samples)
			for _, q := range got {
				if q.next++; q.next == q.end {
					s.retire(q)
				}
			}
			s.sweep()
		}
		require.Equal(t, s.blocks, s.free, "everything came back")
		done := 0
		for _, q := range all {
			require.LessOrEqual(t, q.next, q.end)
			if q.next == q.end {
				done++
			}
		}
		require.GreaterOrEqual(t, done, len(all)-cancelled, "everybody was served")
		preempted += s.preempted
	}
	assert.Positive(t, preempted, "the test did not reach preemption")
}

func TestDecodesComeFirstAndPrefillIsCut(t *testing.T) {
	s := newSchedule(100, 8, 1000)
	old := &sequence{prompt: 10, end: 50}
	s.waiting = append(s.waiting, old)
	require.Equal(t, 10, s.plan().Prefill)
	require.Equal(t, []*sequence{old}, s.finish())
	old.next++

	long, short := &sequence{prompt: 150, end: 5}, &sequence{prompt: 20, end: 5}
	s.waiting = append(s.waiting, long, short)
	b := s.plan()
	assert.Equal(t, 1, b.Decode)
	assert.Equal(t, 99, b.Prefill, "the budget is decodes and prefill together")
	assert.Equal(t, 1, b.Samples, "an unfinished prefill gets no token")
	assert.Equal(t, 99, long.chunk)
	s.finish()
	old.next++

	b = s.plan()
	assert.Equal(t, 51, long.chunk)
	assert.Equal(t, 20, short.chunk, "what is left of the budget goes to the next in order")
	assert.Equal(t, 3, b.Samples)
	assert.ElementsMatch(t, []*sequence{old, long, short}, s.finish())
}

func TestLastAdmittedIsPreemptedFirstAndComputedAgain(t *testing.T) {
	s := newSchedule(1000, 8, 4) // 64 tokens
	a, b := &sequence{prompt: 31, end: 40}, &sequence{prompt: 31, end: 40}
	s.waiting = append(s.waiting, a, b)
	step := func() []*sequence {
		s.plan()
		got := s.finish()
		for _, q := range got {
			q.next++
		}
		return got
	}
	require.Len(t, step(), 2)
	require.Len(t, step(), 2, "the 32nd token of both still fits")
	require.Equal(t, []*sequence{a}, step())
	assert.Equal(t, 1, s.preempted)
	assert.Equal(t, []*sequence{b}, s.waiting)
	assert.Equal(t, 33, b.need(), "prompt and what it had said")
	s.retire(a)
	s.sweep()
	require.Equal(t, []*sequence{b}, step())
	assert.Equal(t, 3, b.next, "the recomputed one goes on where it was")
}

// A reader that lags stops its own sequence only.
func TestLaggingReaderPausesItself(t *testing.T) {
	s := newSchedule(1000, 8, 1000)
	slow, fast := sequenceOf(t, 100), sequenceOf(t, 100)
	s.waiting = append(s.waiting, slow, fast)
	for range 90 {
		s.plan()
		for _, q := range s.finish() {
			q.stream.push(q.next, false)
			q.next++
		}
		for len(fast.stream.out) > 0 {
			<-fast.stream.out
		}
	}
	assert.Equal(t, 90, fast.next)
	assert.Equal(t, streamRoom, slow.next)
	assert.False(t, slow.room())
	slow.stream.end(engineError("x"))
	assert.Len(t, slow.stream.out, streamRoom+1, "the terminal chunk has a slot of its own")
}

// A preempted sequence is computed again up to its last token, which waits for the reader too.
func TestRecomputeWaitsForALaggingReader(t *testing.T) {
	s := newSchedule(1000, 8, 1000)
	q := sequenceOf(t, 100)
	for q.room() {
		q.stream.push(q.next, false)
		q.next++
	}
	s.waiting = append(s.waiting, q)
	b := s.plan()
	assert.Equal(t, 10+streamRoom-1, b.Prefill)
	assert.Zero(t, b.Samples)
	assert.Empty(t, s.finish())
	assert.Zero(t, s.plan().Tokens(), "paused")
	<-q.stream.out
	assert.Equal(t, 1, s.plan().Decode)
	assert.Len(t, s.finish(), 1)
}

func TestResizeNeverTakesBlocksInUse(t *testing.T) {
	s := newSchedule(1000, 8, 10)
	s.waiting = append(s.waiting, &sequence{prompt: 64, end: 5})
	s.plan()
	assert.Equal(t, -6, s.resize(1))
	assert.Equal(t, 0, s.free)
	assert.Equal(t, 5, s.resize(9))
	assert.Equal(t, 5, s.free)
}
