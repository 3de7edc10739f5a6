package remote

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// peer is one node as the gateway sees it, through all its epochs.
type peer struct {
	id      string
	cfg     Heartbeat
	token   string
	deps    Deps
	log     *slog.Logger
	engines []*remoteEngine
	crowd   *crowd // all peers, this one too

	link atomic.Pointer[link] // of the present epoch; nil: there is none
	view atomic.Pointer[view] // of the newest heartbeat; nil: there was never one

	address atomic.Pointer[string] // nil: nobody knows yet
	moved   chan struct{}          // one signal: the address is new, knock at once

	// The run goroutine alone, from here on.
	epoch    uint64
	instance string // of the newest epoch
	seen     uint64 // newest event of that instance
}

// view is what a heartbeat said, and whether it is still believed. It is replaced, never changed.
type view struct {
	trusted bool
	up      bool // false: the epoch is over
	epoch   uint64
	beat    wire.Beat
	loads   []loadSeen
}

// loadSeen is an engine's load, how many streams of ours were open when it came, and how many prompt
// tokens of ours had not been answered.
type loadSeen struct {
	load engine.Load
	open int
	debt int
}

// at tells the peer where its node listens.
func (p *peer) at(address string) {
	p.address.Store(&address)
	select {
	case p.moved <- struct{}{}:
	default: // the signal is there already
	}
}

// run keeps a link to the node, epoch after epoch, until ctx ends.
func (p *peer) run(ctx context.Context) {
	retry := backoff{least: 20 * time.Millisecond, most: 500 * time.Millisecond}
	failed := ""
	for ctx.Err() == nil {
		if address := p.address.Load(); address != nil {
			before := p.epoch
			why := words(p.live(ctx, *address))
			if p.epoch != before {
				retry.reset()
				failed = ""
			} else if why != failed && ctx.Err() == nil { // once, not twice a second
				p.log.Info("node not reached", "node", p.id, "address", *address, "why", why)
				failed = why
			}
		}
		select {
		case <-ctx.Done():
		case <-p.moved:
			retry.reset()
		case <-time.After(retry.pause(rand.Float64())):
		}
	}
}

// live is one epoch, from dialling to its end. The error says why it ended or never began.
func (p *peer) live(ctx context.Context, address string) error {
	conn, err := dial(address, p.token)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it is over, whatever it says
	life, cut := context.WithCancelCause(ctx)
	defer cut(context.Canceled)
	hello := time.AfterFunc(helloWithin, func() { cut(fmt.Errorf("no heartbeat within %v", helloWithin)) })
	defer hello.Stop()
	beats, err := open(life, conn, wire.Beats, &wire.BeatRequest{Every: p.cfg.Every})
	if err != nil {
		return err
	}
	var first wire.Beat
	if err := beats.RecvMsg(&first); err != nil {
		return err
	}
	if err := p.recognise(&first); err != nil {
		return err
	}
	shift, err := offset(life, conn, p.deps.Clock)
	if err != nil {
		return err
	}
	if !hello.Stop() {
		return fmt.Errorf("no heartbeat within %v", helloWithin)
	}
	l := &link{conn: conn, epoch: p.epoch + 1, instance: first.Instance, shift: shift, ctx: life, cut: cut, news: make(chan news)}
	return p.serve(l, beats, &first)
}

// recognise refuses a node that is not the one meant.
func (p *peer) recognise(b *wire.Beat) error {
	if b.Node.ID != p.id {
		return fmt.Errorf("the node there is %s, not %s: correct the addresses", b.Node.ID, p.id)
	}
	match := len(b.Node.Replicas) == len(p.engines) && len(b.Loads) == len(p.engines)
	for i := 0; match && i < len(p.engines); i++ {
		match = b.Node.Replicas[i].ID == p.engines[i].replica
	}
	if !match {
		return fmt.Errorf("%s has other replicas than the gateway's config says: start both with the same config", p.id)
	}
	return nil
}

// serve is the epoch itself.
func (p *peer) serve(l *link, beats grpc.ClientStream, first *wire.Beat) error {
	again := p.epoch > 0
	p.epoch = l.epoch
	if p.instance != l.instance {
		p.instance, p.seen = l.instance, 0
	}
	p.accept(l, l.ours(first))
	p.link.Store(l)
	p.note(event.NodeReturned, map[bool]string{true: "returned", false: "joined"}[again], "epoch", strconv.FormatUint(l.epoch, 10))

	var wg sync.WaitGroup
	heard := make(chan *wire.Beat)
	lost := make(chan error, 1)
	wg.Go(func() { lost <- receive(l.ctx, beats, heard) })
	wg.Go(func() { p.follow(l) })
	reason, why, err := p.watch(l, heard, lost)

	// The fence: from here on nothing of this epoch is delivered, and no stream can join it.
	p.link.Store(nil)
	l.cut(gone(reason, p.id, err.Error()))
	v := *p.view.Load()
	v.trusted, v.up = false, false
	p.view.Store(&v)
	if why != "" {
		p.note(event.NodeDead, why, "epoch", strconv.FormatUint(l.epoch, 10), "why", err.Error())
	}
	wg.Wait()
	return err
}

