package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire is a server that says the same whatever it is asked, in reads of at most most bytes.
type wire struct {
	net.Conn
	says   []byte
	most   int
	asked  bytes.Buffer
	closed bool
}

func (w *wire) Write(b []byte) (int, error) { return w.asked.Write(b) }

func (w *wire) Read(b []byte) (int, error) {
	if w.closed {
		return 0, net.ErrClosed
	}
	n := copy(b, w.says[:min(len(w.says), w.most)])
	w.says = w.says[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (w *wire) Close() error {
	w.closed = true
	return nil
}

func (*wire) SetDeadline(time.Time) error { return nil }

// heard is what a client made of an answer.
type heard struct {
	status   int
	kind     string // Content-Type
	body     string
	err      error // of the head or the body
	reusable bool
}

// ask sends one request over w.
func ask(w *wire, room int) heard {
	p := NewPool(Config{MaxIdle: 1, Dial: func(context.Context, string, string) (net.Conn, error) { return w, nil }})
	c, err := p.Dial(context.Background())
	if err != nil {
		return heard{err: err}
	}
	r, err := c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), []byte("body"))
	if err != nil {
		c.Close()
		return heard{err: err}
	}
	h := heard{status: r.Status(), kind: r.Header("content-type")}
	var b strings.Builder
	_, h.err = io.CopyBuffer(struct{ io.Writer }{&b}, struct{ io.Reader }{r}, make([]byte, room))
	h.body = b.String()
	c.Release()
	h.reusable = p.Idle() != nil
	return h
}

// oracle is net/http's reading of the same bytes.
func oracle(says []byte) heard {
	in := bufio.NewReader(bytes.NewReader(says))
	req, err := http.NewRequest(http.MethodPost, "http://x/", http.NoBody)
	if err != nil {
		return heard{err: err}
	}
	for {
		r, err := http.ReadResponse(in, req)
		if err != nil {
			return heard{err: err}
		}
		if r.StatusCode/100 == 1 && r.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		h := heard{status: r.StatusCode, kind: r.Header.Get("Content-Type")}
		body, err := io.ReadAll(r.Body)
		h.body, h.err = string(body), err
		return h
	}
}

const ok = "HTTP/1.1 200 OK\r\n"

