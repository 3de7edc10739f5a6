package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/faultstest"
	"github.com/brownout-dev/brownout/internal/event"
)

// bench is one agent over a scripted world, inside a synctest bubble.
type bench struct {
	*Agent
	t      *testing.T
	dir    string
	world  *faultstest.World
	driver *faultstest.Scripted
	events *event.Log
	cancel context.CancelFunc
	done   chan error
}

// inBubble runs the test on virtual time with a running agent, and stops it afterwards.
func inBubble(t *testing.T, s faultstest.Script, test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, t.TempDir(), &faultstest.World{}, s)
		b.run()
		test(t, b)
		b.stop()
	})
}

func newBench(t *testing.T, dir string, w *faultstest.World, s faultstest.Script) *bench {
	b := &bench{t: t, dir: dir, world: w, driver: faultstest.NewScripted(w, s), done: make(chan error, 1)}
	clock := event.NewClock()
	b.events = event.NewLog(clock, 1000)
	var err error
	b.Agent, err = New(Config{Drivers: []faults.Driver{b.driver}, Clock: clock, Sink: b.events, Token: "t",
		JournalFile: filepath.Join(dir, "journal.jsonl"), StateDir: filepath.Join(dir, "state")})
	require.NoError(t, err)
	return b
}

func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go func() { b.done <- b.Run(ctx) }()
}

func (b *bench) stop() error {
	b.cancel()
	return <-b.done
}

func (b *bench) inject(line string, lease time.Duration) faults.Held {
	b.t.Helper()
	held, err := b.Inject(b.t.Context(), faults.InjectRequest{Fault: line, Lease: lease, Run: "r1", Actor: "test", Reason: "because"})
	require.NoError(b.t, err)
	return held
}

func (b *bench) get(id string) faults.Held {
	b.t.Helper()
	held, err := b.Get(id)
	require.NoError(b.t, err)
	return held
}

// story is the journal as "step cause" words.
func (b *bench) story(id string) string {
	b.t.Helper()
	entries, err := b.Journal()
	require.NoError(b.t, err)
	var words []string
	for _, e := range entries {
		if e.ID == id {
			words = append(words, strings.TrimSpace(string(e.Step)+" "+string(e.Cause)))
		}
	}
	return strings.Join(words, ", ")
}

func (b *bench) leftovers() int {
	b.t.Helper()
	files, err := filepath.Glob(filepath.Join(b.dir, "state", "f-*"))
	require.NoError(b.t, err)
	return len(files)
}

const oom = "gpu.oom on gpu=n2/g1 for 10s"

