package client

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func testPlan(output int) *load.Plan {
	return &load.Plan{
		Seed: 3, Model: "m", MaxInFlight: 10, Duration: time.Hour,
		Arrivals: load.Arrivals{Process: load.Constant, Rate: 1},
		Prompt:   load.Length{Dist: load.Fixed, Mean: 12}, Output: load.Length{Dist: load.Fixed, Mean: float64(output)},
	}
}

// options of a test client; each test changes what it is about.
func testConfig(script string) Config {
	return Config{
		Model: "m", Stream: true,
		Client: load.Client{
			BaseURL: "http://fake", Exact: true, Headers: map[string]string{fakellm.HeaderScript: script},
			ConnectTimeout: time.Second, TTFTTimeout: 2 * time.Second, StallTimeout: 3 * time.Second, TotalTimeout: 10 * time.Second,
		},
	}
}

// ask sends one request to a fakellm in virtual time and returns what became of it.
func ask(t *testing.T, cfg Config, output int) (res Result) {
	t.Helper()
	return askBy(t, cfg, output, false)
}

// askBy does so by net/http, or by the carrier for plain http.
func askBy(t *testing.T, cfg Config, output int, standard bool) (res Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		pipe := fakellm.NewPipe()
		defer (&fakellm.Server{}).Serve(pipe)()
		if cfg.Dial == nil {
			cfg.Dial = pipe.Dial
		}
		c, err := New(cfg)
		require.NoError(t, err)
		if standard {
			c.carrier = c.standardCarrier()
		}
		defer c.Close()
		res = c.Do(t.Context(), first(c, output))
	})
	return res
}

func first(c *Client, output int) *Request {
	p := testPlan(output)
	for a := range p.All() {
		return c.Prepare(p, a, c.Clock.Now())
	}
	return nil
}

