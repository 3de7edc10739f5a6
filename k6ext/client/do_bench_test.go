package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/record"
)

// canned is a connection to a server that costs nothing: every write is a request, and every request
// gets the same answer, in as many reads as it has pieces.
type canned struct {
	net.Conn
	pieces []string

	mu    sync.Mutex
	asked *sync.Cond
	next  int // piece to read; len(pieces) = nothing was asked
	shut  bool
}

func (c *canned) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = 0
	c.asked.Signal()
	return len(b), nil
}

func (c *canned) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.next == len(c.pieces) && !c.shut {
		c.asked.Wait()
	}
	if c.shut {
		return 0, io.EOF
	}
	n := copy(b, c.pieces[c.next])
	c.next++
	return n, nil
}

func (c *canned) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = true
	c.asked.Broadcast()
	return nil
}

func (*canned) SetDeadline(time.Time) error { return nil }

// answerOf are the parts of an answer of n tokens to req, each an HTTP chunk.
func answerOf(req *Request, n int) []string {
	const start = `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1753000000,"model":"m","choices":[`
	parts := make([]string, 0, n+4)
	add := func(text string) { parts = append(parts, fmt.Sprintf("%x\r\n%s\n\n\r\n", len(text)+2, text)) }
	for i := range n {
		add(start + `{"index":0,"delta":{"content":"` + req.Answer.Token(i) + `"},"finish_reason":null}]}`)
	}
	add(start + `{"index":0,"delta":{},"finish_reason":"length"}]}`)
	add(start + fmt.Sprintf(`],"usage":{"prompt_tokens":16,"completion_tokens":%d,"total_tokens":%d}}`, n, 16+n))
	add("data: [DONE]")
	parts = append(parts, "0\r\n\r\n")
	parts[0] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n" + parts[0]
	return parts
}

// What a stream of 16 tokens costs the client beside its system calls.
func BenchmarkDo(b *testing.B) {
	const tokens = 16
	for _, bm := range []struct {
		name     string
		together bool
		standard bool
	}{
		{name: "one-read", together: true}, {name: "read-a-chunk"},
		{name: "net-http/one-read", together: true, standard: true}, {name: "net-http/read-a-chunk", standard: true},
	} {
		b.Run(bm.name, func(b *testing.B) {
			conn := &canned{}
			conn.asked = sync.NewCond(&conn.mu)
			cfg := testConfig("")
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return conn, nil }
			c, err := New(cfg)
			require.NoError(b, err)
			if bm.standard {
				c.carrier = c.standardCarrier()
			}
			req := first(c, tokens)
			conn.pieces = answerOf(req, tokens)
			if bm.together {
				conn.pieces = []string{strings.Join(conn.pieces, "")}
			}
			conn.next = len(conn.pieces)
			b.ReportAllocs()
			for b.Loop() {
				res := c.Do(b.Context(), req)
				if res.Record.Outcome != record.OK {
					b.Fatal(res.Record.Outcome, res.Record.Note)
				}
				c.Recycle(res.Gaps)
			}
			c.Close()
		})
	}
}