func TestLives(t *testing.T) {
	for name, c := range map[string]struct {
		script faultstest.Script
		fault  string
		lease  time.Duration
		// after the injection:
		renew time.Duration // every, 0 = never
		clear time.Duration // ask to clear after, 0 = never
		story string
		on    time.Duration // from armed to cleared
		calls string
	}{
		"the duration ends it": {
			story: "armed, effective, cleared duration", on: 10 * time.Second, calls: "arm prove clear gone"},
		"a clear call ends it": {clear: 4 * time.Second,
			story: "armed, effective, cleared asked", on: 4 * time.Second, calls: "arm prove clear gone"},
		"renewed to the end": {lease: 3 * time.Second, renew: time.Second,
			story: "armed, effective, renewed, cleared duration", on: 10 * time.Second, calls: "arm prove clear gone"},
		"lease lost": {lease: 3 * time.Second,
			story: "armed, effective, expired lease", on: 3 * time.Second, calls: "arm prove clear gone"},
		"a lease longer than the fault": {lease: time.Minute,
			story: "armed, effective, cleared duration", on: 10 * time.Second, calls: "arm prove clear gone"},
		"slow to arm, slow to show": {script: faultstest.Script{ArmTakes: time.Second, ProvenIn: 500 * time.Millisecond}, lease: 3 * time.Second,
			story: "armed, effective, expired lease", on: 4500 * time.Millisecond, calls: "arm prove clear gone"},
		"never seen, and held all the same": {script: faultstest.Script{Unproven: true},
			story: "armed, unproven, cleared duration", on: 10 * time.Second, calls: "arm prove clear gone"},
		"nobody can look": {script: faultstest.Script{ProveFails: true}, clear: 3 * time.Second,
			story: "armed, unproven, cleared asked", on: 3 * time.Second, calls: "arm prove clear gone"},
		"over before it was seen": {script: faultstest.Script{Unproven: true}, fault: "gpu.oom on gpu=n2/g1 for 1s",
			story: "armed, unproven, cleared duration", on: time.Second, calls: "arm prove clear gone"},
		"a ramp gives the proof more time": {script: faultstest.Script{ProvenIn: 5 * time.Second}, fault: oom + " ramp=4s",
			story: "armed, effective, cleared duration", on: 10 * time.Second, calls: "arm prove clear gone"},
		"clearing needs a few calls": {script: faultstest.Script{ClearFails: 10}, clear: 2 * time.Second,
			story: "armed, effective, cleared asked", on: 2200 * time.Millisecond, calls: "arm prove clear gone"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, c.script, func(t *testing.T, b *bench) {
				fault := c.fault
				if fault == "" {
					fault = oom
				}
				held := b.inject(fault, c.lease)
				start := time.Now()
				for c.renew > 0 {
					time.Sleep(c.renew)
					if _, err := b.Renew(t.Context(), held.ID, faults.RenewRequest{Lease: c.lease}); err != nil {
						require.ErrorIs(t, err, faults.ErrEnded)
						break
					}
				}
				if c.clear > 0 {
					time.Sleep(time.Until(start.Add(c.clear - start.Sub(b.cfg.Clock.Wall(held.Armed)))))
					_, err := b.Clear(t.Context(), held.ID)
					require.NoError(t, err)
				}
				time.Sleep(time.Minute)
				end := b.get(held.ID)
				assert.Equal(t, c.story, b.story(held.ID))
				assert.InDelta(t, c.on.Seconds(), end.Cleared.Sub(end.Armed).Seconds(), 0.021)
				assert.Equal(t, c.calls, strings.Join(b.driver.Calls(), " "))
				assert.Equal(t, "no trace", end.Gone)
				assert.Empty(t, b.world.On())
				assert.Zero(t, b.leftovers())
				if strings.Contains(c.story, "effective") {
					assert.Equal(t, "seen", end.Evidence)
					assert.NotZero(t, end.Effective)
				} else {
					assert.Zero(t, end.Effective, "unproven has no effective stamp")
				}
			})
		})
	}
}

func TestJournalAndEventsTellEverything(t *testing.T) {
	inBubble(t, faultstest.Script{ProvenIn: 100 * time.Millisecond}, func(t *testing.T, b *bench) {
		held := b.inject("gpu.oom on node=n2 for 10s seed=9", 3*time.Second)
		assert.Equal(t, faults.StepEffective, held.Step)
		assert.Equal(t, 100*time.Millisecond, held.Effective.Sub(held.Armed))
		assert.Equal(t, 3*time.Second, held.Expires.Sub(held.Effective), "the lease runs from the answer")
		time.Sleep(time.Minute)
		entries, err := b.Journal()
		require.NoError(t, err)
		require.Len(t, entries, 3)
		for _, e := range entries {
			assert.Equal(t, faults.Entry{At: e.At, Step: e.Step, Cause: e.Cause, Evidence: e.Evidence, Clock: b.Clock().Clock, ID: held.ID,
				Fault: "gpu.oom on node=n2 for 10s seed=9", Driver: "scripted", Layer: faults.LayerGPU, Targets: []string{"n2/g0", "n2/g1"},
				Run: "r1", Actor: "test", Reason: "because", Seed: 9}, e)
		}
		end := b.get(held.ID)
		assert.Equal(t, []event.Time{end.Armed, end.Effective, end.Cleared}, []event.Time{entries[0].At, entries[1].At, entries[2].At})
		assert.Equal(t, "no trace", entries[2].Evidence)

		events, _, _ := b.events.Since(0)
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, string(e.Kind)+" "+e.Target)
			assert.Equal(t, "faults", e.Source)
			assert.Equal(t, held.ID, e.Attrs["id"])
			assert.False(t, e.Detection(), "the injector's own words are no detection")
		}
		assert.Equal(t, []string{"fault.armed n2/g0", "fault.armed n2/g1", "fault.effective n2/g0", "fault.effective n2/g1",
			"fault.expired n2/g0", "fault.expired n2/g1"}, kinds)
	})
}

