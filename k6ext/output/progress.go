package output

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// ProgressEnv names the inherited file descriptor that gets one JSON line of load.Progress a second.
const ProgressEnv = "BROWNOUT_PROGRESS_FD"

// recent is how many of the newest TTFTs the live p99 looks at: some seconds of an ordinary load.
const recent = 1000

// progress tells the harness how the load is doing. All methods work on nil: nobody listens then.
type progress struct {
	session *session.Session
	to      io.WriteCloser

	mu      sync.Mutex
	done    uint64
	bad     uint64
	before  uint64 // done at the last line
	ttft    [recent]float64
	ttfts   int // how many were ever stored
	message string

	stopc   chan struct{}
	stopped chan struct{}
}

func newProgress(env map[string]string, s *session.Session) (*progress, error) {
	text := env[ProgressEnv]
	if text == "" {
		return nil, nil //nolint:nilnil // nil is a progress nobody listens to
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 || fd > 1<<16 {
		return nil, fmt.Errorf("%s is %q: it must be the number of an inherited file descriptor, 3 or more", ProgressEnv, text)
	}
	file := os.NewFile(uintptr(fd), "progress")
	if _, err := file.Stat(); err != nil {
		return nil, fmt.Errorf("%s is %d, but no such file descriptor was inherited: unset it", ProgressEnv, fd)
	}
	return &progress{session: s, to: file, stopc: make(chan struct{}), stopped: make(chan struct{})}, nil
}

func (p *progress) start() {
	if p != nil {
		go p.run()
	}
}

// stop writes a last line and waits for it, a second at most: a harness that no longer reads must
// not keep the load generator alive.
func (p *progress) stop() {
	if p == nil {
		return
	}
	close(p.stopc)
	select {
	case <-p.stopped:
	case <-time.After(time.Second):
	}
}

func (p *progress) run() {
	defer close(p.stopped)
	defer p.to.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := false; !last; {
		select {
		case <-tick.C:
		case <-p.stopc:
			last = true
		}
		line, err := json.Marshal(p.line(p.session.Clock.Now()))
		if err != nil {
			return
		}
		if _, err := p.to.Write(append(line, '\n')); err != nil {
			return // nobody reads any more
		}
	}
}

// take counts one record.
func (p *progress) take(r *record.Record) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if r.Harmed != 0 {
		p.bad++
	}
	if r.Outcome != record.OK && r.Outcome != record.Cancelled {
		p.message = r.Outcome.String()
		if r.Note != "" {
			p.message += ": " + r.Note
		}
	}
	if ttft, ok := r.TTFT(); ok {
		p.ttft[p.ttfts%recent] = ttft.Seconds()
		p.ttfts++
	}
}

// line is the state at now, a second after the last call.
func (p *progress) line(now event.Time) load.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := load.Progress{
		Due: p.session.Due.Load(), Done: p.done, Bad: p.bad, InFlight: int(p.session.InFlight.Load()),
		Rate: float64(p.done - p.before), Error: p.message, Fault: p.activeFault(),
	}
	p.before = p.done
	if start := p.session.Began(); start != 0 && now > start {
		l.At = now.Sub(start)
	}
	if o := p.session.Options(); o != nil {
		l.Total = o.Plan.Duration
		for _, mark := range o.Phases {
			if mark.At <= l.At {
				l.Phase = mark.Name
			}
		}
	}
	if n := min(p.ttfts, recent); n > 0 {
		sorted := slices.Clone(p.ttft[:n])
		slices.Sort(sorted)
		l.TTFTP99 = sorted[min(n-1, n*99/100)]
	}
	return l
}

// activeFault is the newest fault that is on.
func (p *progress) activeFault() string {
	for _, f := range slices.Backward(p.session.Faults()) {
		if f.ID != "" && f.Ended == 0 {
			return f.Fault
		}
	}
	return ""
}
