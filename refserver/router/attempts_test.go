package router

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

func TestRetryBeforeContent(t *testing.T) {
	for _, reason := range []engine.Reason{
		engine.ReasonDead, engine.ReasonOOM, engine.ReasonUnreachable, engine.ReasonUnknown, engine.ReasonMigrate, engine.ReasonOverloaded, engine.ReasonLoading, "new_word",
	} {
		for _, refuse := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				bad, good := enginetest.New(), enginetest.New()
				bad.Otherwise = broken(reason, 0)
				if refuse {
					bad.Otherwise = enginetest.Script{Refuse: bad.Otherwise.Break}
				}
				good.Set(engine.Load{State: engine.Ready, Running: 5}) // the bad one is preferred
				b := newBench(Defaults(), bad, good)
				req := request(8)
				text, finish, err := b.ask(t, req)
				require.Nil(t, err)
				want, wantFinish := enginetest.Answer(req)
				assert.Equal(t, want, text)
				assert.Equal(t, wantFinish, finish)
				word := outcomeOf(&engine.Error{Reason: reason}).String()
				assert.Equal(t, []string{"attempt.failed n1/g0/m " + word, "request.retried n1/g0/m " + word}, b.kinds())
				assert.EqualValues(t, 1, b.Stats().Retries)
				free := reason == engine.ReasonMigrate
				assert.Equal(t, free, b.BudgetLeft() == 3, "only a hand-back is free of the budget")
			})
		}
	}
}

// A stream that breaks twice, in multibyte text, with a stop string across the joint.
func TestResumeIsByteExact(t *testing.T) {
	key := synth.AnswerKey("m", " hello", 0)
	for cut := range 12 {
		for stop := range 14 {
			synctest.Test(t, func(t *testing.T) {
				req := request(16)
				if stop > 0 { // from the middle of one token into the next
					req.Stop = []string{key.Token(stop - 1)[1:] + key.Token(stop)[:2]}
				}
				want, wantFinish := enginetest.Answer(req)
				script := broken(engine.ReasonDead, cut)
				b := newBench(Defaults(), enginetest.Group(3, script, script)...)
				text, finish, err := b.ask(t, req)
				require.Nil(t, err)
				assert.Equal(t, want, text, "cut %d stop %d", cut, stop)
				assert.Equal(t, wantFinish, finish)
				assert.NotEqual(t, uint64(1), b.Stats().Attempts, "it did break")
			})
		}
	}
}

func TestResumesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := []*enginetest.Engine{enginetest.New(), enginetest.New(), enginetest.New(), enginetest.New()}
		for _, x := range e {
			x.Otherwise = broken(engine.ReasonDead, 2)
		}
		b := newBench(Defaults(), e...)
		text, _, err := b.ask(t, request(64))
		require.NotNil(t, err)
		assert.True(t, err.Started)
		assert.Equal(t, Failed, err.Cause)
		want, _ := enginetest.Answer(request(6))
		assert.Equal(t, want, text, "three attempts of two tokens, none lost or repeated")
		assert.EqualValues(t, 2, b.Stats().Resumes)
		assert.EqualValues(t, 0, b.Stats().Retries, "resumes are not retries")
		assert.InDelta(t, 3, b.BudgetLeft(), 0, "and cost no budget")
	})
}

func TestHandBacksAreFreeButBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = broken(engine.ReasonMigrate, 1)
		b := newBench(Defaults(), e, enginetest.New())
		b.engines[1].Otherwise = broken(engine.ReasonMigrate, 1)
		_, _, err := b.ask(t, request(64))
		require.NotNil(t, err, "two engines that hand back for ever")
		assert.Len(t, append(b.engines[0].Calls(), b.engines[1].Calls()...), Defaults().Attempts)
	})
}