func TestOutcomes(t *testing.T) {
	const tokens = 8
	for _, tc := range []struct {
		script string
		change func(*Config)
		want   record.Outcome
		note   string
		first  time.Duration // due → first content; 0 = none came
		end    time.Duration // due → end
	}{
		{script: "ttft=20ms,gap=5ms", want: record.OK, first: 20 * time.Millisecond, end: 55 * time.Millisecond},
		{script: "ttft=20ms,role,comments,crlf", want: record.OK, first: 20 * time.Millisecond, end: 20 * time.Millisecond},
		{script: "perchunk=3,gap=5ms", want: record.OK, end: 10 * time.Millisecond},
		{script: "escaped", want: record.OK},
		{script: "nousage", want: record.OK},
		{script: "nodone", want: record.OK, note: "missing [DONE]"},
		{script: "nodone", change: func(c *Config) { c.Strict = true }, want: record.Truncated, note: "missing [DONE]"},
		{script: "fallback", want: record.Degraded},
		{script: "reason=2", change: func(c *Config) { c.Exact = false }, want: record.OK},
		{script: "status=429", want: record.RateLimited, note: "scripted"},
		{script: "status=503", want: record.Overloaded, note: "scripted"},
		{script: "status=404", want: record.HTTP4xx},
		{script: "status=500", want: record.HTTP5xx},
		{script: "status=302", want: record.Corrupt},
		{script: "fail=close,after=2,gap=5ms", want: record.Reset, note: "the connection closed", end: 5 * time.Millisecond},
		{script: "ttft=1h", want: record.TimeoutTTFT, end: 2 * time.Second},
		{script: "role,ttft=1h", want: record.TimeoutTTFT, end: 2 * time.Second},
		{script: "fail=stall,after=3,gap=10ms", want: record.TimeoutStall, end: 20*time.Millisecond + 3*time.Second},
		{script: "gap=1900ms", want: record.TimeoutTotal, end: 10 * time.Second},
		{script: "fail=error,after=2", want: record.ErrorEvent, note: "scripted error"},
		{script: "fail=error-event,after=2", want: record.ErrorEvent, note: "scripted error"},
		{script: "fail=error", want: record.ErrorEvent},
		{script: "fail=truncate,after=4", want: record.Truncated, note: "without a finish reason"},
		{script: "fail=partial,after=4", want: record.Truncated, note: "inside an event"},
		{script: "fail=empty", want: record.Empty},
		{script: "fail=lose,after=3", want: record.Corrupt, note: "token 3 was lost"},
		{script: "fail=lose,after=7", want: record.Corrupt, note: "1 of 8 tokens are missing"},
		{script: "fail=repeat,after=3", want: record.Corrupt, note: "token 3 came twice"},
		{script: "fail=wrong,after=3", want: record.Corrupt, note: `token 3 is " WRONG"`},
		{script: "fail=more", want: record.Corrupt, note: "more than the 8 tokens"},
		{script: "fail=fewer,after=5", want: record.Corrupt, note: "3 of 8 tokens are missing"},
		{script: "fail=json,after=2", want: record.Corrupt, note: "broken JSON"},
		{script: "fail=type", want: record.Corrupt, note: "content type"},
		{script: "fail=usage", want: record.Corrupt, note: "usage says 9"},
		{script: "fail=after-end", want: record.Corrupt, note: "after the finish reason"},
		{script: "fail=two-choices", want: record.Corrupt, note: "choice 1"},
		{script: "gap=1ms", change: func(c *Config) { c.Dial = refuse }, want: record.Refused},
		{script: "gap=1ms", change: func(c *Config) { c.Dial = never }, want: record.TimeoutConnect, end: time.Second},
	} {
		t.Run(tc.script, func(t *testing.T) {
			cfg := testConfig(tc.script)
			if tc.change != nil {
				tc.change(&cfg)
			}
			r := ask(t, cfg, tokens).Record
			other := askBy(t, cfg, tokens, true).Record
			require.Equal(t, stripped(other), stripped(r), "by net/http and by ours")
			require.Equal(t, tc.want, r.Outcome, "%s", r.Note)
			assert.Contains(t, r.Note, tc.note)
			if tc.first != 0 {
				assert.Equal(t, tc.first, r.First.Sub(r.Due))
			}
			if tc.end != 0 {
				assert.Equal(t, tc.end, r.End.Sub(r.Due))
			}
			assert.Equal(t, r.Due, r.Sent)
			assert.Equal(t, tc.want != record.OK && tc.want != record.Degraded, r.Harmed != 0, "whatever failed did harm")
			if r.Status != 0 {
				assert.GreaterOrEqual(t, r.End, r.Sent)
			}
			if r.Status == http.StatusOK {
				assert.Equal(t, "fake/g0", r.Node)
				assert.Equal(t, 1, r.Attempts)
			}
			if tc.want == record.OK && tc.script != "nousage" && cfg.Exact {
				assert.Equal(t, tokens, r.OutputTokens)
				assert.Equal(t, 12, r.PromptTokens)
				assert.Equal(t, record.TokensByUsage, r.TokensBy)
			}
		})
	}
}

// stripped leaves the instants away that depend on when the client began, and makes the others relative.
func stripped(r record.Record) record.Record {
	for _, at := range []*event.Time{&r.Sent, &r.First, &r.Last, &r.End, &r.Harmed} {
		if *at != 0 {
			*at -= r.Due - 1
		}
	}
	r.Due = 1
	return r
}

func TestOutcomesWithoutStream(t *testing.T) {
	for script, want := range map[string]record.Outcome{
		"ttft=1s": record.OK, "nousage": record.OK, "fail=error": record.ErrorEvent, "fail=json": record.Corrupt,
		"fail=type": record.Corrupt, "fail=lose,after=1": record.Corrupt, "fail=truncate": record.Truncated,
		"fail=empty": record.Empty, "fail=stall": record.TimeoutTotal, "fail=close": record.Reset, "status=503": record.Overloaded,
	} {
		t.Run(script, func(t *testing.T) {
			cfg := testConfig(script)
			cfg.Stream = false
			r := ask(t, cfg, 8).Record
			require.Equal(t, stripped(askBy(t, cfg, 8, true).Record), stripped(r), "by net/http and by ours")
			require.Equal(t, want, r.Outcome, "%s", r.Note)
			assert.Zero(t, r.First, "nobody sees an answer without stream grow")
			assert.False(t, r.Streaming)
			if want == record.OK {
				assert.Equal(t, 8, r.OutputTokens)
			}
		})
	}
}

func refuse(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrClosedPipe}
}