// receive hands heartbeats over until there are no more.
func receive(ctx context.Context, beats grpc.ClientStream, heard chan<- *wire.Beat) error {
	for {
		b := new(wire.Beat)
		if err := beats.RecvMsg(b); err != nil {
			return err
		}
		select {
		case heard <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch returns when the epoch is over: for streams the reason, for the event why ("" when we stop).
func (p *peer) watch(l *link, heard <-chan *wire.Beat, lost <-chan error) (engine.Reason, string, error) {
	s := newSuspicion(p.cfg, p.deps.Clock.Now())
	tick := time.NewTicker(p.cfg.look())
	defer tick.Stop()
	for {
		select {
		case b := <-heard:
			if s.heard(p.deps.Clock.Now()) {
				p.note(event.NodeTrusted, "heartbeat")
			}
			p.accept(l, l.ours(b))
		case n := <-l.news:
			s.heard(p.deps.Clock.Now())
			p.accept(l, l.ours(n.beat))
			close(n.taken)
		case err := <-lost:
			if l.ctx.Err() != nil {
				return engine.ReasonDead, "", fmt.Errorf("the gateway stops")
			}
			return engine.ReasonDead, "connection_lost", fmt.Errorf("its connection closed (%s)", words(err))
		case <-tick.C:
			now := p.deps.Clock.Now()
			state, fresh := s.look(now)
			switch {
			case !fresh:
			case state == dead:
				return engine.ReasonUnreachable, "no_heartbeat", fmt.Errorf("no heartbeat for %v", s.silence(now).Round(time.Millisecond))
			default:
				v := *p.view.Load()
				v.trusted = false
				p.view.Store(&v)
				p.note(event.NodeSuspected, "no_heartbeat", "silent", s.silence(now).Round(time.Millisecond).String())
			}
		}
	}
}

// accept makes a heartbeat what the gateway believes.
func (p *peer) accept(l *link, b *wire.Beat) {
	v := &view{trusted: true, up: true, epoch: l.epoch, beat: *b}
	for i, e := range p.engines {
		load := engine.Load{State: engine.Dead}
		if i < len(b.Loads) {
			load = b.Loads[i]
		}
		load.Generation |= l.epoch << 32
		v.loads = append(v.loads, loadSeen{load: load, open: int(e.open.Load()), debt: int(e.debt.Load())})
	}
	p.view.Store(v)
}

// follow takes the node's events over, on our clock.
func (p *peer) follow(l *link) {
	stream, err := open(l.ctx, l.conn, wire.Events, &wire.EventsRequest{Since: p.seen})
	if err != nil {
		return // the heartbeats' end says why
	}
	for {
		var batch wire.EventBatch
		if err := stream.RecvMsg(&batch); err != nil {
			return
		}
		for _, e := range batch.Events {
			p.seen = e.Seq
			e.At = l.shift.Map(e.At)
			p.deps.Events.Emit(e)
		}
	}
}

// state is the node as an operator sees it; life's Address, PID and Outages are the supervisor's.
func (p *peer) state(life admin.NodeLife) admin.Node {
	n := admin.Node{ID: p.id, NodeLife: life}
	v := p.view.Load()
	if v == nil {
		for _, e := range p.engines {
			n.Devices = append(n.Devices, admin.Device{ID: e.device(), Simulated: true})
			n.Replicas = append(n.Replicas, admin.Replica{ID: e.replica, State: string(engine.Dead)})
		}
		n.State = admin.NodeDown
		return n
	}
	n.Devices, n.Replicas, n.Epoch = v.beat.Node.Devices, slices.Clone(v.beat.Node.Replicas), v.epoch
	switch {
	case !v.up:
		n.State = admin.NodeDown
		n.Devices = slices.Clone(n.Devices)
		for i := range n.Devices { // the process is gone, and its memory with it
			d := &n.Devices[i]
			d.Used, d.Free, d.Ledger, d.Holdings, d.Throttles, d.Utilisation = 0, d.Total, nil, nil, nil, 0
			d.StepRatio, d.StepsWatched = 0, 0
		}
		for i := range n.Replicas {
			r := &n.Replicas[i]
			r.State, r.Running, r.Waiting, r.KVUsage = string(engine.Dead), 0, 0, 0
		}
	case !v.trusted:
		n.State = admin.NodeSuspect
	default:
		n.State = admin.NodeUp
	}
	return n
}

// note emits an event of the node; attrs are pairs of name and value.
func (p *peer) note(kind event.Kind, reason string, attrs ...string) {
	e := event.Event{Source: "nodes", Kind: kind, Target: p.id, Reason: reason, Attrs: map[string]string{}}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Attrs[attrs[i]] = attrs[i+1]
	}
	p.deps.Events.Emit(e)
	p.log.Info(string(kind), "node", p.id, "reason", reason, "attrs", e.Attrs)
}
