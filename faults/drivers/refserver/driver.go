// Package refserver is the driver for brownout's own reference server: it harms the server's
// simulated GPUs through the plain control surface of its admin listener (internal/admin), as any
// operator tool could.
//
// What may not live here: leases, journals and proof windows (faults/agent), other targets.
package refserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Config says where the server's admin listener is.
type Config struct {
	AdminURL string       // base URL, "http://127.0.0.1:9101"
	Token    string       // admin token
	Client   *http.Client // nil = one of its own
	// NoOp makes Arm do nothing. It is the negative control of the harness: a run with it must end
	// as unknown, because the proof must fail.
	NoOp bool
}

// holdMargin is how much longer than the fault the server keeps the memory by itself: it lets go
// even when this process was killed, and never before this process would have.
const holdMargin = 5 * time.Second

// Driver is a faults.Driver. Safe for concurrent use.
type Driver struct {
	server control
	noop   bool

	mu    sync.Mutex
	armed map[string]armed // by fault id
}

// armed is what Prove and ProveGone need to remember of Arm.
type armed struct {
	since event.Reading     // of the server, after the memory was taken
	seen  map[string]string // evidence by target that Arm itself came across
}

// undo is the driver's undo state.
type undo struct {
	Targets []string `json:"targets"`
}

// New checks the configuration; nothing is sent yet.
func New(cfg Config) (*Driver, error) {
	u, err := url.Parse(cfg.AdminURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is no admin address: write the base URL of the server's admin listener, as in http://127.0.0.1:9101", cfg.AdminURL)
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{}
	}
	return &Driver{
		server: control{base: strings.TrimRight(cfg.AdminURL, "/"), token: cfg.Token, http: cfg.Client},
		noop:   cfg.NoOp,
		armed:  map[string]armed{},
	}, nil
}

// Name is the driver's word.
func (d *Driver) Name() string { return "refserver" }

// Kinds lists what it can do.
func (d *Driver) Kinds() []string { return []string{"gpu.oom", "node.kill"} }

