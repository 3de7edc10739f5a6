package e2e

import (
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"

	"github.com/brownout-dev/brownout/reports/slo"
)

// The journeys of TestCI against the server's image: everything crosses a container's network, and
// the faults are held by an agent of the harness.
func TestBasicContainers(t *testing.T) {
	Docker(t)
	env := []string{"BROWNOUT_ADMIN_TOKEN=" + adminToken}

	t.Run("steady", func(t *testing.T) {
		s := StartContainer(t)
		a, r := Settled(t, env, "steady", "--target", s.API, "--target-admin", s.Admin)
		require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
		assert.Equal(t, slo.Pass, r.Judgement.Verdict)
	})
	t.Run("gpu-oom", func(t *testing.T) {
		s := StartContainer(t)
		a, r := Settled(t, env, "gpu-oom", "--target", s.API, "--target-admin", s.Admin)
		require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
		f := onlyFault(t, r)
		assert.Contains(t, f.Evidence, "refused")
		assert.NotEmpty(t, f.Gone)
		assert.True(t, seen(r, "engine.budget_halved"))
		assert.FileExists(t, a.Dir+"/agent.log", "the harness held the fault itself")
		assert.Len(t, r.Clocks, 3, "server, fault agent and load generator")
	})
	t.Run("node-loss", func(t *testing.T) {
		s := StartCluster(t, "full")
		a, r := Settled(t, env, "node-loss", "--target", s.API, "--target-admin", s.Admin, "--docker")
		require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
		f := onlyFault(t, r)
		assert.Contains(t, f.Evidence, "exit code 137", "Docker killed the node's container")
		assert.Contains(t, f.Gone, "runs as process", "and started it again")
		assert.Zero(t, r.Judgement.Run.Outcomes["truncated"]+r.Judgement.Run.Outcomes["corrupt"])
		assert.True(t, seen(r, "node.dead"))
		assert.True(t, seen(r, "node.returned"))
	})
}

func TestE2EContainersWithoutResilience(t *testing.T) {
	Docker(t)
	s := StartContainer(t, "--resilience", "none")
	a, r := Settled(t, []string{"BROWNOUT_ADMIN_TOKEN=" + adminToken}, "gpu-oom", "--target", s.API, "--target-admin", s.Admin)
	require.Equal(t, 99, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.NotZero(t, onlyFault(t, r).Lost)
}

// What a failed test leaves behind is the next one's trouble: a container of these tests is gone once
// its test is over.
func TestBasicContainersLeaveNothing(t *testing.T) {
	Docker(t)
	var id string
	t.Run("inner", func(t *testing.T) { id = StartContainer(t).GetContainerID() })
	require.NotEmpty(t, id)
	docker, err := testcontainers.NewDockerClientWithOpts(t.Context())
	require.NoError(t, err)
	defer docker.Close()
	_, err = docker.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	assert.ErrorContains(t, err, "No such container")
}
