package refserver

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// hog is gpu.oom: foreign memory on the device.
type hog struct {
	server control

	mu    sync.Mutex
	armed map[string]hogged // by fault id
}

// hogged is what prove needs to remember of arm.
type hogged struct {
	since event.Reading     // of the server, after the memory was taken
	seen  map[string]string // evidence by target that arm itself came across
}

func newHog(s control) *hog { return &hog{server: s, armed: map[string]hogged{}} }

// arm takes the memory on every target, and with trigger=restart then restarts its engine.
func (d *hog) arm(ctx context.Context, id string, f faults.Fault, targets []string) error {
	share, err := f.Share("reserve")
	if err != nil {
		return err
	}
	trigger, err := f.Word("trigger")
	if err != nil {
		return err
	}
	for _, target := range targets {
		req := admin.HoldRequest{ID: id, Share: share, Ramp: f.Ramp, TTL: f.For + holdMargin}
		if err := d.server.hold(ctx, target, req); err != nil {
			return err
		}
	}
	a := hogged{seen: map[string]string{}}
	// Only a refusal after this reading is this fault's doing.
	if a.since, err = d.server.clock(ctx); err != nil {
		return err
	}
	if trigger == "restart" {
		for _, target := range targets {
			// The restart frees the engine's own memory for a while, and with it the sight of the
			// fault: so look first.
			if probe, err := d.server.probe(ctx, target); err == nil && !probe.Granted {
				a.seen[target] = refusedProbe(target, probe)
			}
			if err := d.server.restart(ctx, target); err != nil {
				return err
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed[id] = a
	return nil
}

// prove holds when an allocation was refused on every target.
func (d *hog) prove(ctx context.Context, id string, _ faults.Fault, targets []string) (faults.Proof, error) {
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

// gone holds when, on every target, the memory is off the ledger and an allocation of the engine's
// activation peak fits. The engine's own running activations are not held against it.
func (d *hog) gone(ctx context.Context, id string, _ faults.Fault, targets []string) (faults.Proof, error) {
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

func (d *hog) bears(dev admin.Device, id string) bool {
	_, held := holding(dev, id)
	return held
}

func (d *hog) free(ctx context.Context, now admin.State, id string, targets []string) []error {
	return freeDevices(now, targets,
		func(dev admin.Device) bool { return d.bears(dev, id) },
		func(target string) error { return d.server.release(ctx, target, id) })
}

func (d *hog) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.armed, id)
}

func refusedProbe(target string, p admin.ProbeAnswer) string {
	return fmt.Sprintf("a probe of %s on %s was refused: %s of %s free", gib(p.Bytes), target, gib(p.Free), gib(p.Total))
}

func gib(bytes int64) string { return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30)) }

func holding(dev admin.Device, id string) (admin.Holding, bool) {
	i := slices.IndexFunc(dev.Holdings, func(h admin.Holding) bool { return h.ID == id && !h.Gone })
	if i < 0 {
		return admin.Holding{}, false
	}
	return dev.Holdings[i], true
}