var answers = map[string]struct {
	says string
	want heard
	fail string // part of the error; the oracle may be more lenient then
}{
	"length":           {says: ok + "Content-Length: 5\r\n\r\nhello", want: heard{status: 200, body: "hello", reusable: true}},
	"no body":          {says: ok + "Content-Length: 0\r\n\r\n", want: heard{status: 200, reusable: true}},
	"204":              {says: "HTTP/1.1 204 No Content\r\n\r\n", want: heard{status: 204, reusable: true}},
	"no reason":        {says: "HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", want: heard{status: 503, reusable: true}},
	"type":             {says: ok + "content-TYPE: \t text/x \t\r\nContent-Length: 0\r\n\r\n", want: heard{status: 200, kind: "text/x", reusable: true}},
	"folded":           {says: ok + "Content-Type: text/x;\r\n  a=b\r\nContent-Length: 0\r\n\r\n", want: heard{status: 200, kind: "text/x; a=b", reusable: true}},
	"bare line feeds":  {says: "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", want: heard{status: 200, body: "hi", reusable: true}},
	"until close":      {says: ok + "\r\nhello", want: heard{status: 200, body: "hello"}},
	"connection close": {says: ok + "Connection: x, Close\r\nContent-Length: 2\r\n\r\nhi", want: heard{status: 200, body: "hi"}},
	"HTTP/1.0":         {says: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", want: heard{status: 200, body: "hi"}},
	"1.0 keep-alive":   {says: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", want: heard{status: 200, body: "hi", reusable: true}},
	"1.0 chunked":      {says: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", want: heard{status: 200, body: "2\r\nhi\r\n0\r\n\r\n"}},
	"chunked":          {says: ok + "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", want: heard{status: 200, body: "hello world", reusable: true}},
	"trailers":         {says: ok + "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n000\r\nX: y\r\nZ: z\r\n\r\n", want: heard{status: 200, body: "0123456789", reusable: true}},
	"chunked + length": {says: ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", want: heard{status: 200, body: "hi", reusable: true}},
	"informational":    {says: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", want: heard{status: 200, body: "hi", reusable: true}},
	"switching":        {says: "HTTP/1.1 101 Switching Protocols\r\n\r\n", want: heard{status: 101}},
	"same lengths":     {says: ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", want: heard{status: 200, body: "hi", reusable: true}},
	"more than asked":  {says: ok + "Content-Length: 2\r\n\r\nhi" + ok, want: heard{status: 200, body: "hi"}},

	"nothing":             {fail: "unexpected EOF"},
	"cut head":            {says: ok + "Content-Le", fail: "unexpected EOF"},
	"cut body":            {says: ok + "Content-Length: 5\r\n\r\nhel", want: heard{status: 200, body: "hel"}, fail: "unexpected EOF"},
	"cut chunk":           {says: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", want: heard{status: 200, body: "hel"}, fail: "unexpected EOF"},
	"no last chunk":       {says: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", want: heard{status: 200, body: "hi"}, fail: "unexpected EOF"},
	"no end of trailers":  {says: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", want: heard{status: 200, body: "hi"}, fail: "unexpected EOF"},
	"bad chunk length":    {says: ok + "Transfer-Encoding: chunked\r\n\r\n2x\r\nhi\r\n0\r\n\r\n", want: heard{status: 200}, fail: "malformed chunked"},
	"huge chunk length":   {says: ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", want: heard{status: 200}, fail: "malformed chunked"},
	"bad joint":           {says: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhixx\r\n0\r\n\r\n", want: heard{status: 200, body: "hi"}, fail: "malformed chunked"},
	"endless chunk line":  {says: ok + "Transfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 3*readBuffer), want: heard{status: 200}, fail: "malformed chunked"},
	"endless trailers":    {says: ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("x: yyyyyyyyyyyyyyyyyyyyy\r\n", 9000), want: heard{status: 200}, fail: "trailers"},
	"other length":        {says: ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", fail: "two Content-Lengths"},
	"negative length":     {says: ok + "Content-Length: -2\r\n\r\nhi", fail: "bad Content-Length"},
	"other encoding":      {says: ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", fail: "unsupported Transfer-Encoding"},
	"no HTTP":             {says: "SSH-2.0-OpenSSH_9.2\r\n\r\n", fail: "malformed status line"},
	"HTTP/2":              {says: "HTTP/2.0 200 OK\r\n\r\n", fail: "malformed status line"},
	"bad status":          {says: "HTTP/1.1 2x0 OK\r\n\r\n", fail: "malformed status line"},
	"header without name": {says: ok + ": x\r\n\r\n", fail: "malformed header line"},
	"header with space":   {says: ok + "Content-Length : 2\r\n\r\nhi", fail: "malformed header line"},
	"huge head":           {says: ok + "X: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", fail: "longer than 1048576 bytes"},
	"many informational":  {says: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 50_000) + ok, fail: "longer than"},
}

// stricter are the answers that net/http takes: heads without end, and a field whose name ends in a
// space, which it then does not know.
var stricter = map[string]bool{"huge head": true, "many informational": true, "HTTP/2": true, "header with space": true}

// However the bytes are cut, they are read the same; and where net/http understands them, as it does.
func TestAnswers(t *testing.T) {
	for name, tc := range answers {
		t.Run(name, func(t *testing.T) {
			for _, most := range []int{1 << 20, 1, 3, 7} {
				for _, room := range []int{4096, 1, 5} {
					if len(tc.says) > 1<<16 && most < 1<<20 {
						continue // byte by byte it takes long and shows nothing new
					}
					w := &wire{says: []byte(tc.says), most: most}
					got := ask(w, room)
					assert.True(t, strings.HasSuffix(w.asked.String(), "\r\nContent-Length: 4\r\n\r\nbody"), "%q", w.asked.String())
					if tc.fail == "" {
						require.NoError(t, got.err)
					} else {
						require.ErrorContains(t, got.err, tc.fail)
					}
					assert.Equal(t, got.reusable, !w.closed)
					err := got.err
					got.err = nil
					if name == "more than asked" && most < 1<<20 {
						got.reusable = false // what was not read yet is seen when the connection is used again
					}
					require.Equal(t, tc.want, got, "reads of %d, room for %d", most, room)
					if want := oracle([]byte(tc.says)); tc.fail == "" {
						require.NoError(t, want.err)
						want.reusable = got.reusable
						require.Equal(t, want, got, "net/http")
					} else if !stricter[name] {
						require.Error(t, want.err, "net/http; ours: %v", err)
					}
				}
			}
		})
	}
}

// What we accept, net/http accepts too and reads the same.
func FuzzAgreesWithNetHTTP(f *testing.F) {
	for _, tc := range answers {
		if len(tc.says) < 1<<16 {
			f.Add([]byte(tc.says), uint8(3), uint8(5))
		}
	}
	f.Fuzz(func(t *testing.T, says []byte, most, room uint8) {
		whole := ask(&wire{says: bytes.Clone(says), most: 1 << 20}, 4096)
		cut := ask(&wire{says: bytes.Clone(says), most: int(most) + 1}, int(room)+1)
		require.Equal(t, whole.err == nil, cut.err == nil, "%v, %v", whole.err, cut.err)
		require.Equal(t, whole.body, cut.body)
		require.Equal(t, whole.status, cut.status)
		if whole.err != nil {
			return
		}
		want := oracle(says)
		require.NoError(t, want.err, "%q", says)
		want.reusable = whole.reusable
		require.Equal(t, want, whole, "%q", says)
	})
}

// A read brings all chunks that have come, and waits for no more.
func TestReadTakesWhatIsThere(t *testing.T) {
	client, server := net.Pipe()
	p := NewPool(Config{MaxIdle: 1, Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }})
	c, err := p.Dial(t.Context())
	require.NoError(t, err)
	go func() {
		_, _ = http.ReadRequest(bufio.NewReader(server))
		_, _ = io.WriteString(server, ok+"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n")
		_, _ = io.WriteString(server, "1\r\nc\r\n0\r\n\r\n")
	}()
	r, err := c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), nil)
	require.NoError(t, err)
	b := make([]byte, 100)
	n, err := r.Read(b)
	require.NoError(t, err)
	assert.Equal(t, "ab", string(b[:n]))
	n, err = r.Read(b)
	assert.Equal(t, io.EOF, err, "the end came in the same read")
	assert.Equal(t, "c", string(b[:n]))
	c.Release()
	assert.NotNil(t, p.Idle())
}

func TestAbortEndsEveryWait(t *testing.T) {
	for name, says := range map[string]string{"head": "", "body": ok + "Content-Length: 5\r\n\r\nhe"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				p := NewPool(Config{MaxIdle: 1, Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }})
				c, err := p.Dial(t.Context())
				require.NoError(t, err)
				go func() {
					_, _ = http.ReadRequest(bufio.NewReader(server))
					_, _ = io.WriteString(server, says)
				}()
				time.AfterFunc(time.Second, c.Abort)
				r, err := c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), nil)
				if err == nil {
					_, err = io.ReadAll(r)
				}
				var timeout net.Error
				require.ErrorAs(t, err, &timeout)
				assert.True(t, timeout.Timeout())
				c.Release()
				assert.Nil(t, p.Idle(), "an aborted connection is not used again")
				server.Close()
			})
		})
	}
}

// listen serves connections one after the other, each by what serve does.
func listen(t *testing.T, serve ...func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for _, s := range serve {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s(conn)
		}
	}()
	return l.Addr().String()
}

func pool(address string, change func(*Config)) *Pool {
	cfg := Config{Address: address, MaxIdle: 10, Dial: (&net.Dialer{}).DialContext}
	if change != nil {
		change(&cfg)
	}
	return NewPool(cfg)
}

// A connection that the server has closed while it was idle costs no request; without the look at it,
// it does.
func TestClosedIdleConnectionIsSeen(t *testing.T) {
	for _, blind := range []bool{false, true} {
		closed := make(chan struct{})
		p := pool(listen(t, func(conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, ok+"Content-Length: 0\r\n\r\n")
			conn.Close()
			close(closed)
		}), nil)
		c, err := p.Dial(t.Context())
		require.NoError(t, err)
		_, err = c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), nil)
		require.NoError(t, err)
		c.Release()
		<-closed // on loopback the end has come when Close returns
		if blind {
			c.raw = nil
			c = p.Idle()
			require.NotNil(t, c)
			_, err = c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), nil)
			require.Error(t, err)
			c.Close()
			continue
		}
		assert.Nil(t, p.Idle())
	}
}

