package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/brownout-dev/brownout/faults/drivers/docker"
)

// Docker skips the test where no Docker engine answers. Where the engine has no image of testcontainers'
// reaper and cannot pull it, the reaper is off, and cleaning up is these tests' own duty.
func Docker(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/.dockerenv"); err == nil {
		t.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1") // else it takes this machine for a container
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	engine, err := docker.Dial()
	if err == nil {
		_, err = engine.Ping(ctx, client.PingOptions{})
	}
	if err != nil {
		t.Skipf("no Docker engine answers, so the container journeys are not run (the same journeys run as child processes): %v", err)
	}
	defer engine.Close()
	reaper := testcontainers.ReaperDefaultImage //nolint:staticcheck // deprecated without another way to learn its name
	if _, err := engine.ImageInspect(ctx, reaper); err == nil {
		return
	}
	pull, err := engine.ImagePull(ctx, reaper, client.ImagePullOptions{})
	if err == nil {
		err = errors.Join(pull.Wait(ctx), pull.Close())
	}
	if err != nil {
		t.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	}
}

// Container is the reference server in a container.
type Container struct {
	testcontainers.Container
	API, Admin string // base URLs, reachable from here
}

// image is the Docker context that `make image` fills.
func image(t *testing.T) testcontainers.ContainerCustomizer {
	t.Helper()
	dir, err := filepath.Abs("../bin/image")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "refserver"), "build it first: make image")
	return testcontainers.WithDockerfile(testcontainers.FromDockerfile{Context: dir, Repo: "brownout-e2e", Tag: "refserver"})
}

// StartContainer builds the image from the tree's static binary and runs it.
func StartContainer(t *testing.T, args ...string) Container {
	t.Helper()
	return startGateway(t,
		testcontainers.WithEnv(map[string]string{"BROWNOUT_ADMIN_TOKEN": adminToken}),
		testcontainers.WithCmd(append([]string{"--listen", "0.0.0.0:8000", "--admin-listen", "0.0.0.0:9000", "--control"}, args...)...))
}

// StartCluster runs the cluster of refserver/deploy/cluster.yaml: a gateway, and three nodes on a
// private network that `brownout --docker` may kill.
func StartCluster(t *testing.T, resilience string) Container {
	t.Helper()
	net, err := network.New(t.Context())
	testcontainers.CleanupNetwork(t, net)
	require.NoError(t, err)
	config, err := filepath.Abs("../refserver/deploy/cluster.yaml")
	require.NoError(t, err)
	common := func(alias string, cmd ...string) []testcontainers.ContainerCustomizer {
		return []testcontainers.ContainerCustomizer{
			network.WithNetwork([]string{alias}, net),
			testcontainers.WithFiles(testcontainers.ContainerFile{HostFilePath: config, ContainerFilePath: "/cluster.yaml", FileMode: 0o444}),
			testcontainers.WithEnv(map[string]string{"BROWNOUT_ADMIN_TOKEN": adminToken, "BROWNOUT_NODE_TOKEN": "e2e-node"}),
			testcontainers.WithCmd(append(cmd, "--config", "/cluster.yaml", "--resilience", resilience)...),
		}
	}
	for _, n := range []string{"1", "2", "3"} {
		node, err := testcontainers.Run(t.Context(), "", append(common("node"+n, "node", "--id", "n"+n, "--listen", "0.0.0.0:7001"),
			image(t), testcontainers.WithLabels(map[string]string{"dev.brownout.node": "n" + n}))...)
		testcontainers.CleanupContainer(t, node) // before the error is looked at: a failed start leaves a container too
		require.NoError(t, err)
	}
	return startGateway(t, common("gateway")...)
}

func startGateway(t *testing.T, opts ...testcontainers.ContainerCustomizer) Container {
	t.Helper()
	c, err := testcontainers.Run(t.Context(), "", append(opts, image(t),
		testcontainers.WithExposedPorts("8000/tcp", "9000/tcp"),
		testcontainers.WithWaitStrategyAndDeadline(time.Minute, wait.ForHTTP("/readyz").WithPort("8000/tcp")))...)
	testcontainers.CleanupContainer(t, c) // before the error is looked at: a failed start leaves a container too
	require.NoError(t, err)
	s := Container{Container: c}
	s.API, err = c.PortEndpoint(t.Context(), "8000/tcp", "http")
	require.NoError(t, err)
	s.Admin, err = c.PortEndpoint(t.Context(), "9000/tcp", "http")
	require.NoError(t, err)
	return s
}
