package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// cursor walks one payload; the first fault sticks and the rest reads as zero.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail(what string) {
	if c.err == nil {
		c.err = errors.New(what)
	}
	c.b = nil
}

func (c *cursor) byte() byte {
	if len(c.b) == 0 {
		c.fail("it ends too early")
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail("a number is cut off or too large")
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.fail("a number is cut off or too large")
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) time(present bool, from event.Time) event.Time {
	if !present {
		return 0
	}
	return from + event.Time(c.varint())
}

func (c *cursor) text(bound int) []byte {
	n := c.uvarint()
	if n > uint64(bound) || n > uint64(len(c.b)) {
		c.fail("a text is longer than it may be")
		return nil
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

// words keeps one copy of each repeated text; a bounded number, so that a hostile file gains nothing.
type words map[string]string

func (w words) keep(b []byte) string {
	if s, ok := w[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(w) < maxInterned {
		w[s] = s
	}
	return s
}

// decodeRecord is appendRecord's inverse.
func decodeRecord(payload []byte, start event.Time, seen words) (r Record, err error) {
	c := cursor{b: payload}
	flags := c.byte()
	r.Outcome, r.Violated = Outcome(c.byte()), Limit(c.byte())
	r.Streaming = flags&isStreaming != 0
	if flags&byUsage != 0 {
		r.TokensBy = TokensByUsage
	}
	r.Arrival = c.uvarint()
	r.Due = c.time(flags&hasDue != 0, start)
	r.Sent = c.time(flags&hasSent != 0, r.Due)
	r.First = c.time(flags&hasFirst != 0, r.Due)
	r.Last = c.time(flags&hasLast != 0, r.Due)
	r.End = c.time(flags&hasEnd != 0, r.Due)
	r.Harmed = c.time(flags&hasHarmed != 0, r.Due)
	r.MaxGap = time.Duration(c.varint())
	r.Status = int(c.varint())
	r.PromptTokens = int(c.varint())
	r.OutputTokens = int(c.varint())
	r.Chunks = int(c.varint())
	r.Attempts = int(c.varint())
	r.ID = string(c.text(maxWord))
	r.Tenant = seen.keep(c.text(maxWord))
	r.Model = seen.keep(c.text(maxWord))
	r.Class = seen.keep(c.text(maxWord))
	r.Node = seen.keep(c.text(maxWord))
	r.Note = seen.keep(c.text(maxNote))
	if c.err == nil && len(c.b) > 0 {
		c.fail("bytes are left over")
	}
	if c.err != nil {
		return Record{}, c.err
	}
	return r, checkRecord(&r)
}

// decodeGaps adds a gaps payload to g. maxSeconds bounds how many seconds g may come to hold.
func decodeGaps(payload []byte, g *Gaps, maxSeconds int) error {
	c := cursor{b: payload}
	sec := c.uvarint()
	if c.err != nil {
		return c.err
	}
	if sec > uint64(maxSecond) {
		return fmt.Errorf("second %d is past the longest run of %d s", sec, maxSecond)
	}
	if g.Seconds[int(sec)] == nil && len(g.Seconds) >= maxSeconds {
		return fmt.Errorf("it holds more than %d seconds of gaps", maxSeconds)
	}
	h := g.histogram(int(sec))
	value := uint64(0)
	for len(c.b) > 0 {
		value += c.uvarint()
		count := c.uvarint()
		if c.err != nil {
			return c.err
		}
		if value > uint64(h.HighestTrackableValue()) || count == 0 || count > maxGapCount {
			return fmt.Errorf("%d gaps of %d µs cannot be", count, value)
		}
		if err := h.RecordValues(int64(value), int64(count)); err != nil {
			return fmt.Errorf("gaps of second %d: %w", sec, err)
		}
	}
	return nil
}

const (
	maxSecond   = int(7 * 24 * time.Hour / time.Second)
	maxGapCount = 1 << 48 // far above what a second can hold, far below where sums overflow
)
