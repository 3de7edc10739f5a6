package openai

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

// crowd sends n requests at once, each of which an engine holds for a second, and returns their
// statuses and when the last one ended.
func crowd(t *testing.T, workers, backlog, n int) (codes map[int]int, retryAfter string, took time.Duration) {
	codes = map[int]int{}
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Wait: time.Second}
		cfg := Defaults()
		cfg.Workers, cfg.Backlog = workers, backlog
		h := newHandler(cfg, e)
		began := time.Now()
		var mu sync.Mutex
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				w := post(h, hello+`}`)
				mu.Lock()
				defer mu.Unlock()
				codes[w.Code]++
				if w.Code == http.StatusServiceUnavailable {
					retryAfter = w.Header().Get("Retry-After")
					assert.Contains(t, w.Body.String(), "backlog is full")
				}
			})
			synctest.Wait()
		}
		all.Wait()
		took = time.Since(began)
		assert.Zero(t, h.InFlight())
	})
	return codes, retryAfter, took
}

func TestWorkers(t *testing.T) {
	codes, _, took := crowd(t, 0, 0, 8)
	assert.Equal(t, map[int]int{200: 8}, codes)
	assert.Equal(t, time.Second, took, "no bound: all at once")

	codes, _, took = crowd(t, 2, 100, 8)
	assert.Equal(t, map[int]int{200: 8}, codes)
	assert.Equal(t, 4*time.Second, took, "two at a time")

	codes, retryAfter, took := crowd(t, 2, 3, 8)
	assert.Equal(t, map[int]int{200: 5, 503: 3}, codes, "two inside, three wait")
	assert.Equal(t, "1", retryAfter)
	assert.Equal(t, 3*time.Second, took)
}

func TestWorkersAreFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkers(1, 100)
		give, err := w.take(t.Context())
		require.NoError(t, err)
		var order []int
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				give, err := w.take(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i) // one worker: one at a time
				time.Sleep(10 * time.Second)
				give()
			})
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		give()
		synctest.Wait()
		assert.Equal(t, 190*time.Second, w.clears(), "nineteen wait, ten seconds each")
		all.Wait()
		assert.IsIncreasing(t, order)
		assert.Len(t, order, 20)
	})
}

// Whoever waits and leaves takes no worker with it, and a drain that is cut short ends the wait.
func TestWaitingForAWorkerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		e.Otherwise = enginetest.Script{Wait: time.Hour}
		cfg := Defaults()
		cfg.Workers = 1
		h := newHandler(cfg, e)
		ask := func(ctx context.Context) <-chan *httptest.ResponseRecorder {
			done := make(chan *httptest.ResponseRecorder, 1)
			go func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/chat/completions", strings.NewReader(hello+`}`)))
				done <- w
			}()
			synctest.Wait()
			return done
		}
		first := ask(t.Context())
		ctx, leave := context.WithCancelCause(t.Context())
		second := ask(ctx)
		third := ask(t.Context())
		leave(errors.New("enough"))
		<-second
		assert.Equal(t, 2, h.InFlight())
		cut, now := context.WithCancel(t.Context())
		now()
		assert.Equal(t, 2, h.Drain(cut))
		<-first
		w := <-third
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Contains(t, w.Body.String(), "shutting down")
		assert.Empty(t, h.workers.slots)
	})
}
