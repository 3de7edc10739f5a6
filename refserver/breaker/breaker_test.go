package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errBad = errors.New("planted")

func recorder() (func(Transition), func() []string) {
	var mu sync.Mutex
	seen := []string{}
	return func(t Transition) {
			mu.Lock()
			seen = append(seen, t.From+">"+t.To+" "+t.Reason)
			mu.Unlock()
		}, func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string{}, seen...)
		}
}

func allow(t *testing.T, b *Breaker) func(error) bool {
	t.Helper()
	settle, ok := b.Allow(time.Second)
	require.True(t, ok)
	return settle
}

func TestConsecutiveFailuresOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		note, seen := recorder()
		b := New(Defaults(), note)
		for range 5 {
			assert.True(t, b.Permits(time.Now()))
			assert.True(t, allow(t, b)(errBad))
		}
		assert.Equal(t, []string{"closed>open consecutive"}, seen())
		_, ok := b.Allow(time.Second)
		assert.False(t, ok)
		assert.False(t, b.Permits(time.Now()))
		assert.InDelta(t, 5, b.Reopens(time.Now()).Seconds(), 0.001)
		assert.True(t, b.Recovered().IsZero())

		time.Sleep(5*time.Second + 1)
		assert.True(t, b.Permits(time.Now()))
		for range 3 {
			allow(t, b)(nil)
		}
		assert.Equal(t, []string{"closed>open consecutive", "open>half-open open_over", "half-open>closed probes_ok"}, seen())
		assert.Equal(t, time.Now().UnixNano(), b.Recovered().UnixNano())
		assert.Equal(t, "closed", b.State())
	})
}

func TestRatioOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		note, seen := recorder()
		b := New(Defaults(), note)
		for i := range 12 { // good and bad in turn: never five in a row
			var err error
			if i%2 == 1 {
				err = errBad
			}
			if settle, ok := b.Allow(time.Second); ok {
				settle(err)
			}
		}
		assert.Equal(t, []string{"closed>open failure_ratio"}, seen())
	})
}

func TestFailedProbeOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		note, seen := recorder()
		b := New(Defaults(), note)
		for range 5 {
			allow(t, b)(errBad)
		}
		time.Sleep(6 * time.Second)
		allow(t, b)(errBad)
		assert.Equal(t, "half-open>open probe_failed", seen()[2])
	})
}

func TestCancelCountsAsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Defaults(), nil)
		for range 4 {
			allow(t, b)(errBad)
		}
		for range 100 {
			allow(t, b)(fmt.Errorf("wrapped: %w", context.Canceled))
		}
		assert.Equal(t, "closed", b.State())
		allow(t, b)(errBad)
		assert.Equal(t, "open", b.State(), "the cancels did not interrupt the row either")
	})
}

// Trap 1: gobreaker does not count a result that comes after its rolling window. The control shows
// the trap in gobreaker itself; our deadline settles before.
func TestTrapResultAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		raw := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Interval: 10 * time.Second, BucketPeriod: time.Second,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 5 },
		})
		var dones []func(error)
		for range 5 {
			done, err := raw.Allow()
			require.NoError(t, err)
			dones = append(dones, done)
		}
		time.Sleep(11 * time.Second)
		_, _ = raw.Allow()
		for _, done := range dones {
			done(errBad)
		}
		require.Equal(t, gobreaker.StateClosed, raw.State(), "the trap: five failures, none counted")

		b := New(Defaults(), nil)
		var settles []func(error) bool
		for range 5 {
			settle, ok := b.Allow(time.Hour)
			require.True(t, ok)
			settles = append(settles, settle)
		}
		time.Sleep(11 * time.Second)
		for _, settle := range settles {
			assert.False(t, settle(errBad), "the deadline was first")
		}
		assert.NotEqual(t, "closed", b.State())
	})
}

// Trap 2: a half-open permit that is never returned blocks the breaker for ever.
func TestTrapProbeNeverReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		note, seen := recorder()
		b := New(Defaults(), note)
		for range 5 {
			allow(t, b)(errBad)
		}
		time.Sleep(6 * time.Second)
		for range 3 {
			_ = allow(t, b) // lost
		}
		_, ok := b.Allow(time.Second)
		assert.False(t, ok, "the probes are taken")
		time.Sleep(2 * time.Second)
		assert.Equal(t, "half-open>open probe_failed", seen()[2], "the deadline returned them, as failures")
		time.Sleep(6 * time.Second)
		for range 3 {
			allow(t, b)(nil)
		}
		assert.Equal(t, "closed", b.State())
	})
}

// Trap 3: a result given twice counts twice.
func TestTrapSettledTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Defaults(), nil)
		settle := allow(t, b)
		assert.True(t, settle(errBad))
		for range 20 {
			assert.False(t, settle(errBad))
		}
		assert.Equal(t, "closed", b.State())
		assert.EqualValues(t, 1, b.cb.Counts().TotalFailures)
	})
}

// Called under gobreaker's lock, this notify would deadlock.
func TestNotifyMayCallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *Breaker
		var states []string
		b = New(Defaults(), func(Transition) { states = append(states, b.State()) })
		for range 5 {
			allow(t, b)(errBad)
		}
		assert.Equal(t, []string{"open"}, states)
	})
}

func TestConcurrentSettlesDeliverInOrder(t *testing.T) {
	note, seen := recorder()
	cfg := Defaults()
	cfg.Open = 10 * time.Millisecond
	b := New(cfg, note)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2000 {
				if settle, ok := b.Allow(time.Second); ok {
					settle([]error{nil, errBad, context.Canceled}[i%3])
					settle(nil)
				}
			}
		})
	}
	wg.Wait()
	last := "closed"
	for _, s := range seen() {
		assert.Equal(t, last, s[:len(last)], s)
		_, rest, _ := cut(s)
		last = rest
	}
}

func cut(s string) (from, to, reason string) {
	for i := range s {
		if s[i] == '>' {
			from, s = s[:i], s[i+1:]
			break
		}
	}
	for i := range s {
		if s[i] == ' ' {
			return from, s[:i], s[i+1:]
		}
	}
	return from, s, ""
}

func TestConfigValidates(t *testing.T) {
	keys := func(c Config) (out []string) {
		c.Validate(func(key, _, _ string) { out = append(out, key) })
		return out
	}
	assert.Empty(t, keys(Defaults()))
	assert.ElementsMatch(t, []string{"failure_ratio", "window", "open", "min_requests", "consecutive", "probes"}, keys(Config{}))
}

func BenchmarkPermit(b *testing.B) {
	br := New(Defaults(), nil)
	b.ReportAllocs()
	for b.Loop() {
		settle, _ := br.Allow(time.Second)
		settle(nil)
	}
}