// Candidates are the server's simulated GPUs ("gpu") and nodes ("node").
func (d *Driver) Candidates(ctx context.Context) (map[string][]string, error) {
	state, err := d.server.state(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, node := range state.Nodes {
		out["node"] = append(out["node"], node.ID)
		for _, dev := range node.Devices {
			if dev.Simulated { // the control surface cannot take a real device's memory
				out["gpu"] = append(out["gpu"], dev.ID)
			}
		}
	}
	return out, nil
}

// Arm takes the memory on every target, and with trigger=restart then restarts its engine.
func (d *Driver) Arm(ctx context.Context, id string, f faults.Fault, targets []string) ([]byte, error) {
	state, err := json.Marshal(undo{Targets: targets})
	if err != nil || d.noop {
		return state, err
	}
	if f.Kind == "node.kill" {
		return state, d.killNodes(ctx, id, f, targets)
	}
	share, err := f.Share("reserve")
	if err != nil {
		return state, err
	}
	trigger, err := f.Word("trigger")
	if err != nil {
		return state, err
	}
	for _, target := range targets {
		req := admin.HoldRequest{ID: id, Share: share, Ramp: f.Ramp, TTL: f.For + holdMargin}
		if err := d.server.hold(ctx, target, req); err != nil {
			return state, err
		}
	}
	a := armed{seen: map[string]string{}}
	// Only a refusal after this reading is this fault's doing.
	if a.since, err = d.server.clock(ctx); err != nil {
		return state, err
	}
	if trigger == "restart" {
		for _, target := range targets {
			// The restart frees the engine's own memory for a while, and with it the sight of the
			// fault: so look first.
			if probe, err := d.server.probe(ctx, target); err == nil && !probe.Granted {
				a.seen[target] = refusedProbe(target, probe)
			}
			if err := d.server.restart(ctx, target); err != nil {
				return state, err
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed[id] = a
	return state, nil
}

// Prove holds when an allocation was refused on every target.
func (d *Driver) Prove(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error) {
	if f.Kind == "node.kill" {
		return d.proveKilled(ctx, id, targets)
	}
	d.mu.Lock()
	a := d.armed[id]
	d.mu.Unlock()
	state, err := d.server.state(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	return every(targets, func(target string) (faults.Proof, error) {
		dev, there := device(state, target)
		if !there {
			return faults.Proof{Evidence: fmt.Sprintf("the server has no GPU %s any more", target)}, nil
		}
		if _, held := holding(dev, id); !held {
			// A refusal without our holding is somebody else's doing.
			return faults.Proof{Evidence: fmt.Sprintf("nothing is held on %s: %s of %s free", target, gib(dev.Free), gib(dev.Total))}, nil
		}
		if evidence, ok := a.seen[target]; ok {
			return faults.Proof{Holds: true, Evidence: evidence}, nil
		}
		if r := dev.LastRefused; r != nil && state.Clock.Clock == a.since.Clock && r.At > a.since.Now {
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("an allocation of %s for %s on %s was refused: %s of %s free",
				gib(r.Bytes), r.For, target, gib(r.Free), gib(dev.Total))}, nil
		}
		probe, err := d.server.probe(ctx, target)
		if err != nil {
			return faults.Proof{}, err
		}
		if probe.Granted {
			return faults.Proof{Evidence: fmt.Sprintf("%s still grants %s: %s of %s free", target, gib(probe.Bytes), gib(probe.Free), gib(probe.Total))}, nil
		}
		return faults.Proof{Holds: true, Evidence: refusedProbe(target, probe)}, nil
	})
}

// Clear lets go of the memory, and permits nodes to start. Without undo state (the holder died while arming) it finds what bears
// the fault's id.
func (d *Driver) Clear(ctx context.Context, id string, state []byte) error {
	var u undo
	if len(state) > 0 {
		if err := json.Unmarshal(state, &u); err != nil {
			return fmt.Errorf("the undo state of fault %s is not this driver's: %w", id, err)
		}
	}
	now, err := d.server.state(ctx)
	if err != nil {
		return err
	}
	on := map[string]bool{}
	for _, target := range u.Targets {
		_, on[target] = device(now, target) // a device that is gone took its memory along
	}
	for _, node := range now.Nodes {
		for _, dev := range node.Devices {
			if _, held := holding(dev, id); held {
				on[dev.ID] = true
			}
		}
	}
	failed := d.reviveNodes(ctx, now, id)
	for _, target := range slices.Sorted(maps.Keys(on)) {
		if on[target] {
			failed = append(failed, d.server.release(ctx, target, id))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.armed, id)
	return nil
}

// ProveGone holds when, on every target, the memory is off the ledger and an allocation of the
// engine's activation peak fits. The engine's own running activations are not held against it.
func (d *Driver) ProveGone(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error) {
	if f.Kind == "node.kill" {
		return d.proveRevived(ctx, targets)
	}
	state, err := d.server.state(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	return every(targets, func(target string) (faults.Proof, error) {
		dev, there := device(state, target)
		if !there {
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s does not exist any more", target)}, nil
		}
		if h, held := holding(dev, id); held {
			return faults.Proof{Evidence: fmt.Sprintf("%s of the fault is still held on %s", gib(h.Bytes), target)}, nil
		}
		var others int64
		for _, h := range dev.Holdings {
			others += h.Bytes
		}
		if foreign := dev.Ledger["foreign"]; foreign > others {
			return faults.Proof{Evidence: fmt.Sprintf("%s of foreign memory is on %s that no holding explains", gib(foreign-others), target)}, nil
		}
		probe, err := d.server.probe(ctx, target)
		if err != nil {
			return faults.Proof{}, err
		}
		switch {
		case probe.Granted:
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s holds nothing of the fault and grants %s again: %s of %s free",
				target, gib(probe.Bytes), gib(probe.Free), gib(probe.Total))}, nil
		case probe.Free+dev.Ledger["activations"] >= probe.Bytes:
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s holds nothing of the fault and has room for %s again: %s free, %s in the engine's running step",
				target, gib(probe.Bytes), gib(probe.Free), gib(dev.Ledger["activations"]))}, nil
		}
		return faults.Proof{Evidence: "the memory is given back, yet " + refusedProbe(target, probe)}, nil
	})
}

// every joins the proofs of all targets: it holds when each holds.
func every(targets []string, look func(string) (faults.Proof, error)) (faults.Proof, error) {
	all := faults.Proof{Holds: len(targets) > 0}
	var said []string
	for _, target := range targets {
		p, err := look(target)
		if err != nil {
			return faults.Proof{}, err
		}
		all.Holds = all.Holds && p.Holds
		said = append(said, p.Evidence)
	}
	all.Evidence = strings.Join(said, "; ")
	return all, nil
}

func refusedProbe(target string, p admin.ProbeAnswer) string {
	return fmt.Sprintf("a probe of %s on %s was refused: %s of %s free", gib(p.Bytes), target, gib(p.Free), gib(p.Total))
}

func gib(bytes int64) string { return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30)) }

func device(s admin.State, id string) (admin.Device, bool) {
	for _, node := range s.Nodes {
		for _, dev := range node.Devices {
			if dev.ID == id {
				return dev, true
			}
		}
	}
	return admin.Device{}, false
}

func holding(dev admin.Device, id string) (admin.Holding, bool) {
	i := slices.IndexFunc(dev.Holdings, func(h admin.Holding) bool { return h.ID == id && !h.Gone })
	if i < 0 {
		return admin.Holding{}, false
	}
	return dev.Holdings[i], true
}
