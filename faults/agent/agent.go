package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
)

// Bounds of what is remembered and answered.
const (
	maxEnded   = 1000   // ended faults kept for Get and List
	maxEntries = 10_000 // newest journal entries answered
)

// Agent holds faults. It is a faults.Holder; all its methods are safe for concurrent use.
type Agent struct {
	cfg     Config
	driver  map[string]faults.Driver // by kind
	journal *faults.Journal
	store   *store
	handler http.Handler

	wake  chan struct{}  // tells Run that a lease got shorter; capacity 1
	ready chan struct{}  // closed by Run once leftovers are dealt with; injecting waits for it
	work  sync.WaitGroup // injections, proofs and clearings under way; grows only under mu and before stopping

	mu       sync.Mutex
	held     map[string]*holding
	order    []*holding // oldest first
	stopping bool
}

// New opens the journal and the state directory and takes over what an earlier holder left there;
// Run clears that first. What New opened is released when Run ends.
func New(cfg Config) (*Agent, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &Agent{
		cfg:    cfg,
		driver: map[string]faults.Driver{},
		wake:   make(chan struct{}, 1),
		ready:  make(chan struct{}),
		held:   map[string]*holding{},
	}
	for _, d := range cfg.Drivers {
		for _, kind := range d.Kinds() {
			if other, taken := a.driver[kind]; taken {
				return nil, fmt.Errorf("the drivers %s and %s both do %s: use one of them", other.Name(), d.Name(), kind)
			}
			a.driver[kind] = d
		}
	}
	if a.handler, err = faults.NewServer(a, cfg.Token); err != nil {
		return nil, err
	}
	if a.store, err = openStore(cfg.StateDir); err != nil {
		return nil, err
	}
	if err := a.adopt(); err != nil {
		a.store.close()
		return nil, err
	}
	if a.journal, err = faults.OpenJournal(cfg.JournalFile); err != nil {
		a.store.close()
		return nil, err
	}
	return a, nil
}

// adopt makes holdings of the undo states on disk.
func (a *Agent) adopt() error {
	records, err := a.store.load()
	if err != nil {
		return err
	}
	for _, r := range records {
		f, err := faults.Parse(r.Fault)
		if err != nil {
			return fmt.Errorf("%s holds a fault this version does not know, clear it with the version that made it: %w", a.store.path(r.ID), err)
		}
		driver, ok := a.driver[f.Kind]
		if !ok || driver.Name() != r.Driver {
			return fmt.Errorf("%s needs the driver %s to undo %q: start the fault holder with it", a.store.path(r.ID), r.Driver, r.Fault)
		}
		h := newHolding(r.ID, f, driver, r.Targets, faults.InjectRequest{Fault: r.Fault, Run: r.Run, Actor: r.Actor, Reason: r.Reason})
		h.undo = r.Undo
		h.leftover = true
		h.cause = faults.CauseLeftover
		close(h.settled)
		a.held[h.id] = h
		a.order = append(a.order, h)
	}
	return nil
}

// Handler is the HTTP API.
func (a *Agent) Handler() http.Handler { return a.handler }

// Clock answers a clock probe.
func (a *Agent) Clock() event.Reading { return a.cfg.Clock.Read() }

// Kinds lists what the drivers can do.
func (a *Agent) Kinds() []faults.KindInfo {
	kinds := []faults.KindInfo{}
	for _, k := range faults.Catalogue() {
		if d, ok := a.driver[k.Kind]; ok {
			k.Drivers = []string{d.Name()}
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// Targets are the candidates of all drivers, by selector key, sorted.
func (a *Agent) Targets(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	for _, d := range a.cfg.Drivers {
		candidates, err := a.candidates(ctx, d)
		if err != nil {
			return nil, err
		}
		for key, targets := range candidates {
			all[key] = slices.Compact(slices.Sorted(slices.Values(append(all[key], targets...))))
		}
	}
	return all, nil
}

// Get is one fault, ended ones included.
func (a *Agent) Get(id string) (faults.Held, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h, err := a.find(id)
	if err != nil {
		return faults.Held{}, err
	}
	return h.view(), nil
}

// List is every remembered fault, oldest first.
func (a *Agent) List() []faults.Held {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]faults.Held, len(a.order))
	for i, h := range a.order {
		out[i] = h.view()
	}
	return out
}

// Journal reads back what is on the disk, the newest entries of it.
func (a *Agent) Journal() ([]faults.Entry, error) {
	return faults.ReadJournalFile(a.cfg.JournalFile, maxEntries)
}

// find wants mu held.
func (a *Agent) find(id string) (*holding, error) {
	h, ok := a.held[id]
	if !ok {
		return nil, fmt.Errorf("%w as %s here: 'brownout fault status' lists those there are", faults.ErrUnknown, id)
	}
	return h, nil
}

// remember wants mu held. It forgets the oldest ended fault when there are too many.
func (a *Agent) remember(h *holding) {
	a.held[h.id] = h
	a.order = append(a.order, h)
	if len(a.order) <= maxEnded+a.cfg.MaxHeld {
		return
	}
	if i := slices.IndexFunc(a.order, func(h *holding) bool { return h.ended }); i >= 0 {
		delete(a.held, a.order[i].id)
		a.order = slices.Delete(a.order, i, i+1)
	}
}

// record writes one step to the journal and tells the sink. A journal that cannot be written must
// not keep a fault on, so only arming gives up on the error.
func (a *Agent) record(h *holding, e faults.Entry) error {
	e.Clock, e.ID, e.Fault, e.Driver = a.cfg.Clock.ID(), h.id, h.fault.String(), h.driver.Name()
	info, _ := faults.Lookup(h.fault.Kind)
	e.Layer, e.Targets, e.Seed = info.Layer, h.targets, h.fault.Seed
	e.Run, e.Actor, e.Reason = h.req.Run, h.req.Actor, h.req.Reason
	err := a.journal.Append(e)
	if err != nil {
		a.cfg.Log.Error("fault journal", "fault", h.id, "step", string(e.Step), "error", err.Error())
	}
	kind, told := eventKind(e.Step)
	if a.cfg.Sink == nil || !told {
		return err
	}
	attrs := map[string]string{"id": h.id, "fault": e.Fault}
	for key, value := range map[string]string{"evidence": e.Evidence, "error": e.Error} {
		if value != "" {
			attrs[key] = value
		}
	}
	for _, target := range h.targets {
		a.cfg.Sink.Emit(event.Event{At: e.At, Source: "faults", Kind: kind, Target: target, Reason: string(e.Cause), Attrs: attrs})
	}
	return err
}

func eventKind(s faults.Step) (event.Kind, bool) {
	switch s {
	case faults.StepArmed:
		return event.FaultArmed, true
	case faults.StepEffective:
		return event.FaultEffective, true
	case faults.StepUnproven:
		return event.FaultUnproven, true
	case faults.StepCleared:
		return event.FaultCleared, true
	case faults.StepExpired:
		return event.FaultExpired, true
	case faults.StepClearFailed:
		return event.FaultClearFail, true
	}
	return "", false
}

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return "f-" + hex.EncodeToString(b[:])
}
