package pool

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/refserver/engine"
)

type fakeEngine struct{ state engine.State }

func (f *fakeEngine) Generate(context.Context, engine.Request) (*engine.Stream, error) {
	return nil, &engine.Error{Reason: engine.ReasonDead}
}
func (f *fakeEngine) Load() engine.Load { return engine.Load{State: f.state} }

type fakeGate struct{ opens time.Time }

func (g *fakeGate) Allow(time.Duration) (func(error) bool, bool) { return nil, false }
func (g *fakeGate) Permits(now time.Time) bool                   { return !now.Before(g.opens) }
func (g *fakeGate) Reopens(now time.Time) time.Duration          { return max(0, g.opens.Sub(now)) }
func (g *fakeGate) Recovered() time.Time                         { return time.Time{} }
func (g *fakeGate) State() string                                { return "closed" }

func newPool(n int) (*Pool, []*fakeEngine, []*fakeGate) {
	var replicas []Replica
	var engines []*fakeEngine
	var gates []*fakeGate
	for i := range n {
		e, g := &fakeEngine{state: engine.Ready}, &fakeGate{}
		engines, gates = append(engines, e), append(gates, g)
		replicas = append(replicas, Replica{ID: string(rune('a' + i)), Model: "m", Engine: e, Gate: g})
	}
	return New(Config{Reload: 8 * time.Second, Ejection: DefaultEjection()}, replicas), engines, gates
}

func ids(p *Pool, now time.Time) (out string) {
	for _, c := range p.Candidates(nil, "m", now) {
		out += c.ID
	}
	return out
}

var t0 = time.Unix(1000, 0)

func TestCandidates(t *testing.T) {
	p, engines, gates := newPool(4)
	assert.Equal(t, "abcd", ids(p, t0))
	engines[0].state = engine.Loading
	gates[1].opens = t0.Add(5 * time.Second)
	assert.Equal(t, "cd", ids(p, t0))
	assert.Equal(t, "bcd", ids(p, t0.Add(5*time.Second)))
	assert.Empty(t, p.Candidates(nil, "unknown", t0))
	assert.True(t, p.Ready())
	for _, e := range engines {
		e.state = engine.Dead
	}
	assert.False(t, p.Ready())
}

func TestRetryAfterIsMeasured(t *testing.T) {
	p, engines, gates := newPool(2)
	assert.Equal(t, time.Second, p.RetryAfter("m", t0), "never less")
	for i := range engines {
		engines[i].state = engine.Loading
	}
	assert.Equal(t, 8*time.Second, p.RetryAfter("m", t0))
	assert.Equal(t, 2*time.Second, p.RetryAfter("m", t0.Add(6*time.Second)))
	engines[0].state = engine.Ready
	gates[0].opens = t0.Add(10 * time.Second)
	assert.Equal(t, 2*time.Second, p.RetryAfter("m", t0.Add(6*time.Second)), "the nearest of both")
	assert.Equal(t, time.Second, p.RetryAfter("unknown", t0))
}

func TestEjection(t *testing.T) {
	p, _, _ := newPool(4)
	a, b, c := p.members[0], p.members[1], p.members[2]
	for i := range 5 {
		assert.Equal(t, i == 4, p.Broke(a, t0), "the fifth in a row")
	}
	assert.Equal(t, "bcd", ids(p, t0))
	assert.Equal(t, "abcd", ids(p, t0.Add(5*time.Second)), "back after its time")

	for range 4 {
		p.Broke(b, t0)
	}
	p.Completed(b)
	for i := range 5 {
		assert.Equal(t, i == 4, p.Broke(b, t0), "a whole answer ended the row")
	}
	for range 20 {
		assert.False(t, p.Broke(c, t0), "half of the pool is out already")
	}
	assert.Equal(t, "cd", ids(p, t0))
	assert.EqualValues(t, 1, b.ServedTotal())
}

func TestPanicIgnoresEjections(t *testing.T) {
	p, engines, _ := newPool(4)
	for range 5 {
		p.Broke(p.members[0], t0)
	}
	engines[1].state, engines[2].state = engine.Dead, engine.Dead
	assert.Equal(t, "ad", ids(p, t0), "one of four is too few: better a doubtful one too")
}

func TestEjectionOff(t *testing.T) {
	for _, off := range []func(*Ejection){func(e *Ejection) { e.Breaks = 0 }, func(e *Ejection) { e.Enabled = false }} {
		p, _, _ := newPool(2)
		off(&p.cfg.Ejection)
		for range 50 {
			assert.False(t, p.Broke(p.members[0], t0))
		}
	}
}

func TestEjectionValidates(t *testing.T) {
	n := 0
	Ejection{Breaks: -1, MaxShare: 1, Panic: 2}.Validate(func(string, string, string) { n++ })
	assert.Equal(t, 4, n)
	DefaultEjection().Validate(func(key, what, _ string) { assert.Fail(t, key, what) })
}
