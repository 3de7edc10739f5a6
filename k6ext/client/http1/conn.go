package http1

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// Conn is one connection, in the hands of one request at a time. All methods but Abort belong to
// one goroutine.
type Conn struct {
	pool  *Pool
	conn  net.Conn
	since time.Time // when it became idle; only the pool looks

	raw   syscall.RawConn // nil where the connection has none
	probe probe

	*scratch          // nil while idle
	from, to int      // unread bytes are read[from:to]
	failed   error    // of the connection; final
	answer   Response // the newest
	writing  chan error
}

func newConn(p *Pool, conn net.Conn) *Conn {
	c := &Conn{pool: p, conn: conn}
	if s, ok := conn.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	c.answer.c = c
	c.probe.init()
	return c
}

func (c *Conn) begin() {
	c.scratch = c.pool.scratch.Get().(*scratch)
	c.from, c.to = 0, 0
}

// Abort ends what the connection is doing with an error, from another goroutine. The connection
// cannot be used again: Close it, once no Abort can follow.
func (c *Conn) Abort() { _ = c.conn.SetDeadline(time.Unix(1, 0)) } // of a closed connection: nothing to end

// Close gives the connection up.
func (c *Conn) Close() {
	c.failed = net.ErrClosed
	c.conn.Close()
	if c.writing != nil {
		c.failed = errors.Join(c.failed, <-c.writing) // it reads the write buffer until then
		c.writing = nil
	}
	c.end()
}

// Release keeps the connection for the next request if the answer was read to its end, and closes it
// otherwise. Nothing of it or of its answer may be used afterwards.
func (c *Conn) Release() {
	if c.writing != nil {
		select {
		case err := <-c.writing:
			c.writing = nil
			if err != nil {
				c.failed = err
			}
		case <-time.After(writeWait):
			c.failed = errEarly
		}
	}
	if c.failed != nil || !c.answer.reusable() || c.from < c.to {
		c.Close()
		return
	}
	c.end()
	c.pool.keep(c)
}

// writeWait is how long the answer may be ahead of the end of the request, as in net/http: whoever writes
// may only not have come to say so.
const writeWait = 50 * time.Millisecond

var errEarly = errors.New("the answer came before the request was sent")

func (c *Conn) end() {
	s := c.scratch
	c.scratch = nil
	if s == nil {
		return
	}
	if len(s.read) > readBuffer {
		s.read = make([]byte, readBuffer) // a huge head; not worth keeping
	}
	if cap(s.write) > keptBuffer {
		s.write = nil
	}
	if cap(s.head) > keptBuffer {
		s.head = nil
	}
	c.pool.scratch.Put(s)
}

// together is up to which length a request is written before its answer is read. It fits into the
// buffers of both ends, so a server that answers without reading cannot lock us up.
const together = 32 << 10

// Send writes a request, whose head lacks only Content-Length and the blank line, and reads the head
// of its answer. The Response holds until the connection is released or closed.
func (c *Conn) Send(head, body []byte) (*Response, error) {
	c.answer.reset()
	c.write = appendLength(append(c.write[:0], head...), len(body))
	var sent error
	if len(c.write)+len(body) <= together {
		c.write = append(c.write, body...)
		_, sent = c.conn.Write(c.write)
	} else {
		done := make(chan error, 1)
		parts := net.Buffers{c.write, body}
		go func() {
			_, err := parts.WriteTo(c.conn)
			done <- err
		}()
		c.writing = done
	}
	// A server that refuses a request may close before it has read it, and its answer still counts.
	if err := c.answer.readHead(); err != nil {
		c.failed = err
		if sent != nil {
			err = sent
		}
		return nil, err
	}
	if sent != nil {
		c.failed = sent
	}
	return &c.answer, nil
}

// appendLength ends a request's head.
func appendLength(b []byte, n int) []byte {
	b = append(b, "Content-Length: "...)
	b = appendInt(b, n)
	return append(b, "\r\n\r\n"...)
}

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// fill reads once. io.EOF means that the server closed.
func (c *Conn) fill() error {
	if c.failed != nil {
		return c.failed
	}
	if c.from == c.to {
		c.from, c.to = 0, 0
	}
	if c.to == len(c.read) {
		if c.from == 0 {
			return errTooLong
		}
		c.to = copy(c.read, c.read[c.from:c.to])
		c.from = 0
	}
	for range 100 { // as bufio: a reader that brings nothing must not spin us
		n, err := c.conn.Read(c.read[c.to:])
		c.to += n
		if err != nil {
			c.failed = err
		}
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	c.failed = io.ErrNoProgress
	return c.failed
}

var errTooLong = errors.New("a line of the answer is too long")