func TestPlantedTokenBugs(t *testing.T) {
	t.Run("a skipped token is noticed and mended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := enginetest.New(broken(engine.ReasonDead, 3))
			other := enginetest.New(enginetest.Script{Skip: 1})
			other.Set(engine.Load{State: engine.Ready, Running: 9})
			b := newBench(Defaults(), e, other)
			text, _, err := b.ask(t, request(8))
			require.Nil(t, err)
			want, _ := enginetest.Answer(request(8))
			assert.Equal(t, want, text)
			assert.Equal(t, 1, b.counts.ended["bad_protocol"])
		})
	})
	t.Run("a repeated token goes no further", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, other := enginetest.New(broken(engine.ReasonDead, 3)), enginetest.New(enginetest.Script{Repeat: 3})
			other.Set(engine.Load{State: engine.Ready, Running: 9})
			b := newBench(Defaults(), e, other)
			call := b.Open(t.Context(), request(8))
			defer call.Close()
			seen := 0
			for {
				chunk, err := call.Next(nil)
				if err != nil || chunk.Finish != "" {
					break
				}
				assert.Equal(t, seen, chunk.Index)
				seen += chunk.Tokens
			}
			assert.GreaterOrEqual(t, seen, 3)
		})
	})
}

// The old attempt goes on talking after it was given up for silence: nothing of it may get through.
func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := enginetest.New(enginetest.Script{Wait: 11 * time.Second})
		good := enginetest.New(enginetest.Script{Wait: 2 * time.Second, Gap: 100 * time.Millisecond})
		good.Set(engine.Load{State: engine.Ready, Running: 9})
		b := newBench(Defaults(), slow, good)
		start := time.Now()
		text, _, err := b.ask(t, request(8))
		require.Nil(t, err)
		want, _ := enginetest.Answer(request(8))
		assert.Equal(t, want, text)
		assert.Equal(t, 12*time.Second+800*time.Millisecond, time.Since(start))
		assert.Equal(t, 1, b.counts.ended["timeout_first_token"])
		slow.Wait() // it was cancelled, too
	})
}

func TestTimeouts(t *testing.T) {
	cfg := Defaults()
	for name, tc := range map[string]struct {
		script  enginetest.Script
		after   time.Duration
		outcome string
		started bool
	}{
		"first token": {enginetest.Script{Hang: true}, cfg.FirstToken, "timeout_first_token", false},
		"idle":        {enginetest.Script{Hang: true, Tokens: 3}, cfg.Idle, "timeout_idle", true},
		"total":       {enginetest.Script{Gap: cfg.Idle - time.Second}, cfg.Total, "timeout_total", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := cfg
				cfg.Resilient = false // one attempt, so that the limit shows alone
				b := newBench(cfg, enginetest.New(tc.script))
				start := time.Now()
				_, _, err := b.ask(t, request(1000))
				require.NotNil(t, err)
				assert.Equal(t, Timeout, err.Cause)
				assert.Equal(t, tc.started, err.Started)
				assert.Equal(t, tc.after, time.Since(start))
				assert.Equal(t, map[string]int{tc.outcome: 1}, b.counts.ended)
			})
		})
	}
}

func TestClientGoneCountsAsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Hang: true}
		b := newBench(Defaults(), e)
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			call := b.Open(ctx, request(8))
			_, _, err := collect(call)
			var re *Error
			require.ErrorAs(t, err, &re)
			assert.Equal(t, ClientGone, re.Cause)
			call.Close()
			cancel()
		}
		e.Wait()
		assert.Empty(t, *b.opened, "no breaker moved")
		assert.Empty(t, b.kinds(), "and nothing looks like a detection")
		assert.Equal(t, 20, b.counts.ended["client_cancel"])
	})
}

func TestPoisonEndsAtTwoEngines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var engines []*enginetest.Engine
		for range 4 {
			e := enginetest.New()
			e.Otherwise = enginetest.Script{Tokens: 1, Break: &engine.Error{Reason: engine.ReasonDead, Killed: true}}
			engines = append(engines, e)
		}
		b := newBench(Defaults(), engines...)
		_, _, err := b.ask(t, request(8))
		require.NotNil(t, err)
		assert.Equal(t, Poisoned, err.Cause)
		calls := func() (n int) {
			for _, e := range engines {
				n += len(e.Calls())
			}
			return n
		}
		assert.Equal(t, 2, calls())
		_, _, err = b.ask(t, request(8))
		assert.Equal(t, Poisoned, err.Cause)
		assert.Equal(t, 2, calls(), "refused at once while quarantined")
		other := request(8)
		other.Prompt = " innocent"
		_, _, _ = b.ask(t, other)
		assert.Equal(t, 4, calls(), "another prompt is tried")
		time.Sleep(Defaults().PoisonFor)
		_, _, _ = b.ask(t, request(8))
		assert.Equal(t, 6, calls(), "and the first one again when the quarantine is over")
		assert.EqualValues(t, 3, b.Stats().Poisoned)
	})
}
