package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/build"
	"github.com/brownout-dev/brownout/internal/pace"
)

// Here is the machine this program runs on.
func Here(out string, needs Needs) Machine {
	return Machine{OS: runtime.GOOS, Root: os.DirFS("/"), Procs: runtime.GOMAXPROCS(0), CPUs: runtime.NumCPU(),
		Out: out, Needs: needs, Getenv: os.Getenv, Pause: pause, Late: late, Tick: tick, Bind: bind, Free: free,
		Docker: docker, Build: versions}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// waits of a lateness measurement: half a second of them.
const (
	waits = 200
	wait  = 2500 * time.Microsecond
)

func late(ctx context.Context, busy int) (p50, p99 time.Duration) {
	var burners sync.WaitGroup
	defer burners.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range busy {
		burners.Go(func() {
			for ctx.Err() == nil {
				for range 10_000 { // work without a use is what is wanted
				}
			}
		})
	}
	w := pace.New()
	var all []time.Duration
	for range waits {
		at := time.Now().Add(wait)
		if !w.Until(at, ctx.Done()) {
			break
		}
		all = append(all, time.Since(at))
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

func tick() time.Duration {
	least := time.Hour
	for range 1000 {
		a := time.Now()
		d := time.Since(a)
		for d == 0 {
			d = time.Since(a)
		}
		least = min(least, d)
	}
	return least
}

func bind() error {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback port is there at once or not at all
	if err != nil {
		return err
	}
	return l.Close()
}

// docker asks the engine of DOCKER_HOST, or of the usual socket. An engine beyond a socket is not asked.
func docker(ctx context.Context) (Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	socket := "/var/run/docker.sock"
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		path, ok := strings.CutPrefix(host, "unix://")
		if !ok {
			return Engine{}, errors.New("the engine is not on this machine")
		}
		socket = path
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
	var version struct{ Version, ApiVersion string } //nolint:revive,staticcheck // the engine's own spelling
	if err := ask(ctx, c, "/version", &version); err != nil {
		return Engine{}, err
	}
	e := Engine{Version: version.Version, API: version.ApiVersion}
	var images []struct{ RepoTags []string }
	filter := url.QueryEscape(`{"reference":["testcontainers/ryuk","debian:bookworm-slim"]}`)
	if err := ask(ctx, c, "/images/json?filters="+filter, &images); err != nil {
		return e, nil // an engine that lists no images is an engine
	}
	for _, i := range images {
		e.Images = append(e.Images, i.RepoTags...)
	}
	return e, nil
}

func ask(ctx context.Context, c *http.Client, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker"+path, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the engine answered %s", resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(into)
}

// versions are this program, the k6 it was built with, if any, and Go.
func versions() []Version {
	out := []Version{{"brownout", build.Version}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "go.k6.io/k6/v2" {
				out = append(out, Version{"k6", d.Version})
			}
		}
	}
	return append(out, Version{"go", strings.TrimPrefix(runtime.Version(), "go")})
}
