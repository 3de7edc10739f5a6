package sim

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

func engineError(text string) engine.Chunk {
	return engine.Chunk{Err: &engine.Error{Reason: engine.ReasonDead, Text: text}}
}

// request has prompt words of its own, and an answer of exactly that many tokens.
func request(id string, prompt, output int) engine.Request {
	return engine.Request{ID: id, Model: "llama-3.1-8b", Prompt: id, PromptTokens: prompt, MaxTokens: output, IgnoreEOS: true}
}

func sequenceOf(t *testing.T, output int) *sequence {
	t.Helper()
	s, end := newStream(request(t.Name(), 10, output))
	return &sequence{prompt: 10, end: end, stream: s}
}

// rig is an engine in virtual time, for use inside a synctest bubble.
type rig struct {
	t      *testing.T
	clock  *event.Clock
	device *gpu.Device
	log    *event.Log
	engine *Engine
	stop   context.CancelFunc
	done   chan struct{}
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	spec, model := llamaOnH100(t)
	r := &rig{t: t, clock: event.NewClock(), done: make(chan struct{})}
	r.log = event.NewLog(r.clock, 10_000)
	r.device = gpu.NewDevice(gpu.DeviceConfig{ID: "n1/g0", UUID: "GPU-0", Spec: spec}, r.clock.Now())
	cfg := Config{ID: "n1/g0/llama-3.1-8b", Model: model, FirstLoad: 200 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg, Deps{Device: r.device, Events: r.log, Clock: r.clock, Waiter: pace.Timers{}})
	require.NoError(t, err)
	r.engine = e
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() {
		defer close(r.done)
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return r
}

// up waits for the first load.
func (r *rig) up() *rig {
	time.Sleep(201 * time.Millisecond)
	synctest.Wait()
	require.Equal(r.t, engine.Ready, r.engine.Load().State)
	return r
}

// down ends the engine; everything must be given back.
func (r *rig) down() {
	r.stop()
	<-r.done
	d := r.device.State(r.clock.Now())
	require.Equal(r.t, d.Ledger["foreign"], d.Used, "a dead process holds nothing")
}

// kinds are the events so far, but for those left out.
func (r *rig) kinds(leave ...event.Kind) (out []event.Kind) {
	events, _, _ := r.log.Since(0)
next:
	for _, e := range events {
		for _, l := range leave {
			if e.Kind == l {
				continue next
			}
		}
		out = append(out, e.Kind)
	}
	return out
}

func (r *rig) first(kind event.Kind) (event.Event, bool) {
	events, _, _ := r.log.Since(0)
	for _, e := range events {
		if e.Kind == kind {
			return e, true
		}
	}
	return event.Event{}, false
}

// heard is what one reader got.
type heard struct {
	text   string
	tokens int
	times  []event.Time // of content chunks
	finish engine.Finish
	err    *engine.Error
	closed bool
}

// ask reads an answer to its end in a goroutine of its own.
func (r *rig) ask(ctx context.Context, wg *sync.WaitGroup, req engine.Request) *heard {
	r.t.Helper()
	s, err := r.engine.Generate(ctx, req)
	require.NoError(r.t, err)
	h := &heard{}
	wg.Go(func() {
		terminal := 0
		for c := range s.C {
			if c.Finish != "" || c.Err != nil {
				terminal++
				h.finish, h.err = c.Finish, c.Err
				continue
			}
			h.text += c.Text
			h.tokens += c.Tokens
			h.times = append(h.times, r.clock.Now())
		}
		h.closed = true
		if terminal > 1 {
			r.t.Errorf("%s: %d terminal chunks", req.ID, terminal)
		}
	})
	return h
}

// hog takes a share of the device's free memory.
func (r *rig) hog(share float64) {
	r.t.Helper()
	_, _, err := r.device.Hold(r.clock.Now(), admin.HoldRequest{ID: "hog", Share: share, TTL: time.Hour})
	require.NoError(r.t, err)
}

func (r *rig) unhog() { r.device.Unhold(r.clock.Now(), "hog") }
