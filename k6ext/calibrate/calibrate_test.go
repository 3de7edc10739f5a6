package calibrate

import (
	"context"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func planned(rate, output float64) Config {
	return Config{within: 5 * time.Minute, Exact: true, Plan: load.Plan{Seed: 5, Model: "m", Stream: true, Arrivals: load.Arrivals{Rate: rate},
		Prompt: load.Length{Dist: load.Fixed, Mean: 32}, Output: load.Length{Dist: load.Fixed, Mean: output}}}
}

// late is a connection whose bytes lie around before the client looks at them: a starved client.
type late struct {
	net.Conn
	by    time.Duration // for the first read of an answer
	later time.Duration // for those after
	reads *int
}

func (l late) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if err == nil {
		*l.reads++
		if *l.reads%2 == 1 {
			time.Sleep(l.by)
		} else {
			time.Sleep(l.later)
		}
	}
	return n, err
}

// bubble runs the paced part in virtual time.
func bubble(t *testing.T, change func(*Config)) (out record.Calibration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(2 * time.Hour) // until whoever still sleeps in a read has left the bubble
		pipe := fakellm.NewPipe()
		c := planned(130, 64)
		c.listen, c.dial, c.waiter, c.Clock = pipe, pipe.Dial, func() pace.Waiter { return pace.Timers{} }, event.NewClock()
		change(&c)
		c = c.withDefaults()
		k, err2 := startKnown(c)
		require.NoError(t, err2)
		defer k.stop()
		open, err2 := client.New(client.Config{Client: load.Client{BaseURL: "http://known", Exact: true}, Model: "m", Stream: true, Clock: c.Clock, Dial: c.dial})
		require.NoError(t, err2)
		defer open.Close()
		ctx, cancel := context.WithTimeout(t.Context(), Longest)
		defer cancel()
		err = c.paced(ctx, k, open, &out)
	})
	return out, err
}

// In virtual time nothing takes time, so a client without error shows none.
func TestPunctualClientHasNoError(t *testing.T) {
	got, err := bubble(t, func(*Config) {})
	require.NoError(t, err)
	assert.Equal(t, 83, got.Concurrent, "130/s · 64 tokens · 10 ms")
	assert.Equal(t, 249, got.Streams)
	assert.Equal(t, record.Spread{N: 249}, got.TTFTError)
	assert.Equal(t, record.Spread{N: 249 * 15}, got.GapError)
}

// The controls: each planted error is found, to the nanosecond.
func TestPlantedErrorsAreFound(t *testing.T) {
	t.Run("a client that reads late", func(t *testing.T) {
		got, err := bubble(t, func(c *Config) {
			pipe := c.dial
			c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := pipe(ctx, network, address)
				return late{Conn: conn, by: 7 * time.Millisecond, later: 2 * time.Millisecond, reads: new(int)}, err
			}
		})
		require.NoError(t, err)
		assert.InDelta(t, 0.007, got.TTFTError.Max, 1e-9)
		assert.InDelta(t, 0.005, got.GapError.P99, 1e-9, "7 ms against 2 ms, in turn")
		assert.Positive(t, got.GapError.P50)
	})
	t.Run("a server that says it was earlier", func(t *testing.T) {
		got, err := bubble(t, func(c *Config) {
			clock := c.Clock
			c.stamp = func() event.Time { return clock.Now() - event.Time(3*time.Millisecond) }
		})
		require.NoError(t, err)
		assert.Equal(t, record.Spread{N: 249, P50: 0.003, P99: 0.003, Max: 0.003}, got.TTFTError)
		assert.Zero(t, got.GapError.Max, "a constant shift cancels out of gaps")
	})
	t.Run("a server whose stamps drift", func(t *testing.T) {
		got, err := bubble(t, func(c *Config) {
			clock, began := c.Clock, c.Clock.Now()
			c.stamp = func() event.Time { now := clock.Now(); return now + event.Time(now.Sub(began)/10) }
		})
		require.NoError(t, err)
		assert.InDelta(t, 0.001, got.GapError.P50, 1e-9, "a tenth of a gap of 10 ms")
		assert.Positive(t, got.TTFTError.P50, "a stamp in the future shows")
	})
	t.Run("a server that gives up", func(t *testing.T) {
		_, err := bubble(t, func(c *Config) {
			pipe, n := c.dial, 0
			c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := pipe(ctx, network, address)
				if n++; n == 40 {
					time.AfterFunc(20*time.Millisecond, func() { conn.Close() })
				}
				return conn, err
			}
		})
		require.Error(t, err)
		assert.Contains(t, err.Error(), "a known stream of 16 chunks came as")
	})
	t.Run("a client that never reads", func(t *testing.T) {
		_, err := bubble(t, func(c *Config) {
			pipe := c.dial
			c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := pipe(ctx, network, address)
				return late{Conn: conn, by: time.Hour, reads: new(int)}, err
			}
		})
		require.ErrorIs(t, err, errOpen)
	})
}

