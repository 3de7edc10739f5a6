// Package calibrate measures the measuring client itself: its error against a stream whose every
// chunk is stamped as it is handed to the kernel, and its head-room over what a plan asks for.
//
// What may not live here: k6, the run's own target, judging (reports/slo has the limits).
package calibrate

import (
	"context"
	"fmt"
	"math"
	"net"
	"runtime"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Longest is how long Run takes at most; usually it is one second, or 1.7 where the machine is busy.
const Longest = 6 * time.Second

// The paced part: streams of tokens chunks, gap apart, sent for window. A stream lives 160 ms, so three
// rounds of it fit, and with the concurrency below they are 96 to 300 streams.
const (
	tokens = 16
	gap    = 10 * time.Millisecond // of a usual 8B model under load
	window = 480 * time.Millisecond
)

// A round lasts 640 ms, so that one stall of the machine of some 10 ms decides its p99; over a whole run
// that is nothing, and guards of its own watch the run. So a round that ends above fair is tried once
// more and the better one is told. A client that is starved is so both times.
const (
	maxRounds = 2
	fair      = 0.005 // seconds; seven times the quietest round seen on two shared cores
)

// Bounds of the picture of the plan that the paced part draws. Fewer streams have no p99; more would
// load the machine with the known server and not with the client.
const (
	minConcurrent = 32
	maxConcurrent = 100
)

// The unpaced part.
const (
	sprint    = 300 * time.Millisecond
	maxTokens = 256 // of one of its streams: longer ones change nothing in chunks a second
)

// Config is what the client is calibrated for.
type Config struct {
	Plan  load.Plan  // of the run
	Share load.Share // of it, that this process sends; zero = all
	Exact bool       // compare every token, as the run will
	Clock *event.Clock

	within time.Duration      // [Longest]
	waiter func() pace.Waiter // paces sends and chunks; nil = pace.New
	listen net.Listener       // of the known server; nil = loopback
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	stamp  func() event.Time // what the known server says of a chunk's instant; nil = the clock
}

// Run calibrates. When it returns, nothing of it is left: sockets are closed, goroutines have ended and
// their garbage was collected. The error says why there are no numbers.
func Run(ctx context.Context, cfg Config) (record.Calibration, error) {
	began := time.Now()
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.within)
	defer cancel()
	out := record.Calibration{Asked: cfg.asked()}
	err := cfg.measure(ctx, &out)
	runtime.GC()
	out.Seconds = time.Since(began).Seconds()
	if err != nil {
		err = fmt.Errorf("the client could not be calibrated against a known stream: %w", err)
	}
	return out, err
}

func (c Config) withDefaults() Config {
	if c.Share == (load.Share{}) {
		c.Share = load.Whole()
	}
	if c.within == 0 {
		c.within = Longest
	}
	if c.Clock == nil {
		c.Clock = event.NewClock()
	}
	if c.waiter == nil {
		c.waiter = pace.New
	}
	if c.stamp == nil {
		c.stamp = c.Clock.Now
	}
	return c
}

// asked is how many chunks a second the plan asks this process to read, on average. Of a closed loop
// nobody knows: zero, and its head-room is not told.
func (c Config) asked() float64 {
	return c.Plan.MeanRate() * c.part() * c.length()
}

func (c Config) part() float64 { return c.Share.To - c.Share.From }

// length is how many chunks an answer of the plan has on average: one where it is no stream.
func (c Config) length() float64 {
	classes, sum := c.Plan.Classes(), 0.0
	for i, share := range c.Plan.Shares() {
		chunks := 1.0
		if classes[i].Streams() {
			chunks = max(1, classes[i].Output.Drawn())
		}
		sum += share * chunks
	}
	return sum
}

// concurrent is how many paced streams are open at a time: as many as bring the plan's chunks a second
// at one chunk each gap; of a closed loop one for each user.
func (c Config) concurrent() int {
	open := c.asked() * gap.Seconds()
	if c.Plan.Arrivals.Process == load.Closed {
		open = float64(c.Plan.Arrivals.Concurrency) * c.part()
	}
	return int(math.Round(min(max(open, minConcurrent), maxConcurrent)))
}

// model is what the known streams ask for: the known server serves any.
func (c Config) model() string { return c.Plan.Classes()[0].Model }

func (c Config) measure(ctx context.Context, out *record.Calibration) error {
	known, err := startKnown(c)
	if err != nil {
		return err
	}
	defer known.stop()
	open, err := client.New(client.Config{
		Client: load.Client{BaseURL: known.url, Exact: c.Exact, ConnectTimeout: c.within, TTFTTimeout: c.within,
			StallTimeout: c.within, TotalTimeout: c.within},
		Model: c.model(), Stream: true, Clock: c.Clock, MaxIdle: maxConcurrent, Dial: c.dial,
	})
	if err != nil {
		return err
	}
	defer open.Close()
	if err := c.rounds(out, func(try *record.Calibration) error { return c.paced(ctx, known, open, try) }); err != nil {
		return err
	}
	return c.unpaced(ctx, known, open, out)
}

// rounds measures with paced until a round is fair, maxRounds times at most, and keeps the best.
func (c Config) rounds(out *record.Calibration, paced func(*record.Calibration) error) error {
	worst := func(r *record.Calibration) float64 { return max(r.TTFTError.P99, r.GapError.P99) }
	for n := 1; n <= maxRounds; n++ {
		try := *out
		if err := paced(&try); err != nil {
			return err
		}
		if n == 1 || worst(&try) < worst(out) {
			*out = try
		}
		out.Rounds = n
		if worst(out) <= fair {
			break
		}
	}
	return nil
}
