package remote

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/node"
)

// process is a process that lives until it is told not to.
type process struct {
	pid  int
	load time.Duration
	done chan struct{}
	end  sync.Once
	how  string
}

func (p *process) Address() string       { return "127.0.0.1:7001" }
func (p *process) PID() int              { return p.pid }
func (p *process) Done() <-chan struct{} { return p.done }
func (p *process) Kill()                 { p.finish("killed") }
func (p *process) Stop()                 { p.finish("stopped") }
func (p *process) finish(how string)     { p.end.Do(func() { p.how = how; close(p.done) }) }

// shop launches processes and remembers them.
type shop struct {
	mu     sync.Mutex
	made   []*process
	at     []time.Time
	slow   time.Duration
	broken bool
}

func (s *shop) launch(_ context.Context, _ string, load time.Duration) (Process, error) {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, time.Now())
	if s.broken {
		return nil, errors.New("no such binary")
	}
	p := &process{pid: 100 + len(s.made), load: load, done: make(chan struct{})}
	s.made = append(s.made, p)
	return p, nil
}

func (s *shop) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.made)
}

func keeping(t *testing.T, s *shop) (*keeper, *event.Log, func()) {
	clock := event.NewClock()
	log := event.NewLog(clock, 100)
	k := newKeeper("n2", node.Config{FirstLoad: time.Second, Reload: 8 * time.Second},
		Deps{Events: log, Clock: clock, Log: slog.New(slog.DiscardHandler), Launch: s.launch}, func(string) {})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { k.run(ctx) })
	synctest.Wait()
	return k, log, func() { cancel(); wg.Wait() }
}

func TestKilledProcessStaysDownUntilRevived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		k, _, end := keeping(t, s)
		require.Equal(t, 1, s.count())
		assert.Equal(t, time.Second, s.made[0].load)
		_, err := k.kill(admin.KillRequest{ID: "f", TTL: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, "killed", s.made[0].how, "it is gone when kill returns")
		assert.Equal(t, 100, k.life().PID, "the proof needs to know who is gone")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		assert.Equal(t, 1, s.count(), "held down")
		assert.True(t, k.revive("f").Gone)
		synctest.Wait()
		require.Equal(t, 2, s.count(), "at once: the time of a restart is the load of its engines")
		assert.Equal(t, 8*time.Second, s.made[1].load)
		assert.True(t, k.revive("f").Gone, "idempotent")
		end()
		assert.Equal(t, "stopped", s.made[1].how)
	})
}

func TestOutageOfAProcessExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		k, log, end := keeping(t, s)
		defer end()
		_, err := k.kill(admin.KillRequest{ID: "f", TTL: 5 * time.Second})
		require.NoError(t, err)
		time.Sleep(4900 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, 1, s.count())
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, 2, s.count())
		events, _, _ := log.Since(0)
		assert.Equal(t, event.NodePermitted, events[1].Kind)
		assert.Equal(t, "expired", events[1].Reason)
	})
}

// A kill that finds a start under way waits for it and ends it: nothing slips through.
func TestKillWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{slow: time.Second}
		k, _, end := keeping(t, s)
		defer end()
		_, err := k.kill(admin.KillRequest{ID: "f", TTL: time.Minute})
		require.NoError(t, err)
		require.Equal(t, 1, s.count())
		assert.Equal(t, "killed", s.made[0].how)
	})
}

func TestCrashIsRestartedAndCrashLoopIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		_, _, end := keeping(t, s)
		time.Sleep(time.Minute)
		s.made[0].finish("crashed")
		synctest.Wait()
		require.Equal(t, 2, s.count(), "it had lived: at once")
		s.mu.Lock()
		s.broken = true
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		s.made[1].finish("crashed")
		time.Sleep(time.Minute)
		s.mu.Lock()
		starts := len(s.at)
		s.mu.Unlock()
		assert.Less(t, starts, 40)
		assert.Greater(t, starts, 10)
		end()
	})
}

func TestBadKillOfAProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _, end := keeping(t, &shop{})
		defer end()
		_, err := k.kill(admin.KillRequest{})
		require.ErrorIs(t, err, node.ErrBadRequest)
	})
}
