package client

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/k6ext/client/http1"
)

// answer is the head of a response, whoever brought it, and its body to read as it comes.
type answer interface {
	Status() int
	Header(name string) string
	io.Reader
	// done gives the connection back: for the next request if it can serve one, and for none if it was cut.
	done(cut bool)
}

// carrier brings one request to the target and the head of the answer back. It tells the watchdog how
// to cut what it waits for, and when the request has a connection.
type carrier interface {
	send(ctx context.Context, req *Request, w *watchdog) (answer, error)
	close()
}

// carrierOf is our own HTTP/1.1 where the target is plain http, which takes a quarter of the work, and
// net/http for TLS and HTTP/2.
func (c *Client) carrierOf() carrier {
	target, err := url.Parse(c.url)
	if err == nil && target.Scheme == "http" && http1.Supported {
		return newLean(c.settings, target)
	}
	return c.standardCarrier()
}

// lean carries requests by http1.
type lean struct {
	pool   *http1.Pool
	starts [][]byte  // of the heads of requests, by class
	heads  sync.Pool // *[]byte
}

func newLean(s *settings, target *url.URL) *lean {
	address := target.Host
	if target.Port() == "" {
		address = net.JoinHostPort(target.Hostname(), "80")
	}
	l := &lean{pool: http1.NewPool(http1.Config{Address: address, Dial: s.dialler(), MaxIdle: s.MaxIdle})}
	l.heads.New = func() any { return new([]byte) }
	for i := range s.kinds {
		l.starts = append(l.starts, start(target, s.kinds[i].headers))
	}
	return l
}

// start is the head of a request, up to the request id.
func start(target *url.URL, headers http.Header) []byte {
	var b strings.Builder
	b.WriteString("POST " + target.RequestURI() + " HTTP/1.1\r\nHost: " + target.Host + "\r\n")
	if headers.Get("User-Agent") == "" {
		b.WriteString("User-Agent: Go-http-client/1.1\r\n") // as net/http: both carriers look the same to the target
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			b.WriteString(name + ": " + strings.NewReplacer("\r", " ", "\n", " ").Replace(value) + "\r\n")
		}
	}
	b.WriteString(openai.HeaderRequestID + ": ")
	return []byte(b.String())
}

func (l *lean) send(ctx context.Context, req *Request, w *watchdog) (answer, error) {
	conn := l.pool.Idle()
	if conn == nil {
		dialling, cancel := context.WithCancel(ctx)
		w.cutBy(cancelled(cancel))
		var err error
		conn, err = l.pool.Dial(dialling)
		cancel()
		if err != nil {
			return nil, err
		}
	}
	w.cutBy(conn)
	w.connected()
	head := l.heads.Get().(*[]byte)
	*head = append(append(append((*head)[:0], l.starts[req.Class]...), req.ID...), "\r\n"...)
	resp, err := conn.Send(*head, req.Body)
	l.heads.Put(head)
	if err != nil {
		w.cutBy(nil)
		conn.Close()
		return nil, err
	}
	return leanAnswer{resp, conn}, nil
}

func (l *lean) close() { l.pool.Close() }

type leanAnswer struct {
	*http1.Response
	conn *http1.Conn
}

func (a leanAnswer) done(cut bool) {
	if cut {
		a.conn.Close()
		return
	}
	a.conn.Release()
}
