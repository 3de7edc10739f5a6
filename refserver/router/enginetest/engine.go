// Package enginetest is an engine that follows a script, for tests of those who route requests. It
// says the same words as a simulated engine, and breaks where it is told to.
//
// What may not live here: anything a server runs.
package enginetest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// Script is what one call of Generate does. The zero Script answers at once and whole.
type Script struct {
	Refuse *engine.Error // instead of a stream
	Wait   time.Duration // before the first token
	Gap    time.Duration // before every later one
	Tokens int           // then Break, Close or Hang; 0 with none of them set: no limit
	Break  *engine.Error // terminal error after Tokens
	Close  bool          // end without a terminal chunk after Tokens
	Hang   bool          // say nothing more after Tokens, until cancelled
	Skip   int           // planted bug: begin so many tokens later than asked
	Repeat int           // planted bug: begin so many tokens earlier than asked
}

// Engine runs one Script a call, then Otherwise for ever. Safe for concurrent use.
type Engine struct {
	Otherwise Script

	queue  *queue
	mu     sync.Mutex
	calls  []engine.Request
	load   engine.Load
	active sync.WaitGroup
}

type queue struct {
	mu      sync.Mutex
	scripts []Script
}

func (q *queue) next(otherwise Script) Script {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.scripts) == 0 {
		return otherwise
	}
	s := q.scripts[0]
	q.scripts = q.scripts[1:]
	return s
}

// New is a ready engine that follows the scripts in order.
func New(scripts ...Script) *Engine { return Group(1, scripts...)[0] }

// Group is n ready engines that follow the scripts together: whichever is asked takes the next one.
func Group(n int, scripts ...Script) []*Engine {
	q := &queue{scripts: scripts}
	engines := make([]*Engine, n)
	for i := range engines {
		engines[i] = &Engine{queue: q, load: engine.Load{State: engine.Ready}}
	}
	return engines
}

// Set changes what Load answers.
func (e *Engine) Set(load engine.Load) {
	e.mu.Lock()
	e.load = load
	e.mu.Unlock()
}

// Use changes what calls from now on follow once the scripts are spent.
func (e *Engine) Use(s Script) {
	e.mu.Lock()
	e.Otherwise = s
	e.mu.Unlock()
}

// Load implements engine.Engine.
func (e *Engine) Load() engine.Load {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.load
}

// Calls are the requests so far.
func (e *Engine) Calls() []engine.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]engine.Request(nil), e.calls...)
}

// Wait blocks until no stream is running: all were finished or cancelled.
func (e *Engine) Wait() { e.active.Wait() }

// Generate implements engine.Engine.
func (e *Engine) Generate(ctx context.Context, req engine.Request) (*engine.Stream, error) {
	e.mu.Lock()
	s := e.queue.next(e.Otherwise)
	e.calls = append(e.calls, req)
	e.mu.Unlock()
	if s.Refuse != nil {
		return nil, s.Refuse
	}
	c := make(chan engine.Chunk, 4)
	e.active.Go(func() { s.run(ctx, req, c) })
	return &engine.Stream{C: c}, nil
}

// Answer is the text of a whole answer and its finish reason.
func Answer(req engine.Request) (string, engine.Finish) {
	text := synth.AnswerKey(req.Model, req.Prompt, req.Seed).Text(0, req.MaxTokens)
	cut := -1
	for _, s := range req.Stop {
		if i := strings.Index(text, s); i >= 0 && (cut < 0 || i < cut) {
			cut = i
		}
	}
	if cut >= 0 {
		return text[:cut], engine.FinishStop
	}
	return text, engine.FinishLength
}

func (s Script) run(ctx context.Context, req engine.Request, out chan<- engine.Chunk) {
	defer close(out)
	send := func(after time.Duration, c engine.Chunk) bool {
		if after > 0 {
			t := time.NewTimer(after)
			defer t.Stop()
			select {
			case <-t.C:
			case <-ctx.Done():
				return false
			}
		}
		select {
		case out <- c:
			return true
		case <-ctx.Done():
			return false
		}
	}
	limited := s.Break != nil || s.Close || s.Hang
	whole, finish := Answer(req)
	key := synth.AnswerKey(req.Model, req.Prompt, req.Seed)
	left := whole[min(len(req.Sent), len(whole)):]
	wait := s.Wait
	for i, n := req.ResumeAt, 0; left != "" && i < req.MaxTokens; i, n = i+1, n+1 {
		if limited && n >= s.Tokens {
			break
		}
		text := key.Token(i)
		text = text[:min(len(text), len(left))]
		left = left[len(text):]
		if !send(wait, engine.Chunk{Text: text, Index: i + s.Skip - s.Repeat, Tokens: 1}) {
			return
		}
		wait = s.Gap
	}
	switch {
	case s.Hang:
		<-ctx.Done()
	case s.Close:
	case s.Break != nil:
		send(wait, engine.Chunk{Err: s.Break})
	default:
		send(wait, engine.Chunk{Finish: finish})
	}
}
