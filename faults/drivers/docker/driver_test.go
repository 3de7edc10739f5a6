package docker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/drivers/docker"
	"github.com/brownout-dev/brownout/faults/faultstest"
)

// engine is the least of a Docker engine.
type engine struct {
	mu         sync.Mutex
	containers []*container.InspectResponse
	broken     error
	killed     []string
}

// add runs a container with a label; node "" leaves the label out.
func (e *engine) add(id, node string) {
	c := &container.InspectResponse{ID: id, Config: &container.Config{Labels: map[string]string{}},
		State: &container.State{Status: container.StateRunning, Running: true, Pid: 7}}
	if node != "" {
		c.Config.Labels[docker.Label] = node
	}
	e.containers = append(e.containers, c)
}

func (e *engine) find(id string) (*container.InspectResponse, error) {
	for _, c := range e.containers {
		if c.ID == id {
			return c, e.broken
		}
	}
	return nil, fmt.Errorf("No such container: %s", id)
}

func (e *engine) ContainerList(_ context.Context, o client.ContainerListOptions) (r client.ContainerListResult, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		if _, ok := c.Config.Labels[docker.Label]; !ok && o.Filters["label"][docker.Label] {
			continue
		}
		if !c.State.Running && !o.All {
			continue
		}
		r.Items = append(r.Items, container.Summary{ID: c.ID, Labels: c.Config.Labels, State: c.State.Status})
	}
	return r, e.broken
}

func (e *engine) ContainerInspect(_ context.Context, id string, _ client.ContainerInspectOptions) (r client.ContainerInspectResult, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(id)
	if err != nil {
		return r, err
	}
	r.Container = *c
	state := *c.State
	r.Container.State = &state
	return r, nil
}

func (e *engine) ContainerKill(_ context.Context, id string, o client.ContainerKillOptions) (r client.ContainerKillResult, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(id)
	if err != nil {
		return r, err
	}
	e.killed = append(e.killed, id+" "+o.Signal)
	*c.State = container.State{Status: container.StateExited, ExitCode: 137}
	return r, nil
}

func (e *engine) ContainerStart(_ context.Context, id string, _ client.ContainerStartOptions) (r client.ContainerStartResult, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(id)
	if err == nil {
		*c.State = container.State{Status: container.StateRunning, Running: true, Pid: 8}
	}
	return r, err
}

func three() *engine {
	e := &engine{}
	e.add("aaaaaaaaaaaaaaaa", "n1")
	e.add("bbbbbbbbbbbbbbbb", "n2")
	e.add("cccccccccccccccc", "")
	return e
}

const kill = "node.kill on node=n2 for 5s"

func TestConformance(t *testing.T) {
	faultstest.Conform(t, faultstest.Case{Fault: kill, New: func() func(*testing.T) faults.Driver {
		var last string
		var e *engine
		return func(t *testing.T) faults.Driver {
			if e == nil || last != t.Name() { // the suite asks for a healthy target once a subtest
				e, last = three(), t.Name()
			}
			return docker.New(docker.Config{Engine: e})
		}
	}()})
}

func fault(t *testing.T) faults.Fault {
	t.Helper()
	f, err := faults.Parse(kill)
	require.NoError(t, err)
	return f
}

func TestOnlyLabelledContainersAreTouched(t *testing.T) {
	e := three()
	d := docker.New(docker.Config{Engine: e})
	candidates, err := d.Candidates(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{"node": {"n1", "n2"}}, candidates)
	_, err = d.Arm(t.Context(), "f", fault(t), []string{"n2"})
	require.NoError(t, err)
	assert.Equal(t, []string{"bbbbbbbbbbbbbbbb KILL"}, e.killed)
	_, err = d.Arm(t.Context(), "f", fault(t), []string{"n3"})
	require.ErrorContains(t, err, "dev.brownout.node=n3")
}

func TestTheControlIsNotProven(t *testing.T) {
	e := three()
	d := docker.New(docker.Config{Engine: e, NoOp: true})
	_, err := d.Arm(t.Context(), "f", fault(t), []string{"n2"})
	require.NoError(t, err)
	p, err := d.Prove(t.Context(), "f", fault(t), []string{"n2"})
	require.NoError(t, err)
	assert.False(t, p.Holds)
	assert.Contains(t, p.Evidence, "runs as process 7")
}

func TestTrouble(t *testing.T) {
	t.Run("two containers of one node", func(t *testing.T) {
		e := three()
		e.add("dddddddddddddddd", "n2")
		_, err := docker.New(docker.Config{Engine: e}).Candidates(t.Context())
		require.ErrorContains(t, err, "a node is one container")
	})
	t.Run("no engine", func(t *testing.T) {
		e := three()
		e.broken = errors.New("connection refused")
		_, err := docker.New(docker.Config{Engine: e}).Candidates(t.Context())
		require.ErrorContains(t, err, "is it running")
	})
	t.Run("dead already", func(t *testing.T) {
		e := three()
		d := docker.New(docker.Config{Engine: e})
		_, err := d.Arm(t.Context(), "f", fault(t), []string{"n2"})
		require.NoError(t, err)
		_, err = d.Arm(t.Context(), "g", fault(t), []string{"n2"})
		require.ErrorContains(t, err, "exited already")
	})
	t.Run("foreign undo state", func(t *testing.T) {
		assert.ErrorContains(t, docker.New(docker.Config{Engine: three()}).Clear(t.Context(), "f", []byte("{")), "not this driver's")
	})
}
