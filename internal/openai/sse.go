package openai

import (
	"bytes"
	"errors"
	"io"

	"github.com/brownout-dev/brownout/internal/event"
)

// ErrEventTooLarge is returned for a line or an event longer than the reader's bound.
var ErrEventTooLarge = errors.New("server-sent event is larger than the reader's bound")

// Event is one server-sent event (WHATWG HTML, section 9.2). Its slices point into the reader's
// buffer and hold until the next call of Next.
type Event struct {
	Type []byte     // the "event" field; empty means "message"
	Data []byte     // the "data" fields joined by newlines
	ID   []byte     // the "id" field of this event, not that of an earlier one
	At   event.Time // when the read that completed the event returned; 0 without a clock
	Read uint64     // ordinal of that read, from 1: events of one read share it
}

// EventReaderConfig says how an EventReader works.
type EventReaderConfig struct {
	// MaxEvent bounds one event with all its lines, and one comment line, in bytes [1 MiB].
	MaxEvent int
	// Now is asked once after every read that brought bytes. May be nil.
	Now func() event.Time
}

// EventReader splits a stream into events. In steady state it allocates nothing.
// A comment, a retry field or an event without data is skipped; an event cut off by the end of the
// stream is discarded, as the standard asks, but Partial tells.
type EventReader struct {
	src io.Reader
	now func() event.Time
	max int

	buf        []byte
	start, end int // unread bytes are buf[start:end]; start is the first byte of the current line
	scan       int // bytes of the current line already searched for its end

	// The event under construction. Its data stays in buf; its type and id are copied out, so that
	// data lines may be moved together over the lines between them.
	data     span
	hasData  bool
	kind, id []byte

	at     event.Time
	reads  uint64
	bytes  uint64
	skipLF bool // the last line ended in CR: a LF that follows belongs to it
	bom    bool // the start of the stream was looked at
	idle   int  // reads in a row that brought neither bytes nor an error
	err    error
}

type span struct{ from, to int }

// firstBuffer holds some dozen usual chunks; a longer event grows the buffer by doubling.
const firstBuffer = 4 << 10

// NewEventReader reads events from src.
func NewEventReader(src io.Reader, cfg EventReaderConfig) *EventReader {
	if cfg.MaxEvent <= 0 {
		cfg.MaxEvent = 1 << 20
	}
	return &EventReader{src: src, now: cfg.Now, max: cfg.MaxEvent, buf: make([]byte, min(firstBuffer, cfg.MaxEvent))}
}

// Reset makes the reader start over on another stream; its buffers are kept.
func (r *EventReader) Reset(src io.Reader) {
	*r = EventReader{src: src, now: r.now, max: r.max, buf: r.buf, kind: r.kind[:0], id: r.id[:0]}
}

// Reads is how many reads brought bytes.
func (r *EventReader) Reads() uint64 { return r.reads }

// Bytes is how many bytes were read.
func (r *EventReader) Bytes() uint64 { return r.bytes }

// Partial reports whether the stream ended inside a line, or in an event that had data.
func (r *EventReader) Partial() bool { return r.hasData || r.start < r.end }

// Next returns the next event, io.EOF at the end of the stream, ErrEventTooLarge, or the error of
// the underlying reader. An error is final.
func (r *EventReader) Next() (Event, error) {
	r.forget()
	for {
		line, ok := r.line()
		if !ok {
			if r.err != nil {
				return Event{}, r.err
			}
			r.fill()
			continue
		}
		if line.from < line.to {
			r.field(line)
			continue
		}
		if r.hasData {
			return Event{
				Type: r.kind, Data: r.buf[r.data.from:r.data.to], ID: r.id, At: r.at, Read: r.reads,
			}, nil
		}
		r.forget()
	}
}

func (r *EventReader) forget() {
	r.data, r.hasData = span{}, false
	r.kind, r.id = r.kind[:0], r.id[:0]
}

// line takes the next complete line, without its end, off the buffer.
func (r *EventReader) line() (span, bool) {
	if r.skipLF && r.start < r.end {
		r.skipLF = false
		if r.buf[r.start] == '\n' {
			r.start++
		}
	}
	if !r.bom && !r.skipBOM() {
		return span{}, false
	}
	rest := r.buf[r.start+r.scan : r.end]
	lf := bytes.IndexByte(rest, '\n')
	if lf >= 0 {
		rest = rest[:lf]
	}
	cr := bytes.IndexByte(rest, '\r')
	if at := max(lf, cr); at >= 0 { // a CR found is before the LF
		if cr >= 0 {
			at = cr
		}
		l := span{r.start, r.start + r.scan + at}
		r.start, r.scan, r.skipLF = l.to+1, 0, cr >= 0
		return l, true
	}
	r.scan = r.end - r.start
	return span{}, false
}

// skipBOM drops one byte order mark at the start of the stream; false: more bytes are needed to tell.
func (r *EventReader) skipBOM() bool {
	const mark = "\xef\xbb\xbf"
	have := r.buf[r.start:r.end]
	n := min(len(have), len(mark))
	if string(have[:n]) == mark[:n] {
		if n < len(mark) {
			return false
		}
		r.start += n
	}
	r.bom = true
	return true
}

// field takes one non-empty line into the event under construction. Comments, retry and fields
// nobody knows end here.
func (r *EventReader) field(l span) {
	colon := l.from
	for colon < l.to && r.buf[colon] != ':' {
		colon++
	}
	value := span{min(colon+1, l.to), l.to}
	if value.from < value.to && r.buf[value.from] == ' ' {
		value.from++
	}
	switch string(r.buf[l.from:colon]) {
	case "data":
		r.addData(value)
	case "event":
		r.kind = append(r.kind[:0], r.buf[value.from:value.to]...)
	case "id":
		if v := r.buf[value.from:value.to]; bytes.IndexByte(v, 0) < 0 { // the standard ignores an id with NUL
			r.id = append(r.id[:0], v...)
		}
	}
}

// addData appends a data line. The second and later ones move down behind the first: the field
// name they lose is longer than the newline they gain, so nothing unread is overwritten.
func (r *EventReader) addData(value span) {
	if !r.hasData {
		r.data, r.hasData = value, true
		return
	}
	r.buf[r.data.to] = '\n'
	n := copy(r.buf[r.data.to+1:], r.buf[value.from:value.to])
	r.data.to += 1 + n
}

// fill reads once. It makes room first: by moving what is still needed to the front, else by growing.
func (r *EventReader) fill() {
	if r.end == len(r.buf) {
		keep := r.start
		if r.hasData {
			keep = r.data.from
		}
		switch {
		case keep > 0:
			r.end = copy(r.buf, r.buf[keep:r.end])
			r.start -= keep
			r.data.from, r.data.to = max(r.data.from-keep, 0), max(r.data.to-keep, 0)
		case len(r.buf) < r.max:
			grown := make([]byte, min(2*len(r.buf), r.max))
			copy(grown, r.buf)
			r.buf = grown
		default:
			r.err = ErrEventTooLarge
			return
		}
	}
	if r.start == r.end && !r.hasData {
		r.start, r.end = 0, 0
	}
	n, err := r.src.Read(r.buf[r.end:])
	if n == 0 && err == nil {
		if r.idle++; r.idle > 100 { // as bufio: a reader that brings nothing must not spin us
			err = io.ErrNoProgress
		}
	}
	if n > 0 {
		r.idle = 0
		r.end += n
		r.reads++
		r.bytes += uint64(n)
		if r.now != nil {
			r.at = r.now()
		}
	}
	r.err = err
}