func TestArmGoesWrong(t *testing.T) {
	for name, script := range map[string]faultstest.Script{
		"an error": {ArmFails: true}, "a panic": {ArmPanics: true}, "for ever": {ArmTakes: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, script, func(t *testing.T, b *bench) {
				_, err := b.Inject(t.Context(), faults.InjectRequest{Fault: oom})
				require.ErrorIs(t, err, faults.ErrDriver)
				all := b.List()
				require.Len(t, all, 1)
				assert.Equal(t, "armed, unproven, cleared arm-failed", b.story(all[0].ID))
				assert.NotEmpty(t, all[0].Error)
				assert.Empty(t, b.world.On(), "a half-armed fault is undone")
				assert.Zero(t, b.leftovers())
			})
		})
	}
}

func TestClearFails(t *testing.T) {
	for name, script := range map[string]faultstest.Script{"stays": {Stays: true}, "calls fail": {ClearFails: 1 << 30}, "panics": {Panics: true}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, script, func(t *testing.T, b *bench) {
				held := b.inject(oom, 0)
				end, err := b.Clear(t.Context(), held.ID)
				require.NoError(t, err)
				assert.Equal(t, faults.StepClearFailed, end.Step)
				assert.NotEmpty(t, end.Error)
				assert.Zero(t, end.Cleared)
				assert.Equal(t, 1, b.leftovers(), "the undo state stays for the next holder")
				_, err = b.Renew(t.Context(), held.ID, faults.RenewRequest{Lease: time.Second})
				require.ErrorIs(t, err, faults.ErrEnded)
				_, err = b.Inject(t.Context(), faults.InjectRequest{Fault: oom})
				require.ErrorIs(t, err, faults.ErrConflict, "what may still be on is in the way")

				b.driver.Follow(faultstest.Script{}) // the target comes back
				time.Sleep(time.Minute)
				assert.Equal(t, "armed, effective, clear_failed asked, cleared asked", b.story(held.ID), "the holder tried again by itself")
				assert.Zero(t, b.leftovers())
			})
		})
	}
	t.Run("not for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, t.TempDir(), &faultstest.World{}, faultstest.Script{Stays: true})
			b.run()
			held := b.inject(oom, 0)
			time.Sleep(time.Hour)
			assert.Equal(t, 6, strings.Count(b.story(held.ID), "clear_failed"), "one and five retries")
			err := b.stop()
			require.ErrorContains(t, err, "not proven gone")
			require.ErrorContains(t, err, "n2/g1")
		})
	})
}

func TestRefusals(t *testing.T) {
	inBubble(t, faultstest.Script{}, func(t *testing.T, b *bench) {
		held := b.inject("gpu.oom on gpu=n1/* for 10s", 0)
		for _, row := range []struct {
			req  faults.InjectRequest
			want error
		}{
			{faults.InjectRequest{Fault: "gpu.oom on gpu=n1/g1 for 5s"}, faults.ErrConflict},
			{faults.InjectRequest{Fault: "gpu.oom on gpu=n3/g0 for 5s"}, faults.ErrNoMatch},
			{faults.InjectRequest{Fault: "gpu.oom on gpu=*/* for 5s"}, faults.ErrTooWide},
			{faults.InjectRequest{Fault: oom, Lease: -1}, faults.ErrRequest},
			{faults.InjectRequest{Fault: oom, ProveWithin: time.Hour}, faults.ErrRequest},
		} {
			_, err := b.Inject(t.Context(), row.req)
			require.ErrorIs(t, err, row.want)
		}
		_, err := b.Inject(t.Context(), faults.InjectRequest{Fault: "gpu.oom"})
		require.ErrorContains(t, err, "column")
		targets, err := b.Check(t.Context(), faults.InjectRequest{Fault: "gpu.oom on node=n2 for 5s"})
		require.NoError(t, err)
		assert.Equal(t, []string{"n2/g0", "n2/g1"}, targets)
		assert.Len(t, b.List(), 1, "what is refused leaves no trace")
		assert.Len(t, b.world.On(), 1)

		for _, call := range []func(string) error{
			func(id string) error { _, err := b.Get(id); return err },
			func(id string) error { _, err := b.Clear(t.Context(), id); return err },
			func(id string) error {
				_, err := b.Renew(t.Context(), id, faults.RenewRequest{Lease: time.Second})
				return err
			},
		} {
			require.ErrorIs(t, call("f-000000000000"), faults.ErrUnknown)
		}
		_, err = b.Renew(t.Context(), held.ID, faults.RenewRequest{})
		require.ErrorIs(t, err, faults.ErrRequest)
		again, err := b.Clear(t.Context(), held.ID)
		require.NoError(t, err)
		twice, err := b.Clear(t.Context(), held.ID)
		require.NoError(t, err)
		assert.Equal(t, again, twice, "clearing twice is one clearing")
	})
}