// On real sockets only the shape is known: how many, never how fast.
func TestRunOnSockets(t *testing.T) {
	for name, c := range map[string]Config{"like the plan": planned(130, 64), "not streamed": planned(1, 64), "long": planned(200, 5000)} {
		c.Plan.Stream = name != "not streamed"
		got, err := Run(t.Context(), c)
		require.NoError(t, err, name)
		assert.Equal(t, got.Streams, got.TTFTError.N, name)
		assert.Equal(t, 15*got.Streams, got.GapError.N, name)
		assert.Positive(t, got.TTFTError.P50, name)
		assert.LessOrEqual(t, got.TTFTError.P50, got.TTFTError.P99, name)
		assert.Positive(t, got.ChunksPerSecond, name)
		assert.InEpsilon(t, got.ChunksPerSecond/got.Asked, got.Headroom, 1e-9, name)
		t.Logf("%s: %+v", name, got)
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	c := planned(130, 64)
	before := runtime.NumGoroutine()
	_, err := Run(t.Context(), c)
	require.NoError(t, err)
	for try := 0; runtime.NumGoroutine() > before && try < 500; try++ { // the transport's ends are not waited for by it
		time.Sleep(10 * time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Run(ctx, planned(130, 64))
	require.ErrorIs(t, err, context.Canceled)
}

func TestConcurrencyIsAPictureOfThePlan(t *testing.T) {
	for _, row := range []struct {
		rate, output float64
		share        load.Share
		stream       bool
		want         int
		asked        float64
	}{
		{130, 64, load.Share{}, true, 83, 8320},
		{130, 64, load.Share{To: 0.5}, true, 42, 4160},
		{1, 8, load.Share{}, true, minConcurrent, 8},
		{1000, 500, load.Share{}, true, maxConcurrent, 500_000},
		{300, 500, load.Share{}, false, minConcurrent, 300},
	} {
		c := planned(row.rate, row.output)
		c.Share, c.Plan.Stream = row.share, row.stream
		c = c.withDefaults()
		assert.Equal(t, row.want, c.concurrent())
		assert.InDelta(t, row.asked, c.asked(), 1e-6)
	}
}

func TestANoisyRoundIsTriedAgain(t *testing.T) {
	round := func(p99 float64) record.Calibration {
		return record.Calibration{Asked: 3, TTFTError: record.Spread{P99: p99 / 2}, GapError: record.Spread{P99: p99}}
	}
	for name, row := range map[string]struct {
		rounds []float64
		want   float64
		tried  int
	}{
		"quiet":         {[]float64{0.001, 1}, 0.001, 1},
		"just fair":     {[]float64{fair, 1}, fair, 1},
		"one stall":     {[]float64{0.030, 0.001}, 0.001, 2},
		"always noisy":  {[]float64{0.030, 0.020}, 0.020, 2},
		"worse and bad": {[]float64{0.020, 0.030}, 0.020, 2},
	} {
		out, n := record.Calibration{Asked: 3}, 0
		err := Config{}.rounds(&out, func(try *record.Calibration) error {
			assert.InDelta(t, 3, try.Asked, 0, name)
			*try = round(row.rounds[n])
			n++
			return nil
		})
		require.NoError(t, err, name)
		want := round(row.want)
		want.Rounds = row.tried
		assert.Equal(t, want, out, name)
		assert.Equal(t, row.tried, n, name)
	}
	err := Config{}.rounds(&record.Calibration{}, func(*record.Calibration) error { return errOpen })
	require.ErrorIs(t, err, errOpen)
}

// What the plan asks for is told by the plan, whatever its process and its classes.
func TestEveryPlanAsksForSomething(t *testing.T) {
	closed := func(users int) load.Arrivals { return load.Arrivals{Process: load.Closed, Concurrency: users} }
	file := filepath.Join(t.TempDir(), "t.csv")
	require.NoError(t, os.WriteFile(file, []byte("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,70,200\n2023-11-16 18:15:47,90,400\n"), 0o600))
	for name, row := range map[string]struct {
		change func(*Config)
		open   int
		asked  float64
		prompt float64
	}{
		"stages":                {func(c *Config) { c.Plan.Arrivals.Stages = []load.Stage{{For: 10 * time.Second, To: 30}} }, minConcurrent, 20 * 64, 32},
		"closed":                {func(c *Config) { c.Plan.Arrivals = closed(64) }, 64, 0, 32},
		"half of a closed loop": {func(c *Config) { c.Plan.Arrivals, c.Share = closed(180), load.Share{From: 0.5, To: 1} }, 90, 0, 32},
		"many users":            {func(c *Config) { c.Plan.Arrivals = closed(1 << 20) }, maxConcurrent, 0, 32},
		"trace": {func(c *Config) {
			c.Plan.Arrivals = load.Arrivals{Process: load.Replay, Trace: &load.TraceFile{File: file}}
			require.NoError(t, c.Plan.Open())
		}, minConcurrent, 0.2 * 300, 80},
		"mix": {func(c *Config) {
			c.Plan.Model, c.Plan.Prompt, c.Plan.Output = "", load.Length{}, load.Length{}
			fixed := func(n float64) load.Length { return load.Length{Dist: load.Fixed, Mean: n} }
			c.Plan.Mix = []load.Class{
				{Name: "chat", Weight: 3, Model: "a", Prompt: fixed(10), Output: fixed(100)},
				{Name: "batch", Weight: 1, Model: "b", Prompt: fixed(30), Output: fixed(900), Stream: new(false)},
			}
		}, minConcurrent, 10 * 75.25, 15},
	} {
		c := planned(10, 64)
		c.Plan.Arrivals.Process, c.Plan.Duration, c.Plan.MaxInFlight = load.Poisson, 10*time.Second, 1<<20
		row.change(&c)
		require.NoError(t, c.Plan.Validate(), name)
		c = c.withDefaults()
		assert.Equal(t, row.open, c.concurrent(), name)
		assert.InDelta(t, row.asked, c.asked(), 1e-6, name)
		prompt, _ := c.Plan.Means()
		assert.InDelta(t, row.prompt, prompt, 1e-9, name)
		got, err := Run(t.Context(), c)
		require.NoError(t, err, name)
		assert.Equal(t, row.asked > 0, got.HeadroomKnown(), name)
		assert.False(t, math.IsInf(got.Headroom, 0) || math.IsNaN(got.Headroom), name)
		assert.Positive(t, got.ChunksPerSecond, name)
	}
}
