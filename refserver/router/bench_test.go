package router

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/breaker"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router/enginetest"
)

type counts struct {
	mu                      sync.Mutex
	ended, retried, resumed map[string]int
	denied, poisoned        int
}

func newCounts() *counts {
	return &counts{ended: map[string]int{}, retried: map[string]int{}, resumed: map[string]int{}}
}

func (c *counts) add(m map[string]int, word string) {
	c.mu.Lock()
	m[word]++
	c.mu.Unlock()
}
func (c *counts) AttemptEnded(o string) { c.add(c.ended, o) }
func (c *counts) Retried(o string)      { c.add(c.retried, o) }
func (c *counts) Resumed(o string)      { c.add(c.resumed, o) }
func (c *counts) BudgetDenied()         { c.mu.Lock(); c.denied++; c.mu.Unlock() }
func (c *counts) Poisoned()             { c.mu.Lock(); c.poisoned++; c.mu.Unlock() }

type bench struct {
	*Router
	engines []*enginetest.Engine
	events  *event.Log
	counts  *counts
	pool    *pool.Pool
	opened  *[]string
}

func newBench(cfg Config, engines ...*enginetest.Engine) *bench {
	log, counts := event.NewLog(event.NewClock(), 4096), newCounts()
	var replicas []pool.Replica
	var mu sync.Mutex
	opened := []string{}
	for i, e := range engines {
		id := fmt.Sprintf("n%d/g0/m", i+1)
		r := pool.Replica{ID: id, Node: fmt.Sprintf("n%d", i+1), Device: id[:len(id)-2], Model: "m", Engine: e}
		if cfg.Resilient {
			r.Gate = breaker.New(breaker.Defaults(), func(t breaker.Transition) {
				mu.Lock()
				opened = append(opened, id+" "+t.To+" "+t.Reason)
				mu.Unlock()
			})
		}
		replicas = append(replicas, r)
	}
	p := pool.New(pool.Config{Reload: 8 * time.Second, Ejection: pool.DefaultEjection()}, replicas)
	r := New(cfg, Deps{Pool: p, Events: log, Observer: counts})
	return &bench{Router: r, engines: engines, events: log, counts: counts, pool: p, opened: &opened}
}

func request(tokens int) engine.Request {
	return engine.Request{ID: "r1", Model: "m", Prompt: " hello", PromptTokens: 1, MaxTokens: tokens}
}

// collect pulls the whole answer.
func collect(c *Call) (text string, finish engine.Finish, err error) {
	var b strings.Builder
	for {
		chunk, err := c.Next(nil)
		if err != nil {
			return b.String(), "", err
		}
		b.WriteString(chunk.Text)
		for next, ok := c.Ready(); ok; next, ok = c.Ready() {
			b.WriteString(next.Text)
		}
		if chunk.Finish != "" {
			return b.String(), chunk.Finish, nil
		}
	}
}

func (b *bench) ask(t *testing.T, req engine.Request) (string, engine.Finish, *Error) {
	t.Helper()
	call := b.Open(t.Context(), req)
	defer call.Close()
	text, finish, err := collect(call)
	if err == nil {
		return text, finish, nil
	}
	var e *Error
	require.ErrorAs(t, err, &e)
	return text, finish, e
}

func (b *bench) kinds() []string {
	events, _, _ := b.events.Since(0)
	var out []string
	for _, e := range events {
		out = append(out, string(e.Kind)+" "+e.Target+" "+e.Reason)
	}
	return out
}

func broken(reason engine.Reason, after int) enginetest.Script {
	return enginetest.Script{Tokens: after, Break: &engine.Error{Reason: reason, Text: "planted"}}
}
