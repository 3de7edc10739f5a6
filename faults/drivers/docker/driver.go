// Package docker is the driver that harms containers of a Docker engine: it kills a node's container
// and starts it again. It touches only containers that carry the label dev.brownout.node, and nothing else.
//
// What may not live here: leases, journals and proof windows (faults/agent), starting what was never there.
package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/brownout-dev/brownout/faults"
)

// Label marks the containers that may be harmed; its value is the node's name in selectors ("n2").
const Label = "dev.brownout.node"

// Engine is what the driver needs of a Docker engine; *client.Client is one.
type Engine interface {
	ContainerList(ctx context.Context, o client.ContainerListOptions) (client.ContainerListResult, error)
	ContainerInspect(ctx context.Context, id string, o client.ContainerInspectOptions) (client.ContainerInspectResult, error)
	ContainerKill(ctx context.Context, id string, o client.ContainerKillOptions) (client.ContainerKillResult, error)
	ContainerStart(ctx context.Context, id string, o client.ContainerStartOptions) (client.ContainerStartResult, error)
}

// Driver is a faults.Driver. Safe for concurrent use.
type Driver struct {
	engine Engine
	noop   bool
}

// Config says which engine. NoOp makes Arm do nothing: the negative control of the harness.
type Config struct {
	Engine Engine
	NoOp   bool
}

// New makes a driver; nothing is asked yet.
func New(cfg Config) *Driver { return &Driver{engine: cfg.Engine, noop: cfg.NoOp} }

// Dial is the engine that DOCKER_HOST names, or this machine's own.
func Dial() (*client.Client, error) {
	c, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("no Docker engine can be reached (%w): start it, or set DOCKER_HOST", err)
	}
	return c, nil
}

// Name is the driver's word.
func (d *Driver) Name() string { return "docker" }

// Kinds lists what it can do.
func (d *Driver) Kinds() []string { return []string{"node.kill"} }

// undo is the driver's undo state: container ids by node.
type undo struct {
	Containers map[string]string `json:"containers"`
}

// Candidates are the nodes of the containers that carry Label, running or not.
func (d *Driver) Candidates(ctx context.Context) (map[string][]string, error) {
	found, err := d.labelled(ctx)
	if err != nil {
		return nil, err
	}
	var nodes []string
	for node := range found {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	return map[string][]string{"node": nodes}, nil
}

// Arm kills the containers with SIGKILL. The engine does not restart what was killed by hand, whatever
// the container's restart policy.
func (d *Driver) Arm(ctx context.Context, _ string, _ faults.Fault, targets []string) ([]byte, error) {
	found, err := d.labelled(ctx)
	if err != nil {
		return nil, err
	}
	u := undo{Containers: map[string]string{}}
	for _, node := range targets {
		c, ok := found[node]
		if !ok {
			return nil, fmt.Errorf("no container has the label %s=%s any more", Label, node)
		}
		u.Containers[node] = c.ID
	}
	state, err := json.Marshal(u)
	if err != nil || d.noop {
		return state, err
	}
	for _, node := range targets {
		if found[node].State != container.StateRunning {
			return state, fmt.Errorf("the container of %s is %s already: start it before it can be killed", node, found[node].State)
		}
		if _, err := d.engine.ContainerKill(ctx, u.Containers[node], client.ContainerKillOptions{Signal: "KILL"}); err != nil {
			return state, fmt.Errorf("the container of %s cannot be killed: %w", node, err)
		}
	}
	return state, nil
}

// Prove holds when every container's process is gone.
func (d *Driver) Prove(ctx context.Context, _ string, _ faults.Fault, targets []string) (faults.Proof, error) {
	return d.look(ctx, targets, func(s *container.State) bool { return !s.Running && s.ExitCode == killed })
}

// ProveGone holds when every container runs again. Whether the node in it serves is its own to say.
func (d *Driver) ProveGone(ctx context.Context, _ string, _ faults.Fault, targets []string) (faults.Proof, error) {
	return d.look(ctx, targets, func(s *container.State) bool { return s.Running })
}

// Clear starts the containers again. Without undo state it starts every labelled one that was killed:
// the holder died between killing and writing down what it killed.
func (d *Driver) Clear(ctx context.Context, id string, state []byte) error {
	var u undo
	if len(state) > 0 {
		if err := json.Unmarshal(state, &u); err != nil {
			return fmt.Errorf("the undo state of fault %s is not this driver's: %w", id, err)
		}
	} else {
		found, err := d.labelled(ctx)
		if err != nil {
			return err
		}
		u.Containers = map[string]string{}
		for node, c := range found {
			if s, err := d.state(ctx, c.ID); err == nil && !s.Running && s.ExitCode == killed {
				u.Containers[node] = c.ID
			}
		}
	}
	var errs []error
	for node, c := range u.Containers {
		// Starting what runs is no error to the engine.
		if _, err := d.engine.ContainerStart(ctx, c, client.ContainerStartOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("the container of %s cannot be started again: %w", node, err))
		}
	}
	return errors.Join(errs...)
}

// killed is the exit code of a process that SIGKILL ended: 128 + 9.
const killed = 137

// look holds when want is true of every target's container.
func (d *Driver) look(ctx context.Context, targets []string, want func(*container.State) bool) (faults.Proof, error) {
	found, err := d.labelled(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	all, evidence := true, make([]string, 0, len(targets))
	for _, node := range targets {
		c, ok := found[node]
		if !ok {
			return faults.Proof{Evidence: fmt.Sprintf("no container has the label %s=%s", Label, node)}, nil
		}
		s, err := d.state(ctx, c.ID)
		if err != nil {
			return faults.Proof{}, err
		}
		all = all && want(s)
		evidence = append(evidence, describe(node, c.ID, s))
	}
	return faults.Proof{Holds: all, Evidence: strings.Join(evidence, "; ")}, nil
}

func describe(node, id string, s *container.State) string {
	id = id[:min(len(id), 12)]
	if s.Running {
		return fmt.Sprintf("container %s of %s runs as process %d since %s", id, node, s.Pid, s.StartedAt)
	}
	return fmt.Sprintf("container %s of %s is %s with exit code %d since %s", id, node, s.Status, s.ExitCode, s.FinishedAt)
}

func (d *Driver) state(ctx context.Context, id string) (*container.State, error) {
	r, err := d.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fmt.Errorf("the Docker engine does not describe container %s: %w", id, err)
	}
	if r.Container.State == nil {
		return nil, fmt.Errorf("the Docker engine says nothing of the state of container %s", id)
	}
	return r.Container.State, nil
}

// labelled are the containers that may be harmed, by node. Two of the same node are an error: which
// one is meant?
func (d *Driver) labelled(ctx context.Context) (map[string]container.Summary, error) {
	list, err := d.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", Label)})
	if err != nil {
		return nil, fmt.Errorf("the Docker engine does not answer (%w): is it running, and may this user talk to it?", err)
	}
	found := map[string]container.Summary{}
	for _, c := range list.Items {
		node := c.Labels[Label]
		if other, twice := found[node]; twice {
			return nil, fmt.Errorf("containers %.12s and %.12s both have the label %s=%s: a node is one container, remove the label from one", other.ID, c.ID, Label, node)
		}
		found[node] = c
	}
	return found, nil
}
