package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// adminToken opens the admin listener of the servers of these tests.
const adminToken = "e2e-admin"

// Server is a `brownout serve` child that holds faults.
type Server struct{ API, Admin, Faults string }

// Env is what the examples in k6ext read.
func (s Server) Env() []string {
	return []string{"BROWNOUT_URL=" + s.API, "BROWNOUT_FAULTS=" + s.Faults, "BROWNOUT_FAULT_TOKEN=b"}
}

// Serve starts the reference server on ports of its own and stops it with the test.
func Serve(t testing.TB, args ...string) Server {
	t.Helper()
	ports := freePorts(t, 3)
	s := Server{API: "http://" + ports[0], Admin: "http://" + ports[1], Faults: "http://" + ports[2]}
	c := exec.Command(Binary(t), append([]string{"serve", "--preset", "chat-8b", "--faults", "--fault-dir", t.TempDir(),
		"--listen", ports[0], "--admin-listen", ports[1], "--fault-listen", ports[2]}, args...)...)
	c.Env = append(os.Environ(), "BROWNOUT_ADMIN_TOKEN="+adminToken, "BROWNOUT_FAULT_TOKEN=b")
	log := &buffer{}
	c.Stdout, c.Stderr = log, log
	start(t, c)
	ready(t, s.API+"/readyz", log)
	ready(t, s.Faults+"/faults", log)
	return s
}

// start starts a child and stops it with the test: gently, then for good.
func start(t testing.TB, c *exec.Cmd) {
	t.Helper()
	require.NoError(t, c.Start())
	ended := make(chan struct{})
	go func() {
		_ = c.Wait() // however it ends
		close(ended)
	}()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // an ended process needs no signal
		select {
		case <-ended:
		case <-time.After(15 * time.Second):
			_ = c.Process.Kill()
			<-ended
		}
	})
}

// ready waits until something answers at url.
func ready(t testing.TB, url string, log fmt.Stringer) {
	t.Helper()
	require.Eventually(t, func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode < 500
	}, time.Minute, 50*time.Millisecond, "nothing answers at %s: %s", url, log)
}

// freePorts are addresses on loopback that nobody listens on; all are taken before the first is given free.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	out := make([]string, n)
	for i := range out {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		out[i] = l.Addr().String()
	}
	return out
}

// buffer is a bytes.Buffer that may be read while a child writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
