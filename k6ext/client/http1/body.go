package http1

import (
	"bytes"
	"errors"
	"io"
)

// body is how far a body was read.
type body struct {
	kind kind
	left int64 // of the body, or of the chunk under way
	over bool  // read to its end
	at   place // in a chunked body
	seen int   // bytes of trailers
}

type kind uint8

const (
	counted kind = iota
	chunked
	untilClose
)

// place is what comes next in a chunked body.
type place uint8

const (
	size    place = iota // a line with the length of a chunk
	payload              // bytes of a chunk
	joint                // the line end after them
	trailer              // lines after the last chunk, up to a blank one
)

var (
	errChunk   = errors.New("malformed chunked encoding")
	errTrailer = errors.New("the trailers of the answer are too long")
)

func (b *body) read(c *Conn, p []byte) (int, error) {
	if b.over {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n := 0
	for {
		m, hungry, err := b.take(c, p[n:])
		n += m
		switch {
		case err != nil:
			c.failed = err // the connection stands nowhere known
			return n, err
		case b.over:
			return n, io.EOF
		case !hungry || n > 0:
			return n, nil
		}
		if err := c.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				if b.kind == untilClose {
					b.over = true
					return 0, io.EOF
				}
				err = io.ErrUnexpectedEOF
			} else if errors.Is(err, errTooLong) {
				err = errChunk
			}
			c.failed = err
			return 0, err
		}
	}
}

// take copies what is in the buffer. hungry: nothing more can be had without a read.
func (b *body) take(c *Conn, p []byte) (n int, hungry bool, err error) {
	switch b.kind {
	case untilClose:
		n = copy(p, c.read[c.from:c.to])
		c.from += n
		return n, n == 0, nil
	case counted:
		n = b.copy(c, p)
		b.over = b.left == 0
		return n, n == 0, nil
	case chunked:
	}
	for !b.over {
		if b.at == payload {
			if n == len(p) {
				return n, false, nil
			}
			m := b.copy(c, p[n:])
			n += m
			switch {
			case b.left == 0:
				b.at = joint
			case m == 0:
				return n, true, nil
			}
			continue
		}
		line, ok := c.line()
		if !ok {
			return n, true, nil
		}
		if err := b.line(line); err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

// copy takes payload.
func (b *body) copy(c *Conn, p []byte) int {
	have := c.read[c.from:c.to]
	if int64(len(have)) > b.left {
		have = have[:b.left]
	}
	n := copy(p, have)
	c.from += n
	b.left -= int64(n)
	return n
}

// line takes one line with its end off the buffer; false: it is not whole.
func (c *Conn) line() ([]byte, bool) {
	have := c.read[c.from:c.to]
	i := bytes.IndexByte(have, '\n')
	if i < 0 {
		return nil, false
	}
	c.from += i + 1
	return have[:i+1], true
}

const mostTrailer = 64 << 10

// line takes a line of the framing.
func (b *body) line(line []byte) error {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return errChunk
	}
	switch b.at {
	case size:
		n, ok := chunkSize(text)
		if !ok {
			return errChunk
		}
		b.left, b.at = n, payload
		if n == 0 {
			b.at = trailer
		}
	case joint:
		if len(text) > 0 {
			return errChunk
		}
		b.at = size
	case trailer:
		b.seen += len(line)
		if b.seen > mostTrailer {
			return errTrailer
		}
		b.over = len(text) == 0
	case payload:
	}
	return nil
}

// chunkSize reads a chunk's length in hexadecimal digits; its extensions are passed over.
func chunkSize(text []byte) (int64, bool) {
	if i := bytes.IndexByte(text, ';'); i >= 0 {
		text = text[:i]
	}
	text = bytes.TrimRight(text, " \t")
	if len(text) == 0 || len(text) > 15 { // 60 bits
		return 0, false
	}
	n := int64(0)
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case lower(c) >= 'a' && lower(c) <= 'f':
			c = lower(c) - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | int64(c)
	}
	return n, true
}
