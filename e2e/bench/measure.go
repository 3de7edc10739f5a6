package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// measure runs everything and prints it.
func (s *settings) measure(ctx context.Context, out io.Writer) error {
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	clock, stopClock, err := serveClock(ctx)
	if err != nil {
		return err
	}
	defer stopClock()
	dir, err := os.MkdirTemp("", "brownout-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{settings: s, server: server, clock: clock, dir: dir, out: out}
	fmt.Fprintf(out, "%d CPUs (%s), %s, load average %s\n", runtime.NumCPU(), runtime.GOARCH, runtime.Version(), loadAverage())
	for _, shape := range []shape{
		{"one write a stream", server.urls[0], s.rate},
		{fmt.Sprintf("one write a chunk, every %v", step), server.urls[1], s.stepRate},
	} {
		if s.rounds == 0 {
			break
		}
		if err := b.compare(ctx, shape); err != nil {
			return err
		}
	}
	if s.lagRate > 0 {
		if err := b.lag(ctx); err != nil {
			return err
		}
	}
	if s.requests > 0 {
		return b.long(ctx)
	}
	return nil
}

type bench struct {
	*settings
	server *server
	clock  string
	dir    string
	out    io.Writer
	jobs   int
}

// cost is what one load took.
type cost struct {
	cpu    time.Duration // user + system, of the load generator's process
	rss    int64         // its peak, bytes
	wall   time.Duration
	served int64 // streams
	job    job
}

// load has a peer make one load and waits for its end.
func (b *bench) load(ctx context.Context, p peer, j job) (cost, error) {
	b.jobs++
	j.binary, j.clock, j.dir = b.binary, b.clock, filepath.Join(b.dir, strconv.Itoa(b.jobs))
	if err := os.Mkdir(j.dir, 0o700); err != nil {
		return cost{}, err
	}
	args, stdin, err := p.command(j)
	if err != nil {
		return cost{}, err
	}
	before, err := b.server.count()
	if err != nil {
		return cost{}, err
	}
	c, err := call(ctx, stdin, args...)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", p.name, err)
	}
	after, err := b.server.count()
	c.served, c.job = after-before, j
	return c, err
}

// call runs one command to its end; its output is only shown if it fails.
func call(ctx context.Context, stdin string, args ...string) (cost, error) {
	child := exec.CommandContext(ctx, args[0], args[1:]...)
	child.Stdin = strings.NewReader(stdin)
	child.Env = append(os.Environ(), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "K6_NO_COLOR=true")
	var text bytes.Buffer
	child.Stdout, child.Stderr = &text, &text
	began := time.Now()
	if err := child.Run(); err != nil {
		return cost{}, fmt.Errorf("%w\n%s", err, text.Bytes())
	}
	state := child.ProcessState
	return cost{cpu: state.UserTime() + state.SystemTime(), rss: peakRSS(state), wall: time.Since(began)}, nil
}

// server is the child that answers.
type server struct {
	urls  [2]string
	child *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func startServer(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{child: exec.CommandContext(ctx, self, "server")}
	s.child.Stderr = os.Stderr
	if s.in, err = s.child.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.child.Start(); err != nil {
		return nil, err
	}
	s.lines = bufio.NewScanner(out)
	for i := range s.urls {
		if !s.lines.Scan() {
			s.stop()
			return nil, fmt.Errorf("the server did not start: %w", s.lines.Err())
		}
		s.urls[i] = s.lines.Text()
	}
	return s, nil
}

// count is how many streams were written whole.
func (s *server) count() (int64, error) {
	if _, err := io.WriteString(s.in, "count\n"); err != nil {
		return 0, err
	}
	if !s.lines.Scan() {
		return 0, fmt.Errorf("the server ended: %w", io.ErrUnexpectedEOF)
	}
	return strconv.ParseInt(s.lines.Text(), 10, 64)
}

func (s *server) stop() {
	_ = s.in.Close()
	_ = s.child.Wait() // it was told to end
}

// serveClock is the harness's side of the measuring client: its clock.
func serveClock(ctx context.Context) (url string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	clock := event.NewClock()
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(clock.Read()) // a client that left needs no answer
	})}
	go func() { _ = srv.Serve(l) }() // ends with ErrServerClosed
	return "http://" + l.Addr().String(), func() { srv.Close() }, nil
}

// loadAverage tells how busy the machine was before; unknown where there is no /proc.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(data))[:3], " ")
}