func TestStopAllAndConcurrentClears(t *testing.T) {
	inBubble(t, faultstest.Script{ArmTakes: time.Second}, func(t *testing.T, b *bench) {
		var wg sync.WaitGroup
		for _, gpu := range []string{"n1/g0", "n1/g1", "n2/g0", "n2/g1"} {
			wg.Go(func() { b.inject("gpu.oom on gpu="+gpu+" for 10s", 0) })
		}
		time.Sleep(500 * time.Millisecond) // all are arming
		for range 8 {
			wg.Go(func() { b.StopAll(t.Context()) })
		}
		wg.Wait()
		assert.Empty(t, b.world.On())
		for _, h := range b.List() {
			assert.Equal(t, "armed, unproven, cleared stop-all", b.story(h.ID))
			assert.Equal(t, time.Second, h.Cleared.Sub(h.Armed), "a clear during arming waits for it")
		}
		assert.Empty(t, b.StopAll(t.Context()))
	})
}

// TestCallerHangsUp: who injects and dies before the answer could not renew or clear.
func TestCallerHangsUp(t *testing.T) {
	inBubble(t, faultstest.Script{Unproven: true}, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		held, err := b.Inject(ctx, faults.InjectRequest{Fault: oom})
		require.NoError(t, err)
		assert.Equal(t, "armed, unproven, cleared caller", b.story(held.ID))
		assert.Empty(t, b.world.On())
	})
}

// TestRampAnswersEarly: a long ramp does not keep the caller from learning the id and renewing.
func TestRampAnswersEarly(t *testing.T) {
	inBubble(t, faultstest.Script{ProvenIn: 8 * time.Second}, func(t *testing.T, b *bench) {
		start := time.Now()
		held := b.inject("gpu.oom on gpu=n2/g1 for 20s ramp=10s", 5*time.Second)
		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.Equal(t, faults.StepArmed, held.Step)
		time.Sleep(4 * time.Second)
		_, err := b.Renew(t.Context(), held.ID, faults.RenewRequest{Lease: 5 * time.Second})
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		assert.Equal(t, faults.StepEffective, b.get(held.ID).Step)
		time.Sleep(time.Minute)
		assert.Equal(t, "armed, renewed, effective, expired lease", b.story(held.ID))
	})
}

func TestRunEndClearsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, t.TempDir(), &faultstest.World{}, faultstest.Script{})
		b.run()
		held := b.inject(oom, 0)
		require.NoError(t, b.stop())
		assert.Equal(t, "armed, effective, cleared holder", b.story(held.ID))
		assert.Empty(t, b.world.On())
		_, err := b.Inject(t.Context(), faults.InjectRequest{Fault: oom})
		require.ErrorIs(t, err, faults.ErrStopping)
	})
}

// kill is what SIGKILL leaves: nothing ends properly, the kernel drops the lock.
func (b *bench) kill() {
	b.store.close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.order {
		h.lease = faults.NewLease(b.cfg.Clock.Now(), time.Hour) // the dead do not expire anything
	}
}

func TestRestartClearsLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, dir := &faultstest.World{}, t.TempDir()
		dead := newBench(t, dir, world, faultstest.Script{})
		dead.run()
		held := dead.inject(oom, 0)
		_, err := New(dead.cfg)
		require.ErrorContains(t, err, "another fault holder", "a living holder's faults are not touched")
		dead.kill()
		require.Len(t, world.On(), 1)

		next := newBench(t, dir, world, faultstest.Script{})
		assert.Equal(t, []string{"n2/g1"}, next.get(held.ID).Targets)
		answered := make(chan error, 1)
		go func() {
			_, err := next.Inject(t.Context(), faults.InjectRequest{Fault: oom})
			answered <- err
		}()
		synctest.Wait()
		require.Len(t, world.On(), 1, "injecting waits for the leftovers")
		next.run()
		require.NoError(t, <-answered)
		assert.Equal(t, "armed, effective, cleared leftover", next.story(held.ID))
		assert.NotContains(t, world.On(), held.ID)
		assert.Equal(t, 1, next.leftovers(), "only the new fault's")
		require.NoError(t, next.stop())
		dead.cancel()
		<-dead.done
	})
}

func TestRestartAfterDyingWhileArming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, dir := &faultstest.World{}, t.TempDir()
		dead := newBench(t, dir, world, faultstest.Script{ArmTakes: time.Second, Stays: true})
		dead.run()
		go func() { _, _ = dead.Inject(t.Context(), faults.InjectRequest{Fault: oom}) }()
		time.Sleep(500 * time.Millisecond)
		require.Equal(t, 1, dead.leftovers(), "the intent is on disk before the target is touched")
		dead.store.close()

		time.Sleep(time.Second) // its last call went through
		require.Len(t, world.On(), 1)
		next := newBench(t, dir, world, faultstest.Script{})
		next.run()
		synctest.Wait()
		time.Sleep(time.Second)
		assert.Empty(t, world.On())
		require.NoError(t, next.stop())
		require.Error(t, dead.stop())
	})
}

func TestNewRefuses(t *testing.T) {
	_, err := New(Config{ProveWithin: time.Hour, MaxHeld: -1})
	for _, part := range []string{"no driver", "no journal", "no state", "no token", "ProveWithin", "count"} {
		require.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "\n")
	d := faultstest.NewScripted(&faultstest.World{}, faultstest.Script{})
	dir := t.TempDir()
	cfg := Config{Drivers: []faults.Driver{d, d}, JournalFile: dir + "/j", StateDir: dir + "/s", Token: "t"}
	_, err = New(cfg)
	require.ErrorContains(t, err, "both do gpu.oom")

	cfg.Drivers = cfg.Drivers[:1]
	state := filepath.Join(dir, "s")
	require.NoError(t, os.MkdirAll(state, 0o700))
	for content, want := range map[string]string{
		"{":                                   "is no undo state",
		`{"id":"f-ffffffffffff","fault":"x"}`: "is no undo state",
		`{"id":"f-000000000000","fault":"gpu.frob on gpu=a for 1s"}`:            "does not know",
		fmt.Sprintf(`{"id":"f-000000000000","fault":%q,"driver":"other"}`, oom): "needs the driver other",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(state, "f-000000000000.json"), []byte(content), 0o600))
		_, err = New(cfg)
		require.ErrorContains(t, err, want)
	}
}

func TestMaxHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, t.TempDir(), &faultstest.World{}, faultstest.Script{})
		b.cfg.MaxHeld = 1
		b.run()
		b.inject(oom, 0)
		_, err := b.Inject(t.Context(), faults.InjectRequest{Fault: "gpu.oom on gpu=n1/g0 for 1s"})
		require.ErrorIs(t, err, faults.ErrFull)
		require.NoError(t, b.stop())
	})
}

func TestRemembersABoundedPast(t *testing.T) {
	b := newBench(t, t.TempDir(), &faultstest.World{}, faultstest.Script{})
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range 3 * maxEnded {
		h := newHolding(fmt.Sprint(i), faults.Fault{}, b.driver, nil, faults.InjectRequest{})
		h.ended = i != 0 // the first is still on
		b.remember(h)
	}
	assert.Len(t, b.order, maxEnded+b.cfg.MaxHeld)
	assert.Len(t, b.held, len(b.order))
	assert.Equal(t, "0", b.order[0].id, "what is on is never forgotten")
}
