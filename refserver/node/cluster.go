package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/engine/sim"
	"github.com/brownout-dev/brownout/refserver/gpu"
)

// Replica is one engine that serves one model on one device.
type Replica struct {
	ID     string // "n1/g0/llama-3.1-8b"
	Node   string // "n1"
	Device string // "n1/g0"
	Model  string
	Engine engine.Engine
}

// Cluster is the nodes of this process. Nodes are n1…nN, their devices g0…
type Cluster struct {
	cfg   Config
	deps  Deps
	spec  gpu.Spec
	model gpu.Model
	slots []slot // fixed; ordered by node, then device

	held chan struct{} // one signal: a holding, throttle or outage began, look at the times again

	mu      sync.Mutex
	outages map[string]*Outages // of every node
}

// slot is a device and what runs on it.
type slot struct {
	node, gpu string
	replica   string
	device    *gpu.Device
	engine    *sim.Engine
}

// New builds the cluster; nothing runs before Run.
func New(cfg Config, deps Deps) (*Cluster, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Waiter == nil {
		deps.Waiter = pace.New
	}
	spec, model, err := cfg.hardware()
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, deps: deps, spec: spec, model: model, held: make(chan struct{}, 1),
		outages: map[string]*Outages{}}
	for _, id := range cfg.ids() {
		for g := range cfg.GPUsPerNode {
			if cfg.Only != "" && id != cfg.Only {
				break
			}
			s := slot{node: id, gpu: fmt.Sprintf("g%d", g)}
			id := s.node + "/" + s.gpu
			s.device = gpu.NewDevice(gpu.DeviceConfig{ID: id, UUID: uuid(id), Spec: spec}, deps.Clock.Now())
			e := cfg.engine(id)
			s.replica = e.ID
			s.engine, err = sim.New(e, sim.Deps{
				Device: s.device, Events: deps.Events, Clock: deps.Clock, Waiter: deps.Waiter(),
			})
			if err != nil {
				return nil, err
			}
			c.slots, c.outages[s.node] = append(c.slots, s), &Outages{}
		}
	}
	return c, nil
}

func (c Config) hardware() (gpu.Spec, gpu.Model, error) {
	spec, errSpec := gpu.SpecOf(c.GPU)
	model, errModel := gpu.ModelOf(c.Model)
	return spec, model, errors.Join(errSpec, errModel)
}

func (c Config) engine(device string) sim.Config {
	model, _ := gpu.ModelOf(c.Model) // an unknown one is Validate's to report
	return sim.Config{
		ID: device + "/" + c.Model, Model: model,
		TokenBudget: c.TokenBudget, MaxSequences: c.MaxSequences, MaxWaiting: c.MaxWaiting,
		MemoryUtilisation: c.MemoryUtilisation, Graceful: c.Graceful, Slowdown: c.Slowdown,
		Reload: c.Reload, FirstLoad: c.FirstLoad,
	}
}

// uuid is made from the device's place, so that the same device has the same name in every run.
func uuid(id string) string {
	a, b := uint64(synth.AnswerKey(id, "uuid", 1)), uint64(synth.AnswerKey(id, "uuid", 2))
	return fmt.Sprintf("GPU-%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

// Run lets the engines load and serve, and foreign memory grow and expire. It blocks until ctx ends
// and everything has stopped; then it returns nil. It may be called once.
func (c *Cluster) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(c.slots))
	for i, s := range c.slots {
		wg.Go(func() { errs[i] = s.engine.Run(ctx) })
	}
	wg.Go(func() { c.keepHoldings(ctx) })
	wg.Wait()
	return errors.Join(errs...)
}

// Replicas lists the engines, in a fixed order.
func (c *Cluster) Replicas() []Replica {
	out := make([]Replica, len(c.slots))
	for i, s := range c.slots {
		out[i] = Replica{ID: s.replica, Node: s.node, Device: s.device.ID(), Model: c.cfg.Model, Engine: s.engine}
	}
	return out
}

// Steps is how punctual all engines were over the last minute.
func (c *Cluster) Steps() admin.Steps { return sim.Summarise(c.Punctuality()) }

// Punctuality is Steps in a form that joins with other nodes'.
func (c *Cluster) Punctuality() sim.Punctuality {
	all := make([]*sim.Steps, len(c.slots))
	for i, s := range c.slots {
		all[i] = s.engine.Steps()
	}
	return sim.Collect(c.deps.Clock.Now(), all...)
}

// Saturation is the highest rate (requests/s) of the whole cluster, and of the cluster without one
// replica, for requests of that many prompt and output tokens; see sim.Capacity.
func (c *Cluster) Saturation(prompt, output int) (all, minus1 float64) {
	return c.cfg.saturation(c.spec, len(c.slots), prompt, output)
}

func (c Config) saturation(spec gpu.Spec, replicas, prompt, output int) (all, minus1 float64) {
	one := sim.Capacity(c.engine("n1/g0"), spec, prompt, output)
	return one * float64(replicas), one * float64(replicas-1)
}
