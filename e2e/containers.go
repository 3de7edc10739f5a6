package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// Docker skips the test where no Docker engine answers, and prepares testcontainers for engines that
// cannot pull images: its reaper cannot run there, so cleaning up is these tests' own duty.
func Docker(t *testing.T) {
	t.Helper()
	t.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	if _, err := os.Stat("/.dockerenv"); err == nil {
		t.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1") // else it takes this machine for a container
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err == nil {
		err = errors.Join(provider.Health(ctx), provider.Close())
	}
	if err != nil {
		t.Skipf("no Docker engine answers, so the container journeys are not run (the same journeys run as child processes): %v", err)
	}
}

// Container is the reference server in a container.
type Container struct {
	testcontainers.Container
	API, Admin string // base URLs, reachable from here
}

// StartContainer builds the image from the tree's static binary and runs it.
func StartContainer(t *testing.T, args ...string) Container {
	t.Helper()
	image, err := filepath.Abs("../bin/image")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(image, "refserver"), "build it first: make image")
	c, err := testcontainers.Run(t.Context(), "",
		testcontainers.WithDockerfile(testcontainers.FromDockerfile{Context: image, Repo: "brownout-e2e", Tag: "refserver"}),
		testcontainers.WithExposedPorts("8000/tcp", "9000/tcp"),
		testcontainers.WithEnv(map[string]string{"BROWNOUT_ADMIN_TOKEN": adminToken}),
		testcontainers.WithCmd(append([]string{"--listen", "0.0.0.0:8000", "--admin-listen", "0.0.0.0:9000", "--control"}, args...)...),
		testcontainers.WithWaitStrategyAndDeadline(time.Minute, wait.ForHTTP("/readyz").WithPort("8000/tcp")),
	)
	testcontainers.CleanupContainer(t, c) // before the error is looked at: a failed start leaves a container too
	require.NoError(t, err)
	s := Container{Container: c}
	s.API, err = c.PortEndpoint(t.Context(), "8000/tcp", "http")
	require.NoError(t, err)
	s.Admin, err = c.PortEndpoint(t.Context(), "9000/tcp", "http")
	require.NoError(t, err)
	return s
}