func never(ctx context.Context, _, _ string) (net.Conn, error) {
	// As a network that drops packets: only the dialler's own limit ends it.
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestGapsAndLimits(t *testing.T) {
	cfg := testConfig("ttft=100ms,gap=30ms")
	res := ask(t, cfg, 5)
	assert.Equal(t, []time.Duration{30e6, 30e6, 30e6, 30e6}, res.Gaps)
	assert.Equal(t, 30*time.Millisecond, res.Record.MaxGap)
	assert.Equal(t, 5, res.Record.Chunks)
	assert.Zero(t, res.Record.Harmed)

	cfg.Limits.Gap = 20 * time.Millisecond
	r := ask(t, cfg, 5).Record
	assert.Equal(t, record.OK, r.Outcome)
	assert.Equal(t, record.LimitGap, r.Violated)
	assert.Equal(t, r.First.Add(20*time.Millisecond), r.Harmed, "harm begins when the limit passes, not when the chunk comes")

	cfg.Limits = load.Limits{TTFT: 50 * time.Millisecond}
	r = ask(t, cfg, 5).Record
	assert.Equal(t, record.LimitTTFT, r.Violated)
	assert.Equal(t, r.Due.Add(50*time.Millisecond), r.Harmed)
}

func TestUnfinishedWhenTheRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := fakellm.NewPipe()
		defer (&fakellm.Server{}).Serve(pipe)()
		cfg := testConfig("gap=100ms")
		cfg.Dial = pipe.Dial
		c, err := New(cfg)
		require.NoError(t, err)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		r := c.Do(ctx, first(c, 50)).Record
		assert.Equal(t, record.Unfinished, r.Outcome)
		assert.Equal(t, 250*time.Millisecond, r.End.Sub(r.Due))
		assert.Equal(t, 3, r.Chunks)
		assert.Zero(t, r.Harmed, "unfinished inside every limit is no harm")
	})
}

// Resets and refusals as a real network stack makes them.
func TestRealConnections(t *testing.T) {
	url, stop, err := (&fakellm.Server{}).Listen()
	require.NoError(t, err)
	cfg := testConfig("fail=reset,after=2")
	cfg.BaseURL = url
	c, err := New(cfg)
	require.NoError(t, err)
	defer c.Close()
	assert.Equal(t, record.Reset, c.Do(t.Context(), first(c, 8)).Record.Outcome)
	stop()
	c.Close()
	r := c.Do(t.Context(), first(c, 8)).Record
	assert.Equal(t, record.Refused, r.Outcome, "%s", r.Note)
}

func TestConnectionsAreReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := fakellm.NewPipe()
		defer (&fakellm.Server{}).Serve(pipe)()
		dials := 0
		cfg := testConfig("gap=1ms")
		cfg.Dial = func(ctx context.Context, n, a string) (net.Conn, error) { dials++; return pipe.Dial(ctx, n, a) }
		c, err := New(cfg)
		require.NoError(t, err)
		defer c.Close()
		for range 5 {
			require.Equal(t, record.OK, c.Do(t.Context(), first(c, 4)).Record.Outcome)
			synctest.Wait()
		}
		assert.Equal(t, 1, dials)
		assert.Equal(t, uint64(20), c.Counts().Chunks)
		assert.Equal(t, uint64(20), c.Counts().ChunkReads, "every paced token is caught in its own read")
	})
}

func TestConfigReportsEverything(t *testing.T) {
	_, err := New(Config{Client: load.Client{
		BaseURL: "localhost:8000", TTFTTimeout: -1, MaxBody: -1, CAFile: "/does/not/exist", ExtraBody: map[string]any{"model": "x", "seed": 1},
	}})
	require.Error(t, err)
	for _, want := range []string{"base_url", "ttft_timeout", "max_body", "ca_file", `"model"`, `"seed"`} {
		assert.ErrorContains(t, err, want)
	}
}

func TestExtraBodyAndForeignTarget(t *testing.T) {
	cfg := testConfig("")
	cfg.Exact, cfg.ExtraBody = false, map[string]any{"temperature": 0}
	c, err := New(cfg)
	require.NoError(t, err)
	body := string(first(c, 4).Body)
	assert.NotContains(t, body, "ignore_eos")
	assert.Contains(t, body, `"temperature":0`)
	assert.Contains(t, body, `"include_usage":true`)
	assert.Contains(t, body, `"seed":`)
	assert.True(t, json.Valid([]byte(body)))
}