// A server may refuse a large request before it has read it.
func TestEarlyAnswerToALargeRequest(t *testing.T) {
	gone := make(chan struct{})
	p := pool(listen(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
		<-gone
		conn.Close()
	}), nil)
	c, err := p.Dial(t.Context())
	require.NoError(t, err)
	r, err := c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), make([]byte, 32<<20))
	require.NoError(t, err)
	assert.Equal(t, 413, r.Status())
	body, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "big", string(body))
	c.Release()
	assert.Nil(t, p.Idle(), "the rest of the request is still to be sent")
	close(gone)
}

// A large request that is read as a whole leaves a connection to use again.
func TestLargeRequest(t *testing.T) {
	got := make(chan int64, 2)
	p := pool(listen(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for range 2 {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			n, _ := io.Copy(io.Discard, r.Body)
			got <- n
			_, _ = io.WriteString(conn, ok+"Content-Length: 0\r\n\r\n")
		}
	}), nil)
	c, err := p.Dial(t.Context())
	require.NoError(t, err)
	_, err = c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), make([]byte, 3<<20))
	require.NoError(t, err)
	assert.Equal(t, int64(3<<20), <-got)
	c.Release()
	c = p.Idle()
	require.NotNil(t, c)
	_, err = c.Send([]byte("POST / HTTP/1.1\r\nHost: x\r\n"), []byte("x"))
	require.NoError(t, err)
	assert.Equal(t, int64(1), <-got)
	c.Close()
}

func TestPoolKeepsTheNewestAndNotTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wires []*wire
		p := pool("x", func(c *Config) {
			c.MaxIdle = 2
			c.Dial = func(context.Context, string, string) (net.Conn, error) {
				wires = append(wires, &wire{most: 1 << 20, says: []byte(strings.Repeat(ok+"Content-Length: 0\r\n\r\n", 1))})
				return wires[len(wires)-1], nil
			}
		})
		conns := make([]*Conn, 3)
		for i := range conns {
			c, err := p.Dial(t.Context())
			require.NoError(t, err)
			_, err = c.Send(nil, nil)
			require.NoError(t, err)
			conns[i] = c
		}
		for _, c := range conns {
			c.Release()
		}
		time.Sleep(90 * time.Second)
		assert.Equal(t, []bool{false, false, true}, []bool{wires[0].closed, wires[1].closed, wires[2].closed}, "one too many")
		assert.Nil(t, p.Idle(), "both waited more than 90 s")
		assert.True(t, wires[0].closed && wires[1].closed)

		p.keep(conns[0])
		time.Sleep(80 * time.Second)
		p.keep(conns[1])
		time.Sleep(20 * time.Second)
		p.keep(conns[2])
		assert.Same(t, conns[2], p.Idle())
		assert.Same(t, conns[1], p.Idle())
		assert.Nil(t, p.Idle(), "the first went when the third came")

		p.keep(conns[0])
		p.Close()
		assert.Nil(t, p.Idle())
	})
}

func TestDialErrorIsTheDiallers(t *testing.T) {
	failed := errors.New("no route")
	p := pool("x", func(c *Config) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, failed }
	})
	_, err := p.Dial(t.Context())
	assert.Equal(t, failed, err)
}

// A request and its answer allocate nothing beside what the caller keeps.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	w := &wire{most: 1 << 20}
	p := pool("x", func(c *Config) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return w, nil }
	})
	c, err := p.Dial(t.Context())
	require.NoError(t, err)
	head, body, room := []byte("POST / HTTP/1.1\r\nHost: x\r\n"), []byte("body"), make([]byte, 4096)
	says := []byte(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		w.asked.Reset()
		w.says = says
		r, err := c.Send(head, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(room); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		c.Release()
		c = p.Idle()
	}), 1.0)
}
