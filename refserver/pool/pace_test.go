package pool

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Unix(1_000_000, 0)

// paced is a replica that a stream read n tokens of, gap apart, until noon.
func paced(gap time.Duration, n int) *Pace {
	p := &Pace{}
	p.Began(noon.Add(-time.Duration(n) * gap))
	for i := range n {
		p.Heard(noon.Add(-time.Duration(n-1-i)*gap), gap, 1)
	}
	return p
}

func TestPaceFollowsTheTokens(t *testing.T) {
	var p Pace
	assert.Zero(t, p.Read(noon), "nothing heard, nothing known")
	p.Began(noon)
	p.Heard(noon, 0, 1)
	assert.Zero(t, p.Read(noon).Seconds, "a first token tells of the prompt")
	p.Heard(noon, 40*time.Millisecond, 4)
	assert.InDelta(t, 0.010, p.Read(noon).Seconds, 1e-9, "four tokens in one chunk")
	now := noon
	steps := func(n int, gap time.Duration) {
		for range n {
			now = now.Add(gap)
			for range 20 { // a batch
				p.Heard(now, gap, 1)
			}
		}
	}
	steps(100, 10*time.Millisecond)
	steps(1, 80*time.Millisecond)
	assert.Less(t, p.Read(now).Seconds, 0.014, "one long step")
	steps(10, 80*time.Millisecond)
	assert.Greater(t, p.Read(now).Seconds, 0.060, "some of them")
	now = now.Add(time.Hour)
	assert.Greater(t, p.Read(now).Seconds, 0.060, "what was known stays known")
	steps(60, 10*time.Millisecond)
	assert.InDelta(t, 0.010, p.Read(now).Seconds, 0.002)
}

func TestOneLongGapShows(t *testing.T) {
	a, b := paced(10*time.Millisecond, 50), paced(10*time.Millisecond, 50)
	slower := func(now time.Time) float64 { return a.Read(now).Slower(b.Read(now)) }
	b.Heard(noon.Add(40*time.Millisecond), 10*time.Millisecond, 1)
	assert.InDelta(t, 1, slower(noon.Add(40*time.Millisecond)), 0, "four usual gaps are nothing")
	assert.InDelta(t, 1, slower(noon.Add(2*time.Second)), 0, "neither said a word")
	b.Heard(noon.Add(2*time.Second), 10*time.Millisecond, 1)
	assert.InDelta(t, 50, slower(noon.Add(2*time.Second)), 1, "two seconds without a word, and the other one speaks")
	a.Heard(noon.Add(4*time.Second), 4*time.Second, 1)
	b.Heard(noon.Add(4*time.Second), 10*time.Millisecond, 1)
	assert.Greater(t, slower(noon.Add(4*time.Second)), 50.0, "it spoke again: the gap it had still counts")
	a.Ended()
	a.Began(noon.Add(time.Hour))
	c := paced(10*time.Millisecond, 50)
	c.Ended()
	assert.Zero(t, c.Read(noon.Add(time.Hour)).Quiet, "nobody waits: silence is right")
	c.Began(noon.Add(time.Hour))
	assert.Equal(t, 10*time.Millisecond, c.Read(noon.Add(time.Hour)).Quiet, "the wait begins with the first who waits")
	assert.Equal(t, 1, c.Waiting())
}

func TestSlower(t *testing.T) {
	fast, slow := paced(10*time.Millisecond, 50), paced(80*time.Millisecond, 50)
	slow.Ended()
	for after, want := range map[time.Duration]float64{0: 8, paceHalf: 4.5, 2 * paceHalf: 2.75, 10 * paceHalf: 1} {
		now := noon.Add(after)
		fast.Heard(now, 10*time.Millisecond, 1)
		assert.InDelta(t, want, slow.Read(now).Slower(fast.Read(now)), 1e-6, "%v: what nobody measures is forgotten", after)
		assert.InDelta(t, 1/want, fast.Read(now).Slower(slow.Read(now)), 1e-6, "the other way round")
	}
	var unknown Pace
	assert.InDelta(t, 1, unknown.Read(noon).Slower(fast.Read(noon)), 0)
	assert.InDelta(t, 1, fast.Read(noon).Slower(unknown.Read(noon)), 0)
	assert.InDelta(t, 1, paced(12*time.Millisecond, 50).Read(noon).Slower(paced(10*time.Millisecond, 50).Read(noon)), 0, "noise is no difference")
}

func BenchmarkPaceHeard(b *testing.B) {
	var p Pace
	p.Began(noon)
	for b.Loop() {
		p.Heard(noon, 10*time.Millisecond, 1)
	}
}
