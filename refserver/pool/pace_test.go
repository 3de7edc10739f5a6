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
	assert.Zero(t, p.Read(noon).Seconds, "nothing heard, nothing known")
	p.Began(noon)
	p.Heard(noon, 0, 1)
	assert.Zero(t, p.Read(noon).Seconds, "a first token tells of the prompt")
	p.Heard(noon, 40*time.Millisecond, 4)
	assert.InDelta(t, 0.010, p.Read(noon).Seconds, 1e-9, "four tokens in one chunk")
	for range 20 { // one step of a batch of twenty, eight times as slow
		p.Heard(noon, 80*time.Millisecond, 1)
	}
	assert.Greater(t, p.Read(noon).Seconds, 0.055, "one step tells most of it")
	for range 100 {
		p.Heard(noon, 10*time.Millisecond, 1)
	}
	assert.InDelta(t, 0.010, p.Read(noon).Seconds, 0.001)
}

func TestPaceHearsSilence(t *testing.T) {
	p := paced(10*time.Millisecond, 50)
	assert.InDelta(t, 0.010, p.Read(noon.Add(40*time.Millisecond)).Seconds, 1e-3, "four usual gaps are nothing")
	r := p.Read(noon.Add(2 * time.Second))
	assert.InDelta(t, 0.5, r.Seconds, 1e-9, "two seconds without a word")
	assert.Zero(t, r.Age, "and that is news")
	p.Ended()
	assert.InDelta(t, 0.010, p.Read(noon.Add(2*time.Second)).Seconds, 1e-3, "nobody waits: silence is right")
	p.Began(noon.Add(time.Hour))
	assert.InDelta(t, 0.010, p.Read(noon.Add(time.Hour)).Seconds, 1e-3, "the wait begins with the first who waits")
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
