package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// Requests, cancellations, restarts and hogs at random: every stream ends exactly once, says a prefix
// of its own answer, and in the end every slot, block and byte has come back.
func TestRandomLife(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			r := newRig(t, func(c *Config) {
				c.Graceful = seed%2 == 0
				c.MaxSequences = 8 + rnd.IntN(60)
				c.MaxWaiting = 2000
				c.Reload = time.Second
			}).up()
			type asked struct {
				req       engine.Request
				heard     *heard
				cancelled bool
			}
			var wg sync.WaitGroup
			var all []asked
			refused := 0
			for i := range 800 {
				time.Sleep(time.Duration(rnd.ExpFloat64() * float64(30*time.Millisecond)))
				if rnd.IntN(150) == 0 {
					r.engine.Restart()
				}
				if rnd.IntN(60) == 0 {
					_, _, err := r.device.Hold(r.clock.Now(), admin.HoldRequest{ID: "hog", Share: 0.98 + 0.02*rnd.Float64(), TTL: time.Hour})
					require.NoError(t, err)
				}
				if rnd.IntN(30) == 0 {
					r.unhog()
				}
				req := request(fmt.Sprint(i), 1+rnd.IntN(3000), 1+rnd.IntN(200))
				key := synth.AnswerKey(req.Model, req.Prompt, 0)
				if rnd.IntN(3) == 0 {
					req.ResumeAt = rnd.IntN(req.MaxTokens)
					req.Sent = key.Text(0, req.ResumeAt)
				}
				if rnd.IntN(4) == 0 {
					req.Stop = []string{key.Text(req.MaxTokens/2, req.MaxTokens/2+2)}
				}
				synctest.Wait() // the engine has done what belongs to this instant
				if r.engine.Load().State != engine.Ready {
					_, err := r.engine.Generate(t.Context(), req)
					require.Error(t, err)
					refused++
					continue
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				a := asked{req: req, heard: r.ask(ctx, &wg, req), cancelled: rnd.IntN(5) == 0}
				if a.cancelled {
					time.AfterFunc(time.Duration(rnd.IntN(500))*time.Millisecond, cancel)
				}
				all = append(all, a)
			}
			wg.Wait()
			ends := map[string]int{"refused": refused}
			for _, a := range all {
				h := a.heard
				key := synth.AnswerKey(a.req.Model, a.req.Prompt, 0)
				require.True(t, strings.HasPrefix(key.Text(a.req.ResumeAt, a.req.MaxTokens), h.text), a.req.ID)
				switch {
				case h.err != nil:
					ends[string(h.err.Reason)]++
				case h.finish == engine.FinishLength:
					require.Equal(t, a.req.MaxTokens-a.req.ResumeAt, h.tokens)
					ends["length"]++
				case h.finish == engine.FinishStop:
					require.NotEmpty(t, a.req.Stop)
					ends["stop"]++
				default:
					require.True(t, a.cancelled, "%s ended without a word", a.req.ID)
					ends["cancelled"]++
				}
			}
			t.Log(ends)
			synctest.Wait()
			load := r.engine.Load()
			require.Zero(t, load.Running+load.Waiting+load.TokenDebt)
			require.Zero(t, load.KVUsage)
			r.unhog()
			r.down()
			require.Zero(t, r.device.State(r.clock.Now()).Used)
		})
	}
}