// The read path of a stream, without network: what one chunk costs the client.
func BenchmarkStreamTake(b *testing.B) {
	c, err := New(testConfig(""))
	require.NoError(b, err)
	req := first(c, 1<<20)
	chunks := make([][]byte, 1024)
	for i := range chunks {
		chunks[i] = []byte(`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"` +
			req.Answer.Token(i) + `"},"finish_reason":null}]}`)
	}
	x := exchange{c: c, kind: &c.kinds[0], req: req, exact: true, gaps: make([]time.Duration, 0, 1024)}
	x.watch = newWatchdog(c.settings)
	x.watch.begin(b.Context(), c.Clock.Now(), true, 0)
	defer x.watch.stop()
	at := event.Time(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(chunks) == 0 {
			x.model, x.gaps = checker{key: req.Answer, want: req.Output}, x.gaps[:0]
		}
		got, err := x.mould.decode(chunks[i%len(chunks)])
		if err != nil {
			b.Fatal(err)
		}
		at++
		x.rec.Streaming = true
		x.take(&got, openai.Event{At: at, Read: uint64(at)})
	}
	if x.rec.Note != "" {
		b.Fatal(x.rec.Note)
	}
}

// What the environment holds reaches the server, and neither errors nor notes.
func TestHeadersFromTheEnvironment(t *testing.T) {
	var got http.Header
	synctest.Test(t, func(t *testing.T) {
		pipe := fakellm.NewPipe()
		server := &fakellm.Server{Default: fakellm.Script{Fail: "status=401"}, Seen: func(r *http.Request, _ []byte) { got = r.Header.Clone() }}
		defer server.Serve(pipe)()
		cfg := testConfig("")
		cfg.Headers = map[string]string{"X-Team": "blue", "X-Token": "env:TOKEN"}
		cfg.Env = func(name string) (string, bool) {
			return map[string]string{"TOKEN": "Scheme s3cret"}[name], name == "TOKEN"
		}
		cfg.Key, cfg.Dial = "sk-123", pipe.Dial
		c, err := New(cfg)
		require.NoError(t, err)
		defer c.Close()
		res := c.Do(t.Context(), first(c, 4))
		assert.Equal(t, record.HTTP4xx, res.Record.Outcome)

		x := exchange{c: c}
		x.note("wrong key sk-123 or token s3cret (Scheme s3cret)")
		assert.Equal(t, "wrong key [secret] or token [secret] ([secret])", x.rec.Note)
	})
	assert.Equal(t, []string{"blue"}, got["X-Team"])
	assert.Equal(t, []string{"Scheme s3cret"}, got["X-Token"])
	assert.Equal(t, []string{"Bearer sk-123"}, got["Authorization"])

	cfg := testConfig("")
	cfg.Headers = map[string]string{"X-Token": "env:BROWNOUT_TEST_NOT_SET", "Host": "x", "Not a name": "x"}
	_, err := New(cfg)
	for _, want := range []string{`client.headers "X-Token" names the environment variable BROWNOUT_TEST_NOT_SET`, `client.headers "Host" is set by`, `client.headers "Not a name" is no`} {
		require.ErrorContains(t, err, want)
	}
}

func TestTokensWithoutUsage(t *testing.T) {
	var body map[string]any
	synctest.Test(t, func(t *testing.T) {
		pipe := fakellm.NewPipe()
		server := &fakellm.Server{Seen: func(_ *http.Request, b []byte) { assert.NoError(t, json.Unmarshal(b, &body)) }}
		defer server.Serve(pipe)()
		cfg := testConfig("perchunk=2")
		cfg.Exact, cfg.NoUsage, cfg.Dial = false, true, pipe.Dial
		c, err := New(cfg)
		require.NoError(t, err)
		defer c.Close()
		res := c.Do(t.Context(), first(c, 8))
		assert.Equal(t, record.OK, res.Record.Outcome)
		assert.Equal(t, record.TokensByChunks, res.Record.TokensBy)
		assert.Equal(t, 4, res.Record.OutputTokens, "chunks, which is an estimate")
	})
	assert.NotContains(t, body, "stream_options")
}
