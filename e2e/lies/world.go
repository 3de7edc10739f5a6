package lies

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults/agent"
	"github.com/brownout-dev/brownout/faults/faultstest"
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/fakellm"
)

// token opens the admin listener and the fault API of a world.
const token = "lies"

// place is the replica whose name every answer of a world carries.
const place = "n1/g0"

// world is a server with everything a reference server shows: an admin listener with a clock, state and
// events, and a fault holder, all in this process and scripted.
type world struct {
	s     *Stage
	api   *fakellm.Server
	clock *event.Clock
	base  fakellm.Script // of a healthy answer
	hurt  fakellm.Script // of one while sick

	sick   func(sinceFault time.Duration) bool // of the first fault; nil = never
	driver *faultstest.Scripted
	step   func() time.Duration // by which the server's clock is wrong; nil = it is right

	mu    sync.Mutex
	since time.Time // when the fault came on
}

// world starts one whose healthy answers follow the script.
func (s *Stage) world(base fakellm.Script) (*world, error) {
	base.Node = place
	w := &world{s: s, clock: event.NewClock(), base: base, hurt: fakellm.Script{Fail: fakellm.FailStatus + "=500", Node: place}}
	w.driver = faultstest.NewScripted(&faultstest.World{}, faultstest.Script{})
	w.api = &fakellm.Server{Pick: func(uint64) fakellm.Script {
		if age, on := w.age(); on && w.sick != nil && w.sick(age) {
			return w.hurt
		}
		return w.base
	}}
	return w, nil
}

// age is how long ago the first fault came on. The world notices it when it is first asked.
func (w *world) age() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() && len(w.driver.World.On()) > 0 {
		w.since = time.Now()
	}
	return time.Since(w.since), !w.since.IsZero()
}

// run starts the world's listeners and runs the plan against them.
func (w *world) run(p plan) (Outcome, error) {
	api, err := w.s.serve(w.api)
	if err != nil {
		return Outcome{}, err
	}
	holder, err := agent.New(agent.Config{
		JournalFile: filepath.Join(w.s.dir, "journal.jsonl"), StateDir: filepath.Join(w.s.dir, "state"), Token: token,
		Clock: w.clock, Drivers: drivers(w.driver), ProveWithin: time.Second, GoneWithin: time.Second, StopWithin: 2 * time.Second,
	})
	if err != nil {
		return Outcome{}, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.s.t.Context()))
	var running sync.WaitGroup
	running.Go(func() { _ = holder.Run(ctx) }) // the faults are in this process and end with it
	w.s.t.Cleanup(func() { cancel(); running.Wait() })
	admins, err := w.listen(http.HandlerFunc(w.admin))
	if err != nil {
		return Outcome{}, err
	}
	injector, err := w.listen(holder.Handler())
	if err != nil {
		return Outcome{}, err
	}
	return w.s.run(p.yaml(), nil, "--target", api, "--target-admin", admins, "--target-faults", injector)
}

func (w *world) listen(h http.Handler) (url string, err error) {
	l, err := (&net.ListenConfig{}).Listen(w.s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with ErrServerClosed
	w.s.t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String(), nil
}

// admin is as much of a reference server's admin listener as a run asks for.
func (w *world) admin(rw http.ResponseWriter, r *http.Request) {
	now := w.clock.Read()
	if w.step != nil {
		now.Now = now.Now.Add(w.step())
	}
	var body any
	switch r.URL.Path {
	case "/admin/clock":
		body = now
	case "/admin/state":
		body = admin.State{Clock: now, Model: "llama-3.1-8b", Nodes: []admin.Node{{ID: "n1", Devices: []admin.Device{{ID: place, Simulated: true}}}}}
	case "/admin/events":
		ready := event.Event{Seq: 1, At: now.Now, Source: "engine", Kind: event.EngineReady, Target: place + "/llama-3.1-8b"}
		if r.URL.Query().Get("follow") == "false" {
			body = admin.EventPage{}
			break
		}
		rw.Header().Set("Content-Type", "text/event-stream")
		if line, err := json.Marshal(ready); err == nil && r.URL.Query().Get("since") == "0" {
			_, _ = rw.Write(append(append([]byte("data: "), line...), "\n\n"...)) // a client that left needs no events
		}
		_ = http.NewResponseController(rw).Flush() // the same
		<-r.Context().Done()
		return
	default:
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(body) // a client that left needs no answer
}
