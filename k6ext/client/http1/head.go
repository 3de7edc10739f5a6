package http1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Response is the head of an answer, and its body to read.
type Response struct {
	c      *Conn
	status int
	major  bool  // HTTP/1.1 and not 1.0
	keep   bool  // the server keeps the connection open
	length int64 // Content-Length; -1 = not said
	framed bool  // Transfer-Encoding: chunked
	body   body
}

func (r *Response) reset() { *r = Response{c: r.c, length: -1} }

// Status is the HTTP status.
func (r *Response) Status() int { return r.status }

// Header is the first value of a field, whatever the case of its name; "" without one.
func (r *Response) Header(name string) string {
	lines := r.c.head
	for len(lines) > 0 {
		var line []byte
		line, lines = cutLine(lines)
		if len(line) > len(name) && line[len(name)] == ':' && equalFold(line[:len(name)], name) {
			return string(bytes.Trim(line[len(name)+1:], " \t"))
		}
	}
	return ""
}

// Read reads the body as it comes: it waits for one read of the connection at most, and returns all
// whole and part chunks that it brought.
func (r *Response) Read(p []byte) (int, error) { return r.body.read(r.c, p) }

// reusable reports whether the connection stands at the start of the next answer.
func (r *Response) reusable() bool { return r.keep && r.body.over }

// readHead reads the head of the final answer; informational ones are passed over.
func (r *Response) readHead() error {
	left := r.c.pool.cfg.MaxHead
	for {
		n, err := r.c.findHead(left)
		if err != nil {
			return err
		}
		left -= n
		if err := r.parse(); err != nil {
			return err
		}
		if r.status/100 == 1 && r.status != 101 {
			continue
		}
		return r.frame()
	}
}

// findHead reads until the blank line and takes the head, without it, off the buffer.
func (c *Conn) findHead(most int) (int, error) {
	searched := 0
	for {
		have := c.read[c.from:c.to]
		if n := headEnd(have, searched); n > 0 {
			if n > most {
				return 0, headTooLong(most)
			}
			c.head = append(c.head[:0], have[:n]...)
			c.from += n
			return n, nil
		}
		if len(have) >= most {
			return 0, headTooLong(most)
		}
		searched = max(len(have)-3, 0)
		if len(have) == len(c.read) {
			grown := make([]byte, 2*len(c.read))
			c.from, c.to = 0, copy(grown, have)
			c.read = grown
		}
		if err := c.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
}

func headTooLong(most int) error {
	return fmt.Errorf("the head of the answer is longer than %d bytes", most)
}

// headEnd is the length of a whole head with its blank line, searched from that index; 0 = not whole yet.
func headEnd(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		switch rest := b[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// cutLine takes one line, without its end.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

// parse reads the head that was found.
func (r *Response) parse() error {
	*r = Response{c: r.c, length: -1}
	line, lines := cutLine(r.c.head)
	if err := r.parseStatus(line); err != nil {
		return err
	}
	if len(lines) > 0 && (lines[0] == ' ' || lines[0] == '\t') {
		line, _ = cutLine(lines)
		return fmt.Errorf("malformed header line %q", clip(line))
	}
	lines = unfold(lines)
	r.c.head = append(r.c.head[:0], lines...) // moves down: the status line is not needed any more
	lines = r.c.head
	r.keep = r.major
	for len(lines) > 0 {
		line, lines = cutLine(lines)
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok || !isToken(name) || !isValue(value) {
			return fmt.Errorf("malformed header line %q", clip(line))
		}
		if err := r.field(name, bytes.Trim(value, " \t")); err != nil {
			return err
		}
	}
	return nil
}

// unfold joins header lines that go on in the next line, in place, by one space (RFC 9112, section 5.2).
func unfold(head []byte) []byte {
	for i := 0; i+1 < len(head); i++ {
		if head[i] != '\n' || (head[i+1] != ' ' && head[i+1] != '\t') {
			continue
		}
		before := bytes.TrimRight(head[:i], "\r \t")
		after := bytes.TrimLeft(head[i+1:], " \t")
		i = len(before)
		head = append(append(before, ' '), after...)
	}
	return head
}

func (r *Response) parseStatus(line []byte) error {
	const name, most = "HTTP/1.", len("HTTP/1.1 200")
	if len(line) < most || string(line[:len(name)]) != name || line[len(name)+1] != ' ' ||
		(len(line) > most && line[most] != ' ') {
		return fmt.Errorf("malformed status line %q", clip(line))
	}
	for _, c := range line[most-3 : most] {
		if c < '0' || c > '9' {
			return fmt.Errorf("malformed status line %q", clip(line))
		}
		r.status = 10*r.status + int(c-'0')
	}
	switch line[len(name)] {
	case '1':
		r.major = true
	case '0':
	default:
		return fmt.Errorf("malformed status line %q", clip(line))
	}
	if r.status < 100 {
		return fmt.Errorf("malformed status line %q", clip(line))
	}
	return nil
}

// field takes what says how the body ends.
func (r *Response) field(name, value []byte) error {
	switch {
	case equalFold(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || len(value) > 0 && (value[0] == '+' || value[0] == '-') {
			return fmt.Errorf("bad Content-Length %q", clip(value))
		}
		if r.length >= 0 && r.length != int64(n) {
			return fmt.Errorf("two Content-Lengths, %d and %d", r.length, n)
		}
		r.length = int64(n)
	case equalFold(name, "transfer-encoding"):
		if !r.major {
			return nil // RFC 9112, section 6.1: HTTP/1.0 knows none; net/http ignores it too
		}
		if r.framed || !equalFold(value, "chunked") {
			return fmt.Errorf("unsupported Transfer-Encoding %q", clip(value))
		}
		r.framed = true
	case equalFold(name, "connection"):
		for option := range bytes.SplitSeq(value, []byte{','}) {
			switch option = bytes.Trim(option, " \t"); {
			case equalFold(option, "close"):
				r.keep = false
			case equalFold(option, "keep-alive") && !r.major:
				r.keep = true
			}
		}
	}
	return nil
}

// frame settles how the body ends (RFC 9112, section 6.3).
func (r *Response) frame() error {
	switch {
	case r.status == 204 || r.status == 304 || r.status == 101:
		r.body = body{over: true}
		r.keep = r.keep && r.status != 101 // what follows is another protocol
	case r.framed:
		r.body = body{kind: chunked}
	case r.length >= 0:
		r.body = body{kind: counted, left: r.length, over: r.length == 0}
	default:
		r.body = body{kind: untilClose}
		r.keep = false
	}
	return nil
}

// isToken reports whether b is a field name (RFC 9110, section 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		case bytes.IndexByte([]byte("!#$%&'*+.^`|~"), c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}

// isValue reports whether b may be a field's value: no control characters but tabs.
func isValue(b []byte) bool {
	for _, c := range b {
		if (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

// equalFold compares with a lower-case or any ASCII name, without Unicode's folding.
func equalFold(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if lower(c) != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func clip(b []byte) []byte { return b[:min(len(b), 64)] }
