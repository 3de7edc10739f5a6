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
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/admin"
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

// holdMargin is how much longer than the fault the server keeps a harm by itself: it lets go even
// when this process was killed, and never before this process would have.
const holdMargin = 5 * time.Second

// Driver is a faults.Driver. Safe for concurrent use.
type Driver struct {
	server control
	noop   bool
	harms  map[string]harm // by kind
}

// harm is how one kind is done to this server. Calls for one fault are serialised by the holder.
type harm interface {
	// arm does it to every target.
	arm(ctx context.Context, id string, f faults.Fault, targets []string) error
	// prove and gone look at the targets.
	prove(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error)
	gone(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error)
	// free takes it off the targets, and off whatever else now bears the fault's id.
	free(ctx context.Context, now admin.State, id string, targets []string) []error
	// forget drops what was remembered of the fault.
	forget(id string)
}

// undo is the driver's undo state.
type undo struct {
	Kind    string   `json:"kind"`
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
	server := control{base: strings.TrimRight(cfg.AdminURL, "/"), token: cfg.Token, http: cfg.Client}
	return &Driver{
		server: server,
		noop:   cfg.NoOp,
		harms:  map[string]harm{"gpu.oom": newHog(server), "gpu.slow": newBrake(server), "node.kill": &wreck{server: server}},
	}, nil
}

// Name is the driver's word.
func (d *Driver) Name() string { return "refserver" }

// Kinds lists what it can do.
func (d *Driver) Kinds() []string { return slices.Sorted(maps.Keys(d.harms)) }

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

// Arm does what the kind says to every target.
func (d *Driver) Arm(ctx context.Context, id string, f faults.Fault, targets []string) ([]byte, error) {
	state, err := json.Marshal(undo{Kind: f.Kind, Targets: targets})
	if err != nil || d.noop {
		return state, err
	}
	h, err := d.harm(f)
	if err != nil {
		return state, err
	}
	return state, h.arm(ctx, id, f, targets)
}

// Prove holds when the harm is seen on every target.
func (d *Driver) Prove(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error) {
	h, err := d.harm(f)
	if err != nil {
		return faults.Proof{}, err
	}
	return h.prove(ctx, id, f, targets)
}

// ProveGone holds when no target shows any of the harm.
func (d *Driver) ProveGone(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error) {
	h, err := d.harm(f)
	if err != nil {
		return faults.Proof{}, err
	}
	return h.gone(ctx, id, f, targets)
}

func (d *Driver) harm(f faults.Fault) (harm, error) {
	h, ok := d.harms[f.Kind]
	if !ok {
		return nil, fmt.Errorf("the refserver driver cannot do %q: it does %s", f.Kind, strings.Join(d.Kinds(), ", "))
	}
	return h, nil
}

// Clear lets go of every target. Without undo state (the holder died while arming) it finds what bears
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
	var failed []error
	for _, kind := range d.Kinds() {
		var targets []string
		if kind == u.Kind {
			targets = u.Targets
		}
		failed = append(failed, d.harms[kind].free(ctx, now, id, targets)...)
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for _, h := range d.harms {
		h.forget(id)
	}
	return nil
}

// freeDevices calls release for every device that is a target or bears the fault; one that is gone took its harm along.
func freeDevices(now admin.State, targets []string, bears func(admin.Device) bool, release func(target string) error) (failed []error) {
	for _, node := range now.Nodes {
		for _, dev := range node.Devices {
			if slices.Contains(targets, dev.ID) || bears(dev) {
				failed = append(failed, release(dev.ID))
			}
		}
	}
	return failed
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
