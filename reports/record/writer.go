package record

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/brownout-dev/brownout/internal/event"
)

// Writer writes one shard. It is not safe for concurrent use. After the first error every call returns
// that error.
type Writer struct {
	w     *bufio.Writer
	start event.Time
	err   error

	payload []byte // reused
	frame   []byte // reused
	records uint64
	dropped uint64

	gaps  Gaps                      // the newest seconds, not yet written
	spare []*hdrhistogram.Histogram // emptied, for reuse
}

// openSeconds is how many seconds of gaps are kept in memory (24 KiB each) before the oldest is
// written out: gaps are reported when a request is over, so they come late by up to its length.
const openSeconds = 128

// NewWriter writes the header. Header.Version is filled in.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	h.Version = formatVersion
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10), start: h.Start}
	_, out.err = out.w.WriteString(magic + string(rune(formatVersion)))
	out.json(frameHeader, h)
	if err := out.Flush(); err != nil {
		return nil, err
	}
	return out, nil
}

// Write appends one record. Texts beyond their bound (256 bytes, notes 1 KiB) are cut.
func (w *Writer) Write(r *Record) error {
	if w.err != nil {
		return w.err
	}
	if err := checkRecord(r); err != nil {
		return err
	}
	w.payload = appendRecord(w.payload[:0], r, w.start)
	w.put(frameRecord)
	w.records++
	if r.Outcome == Dropped {
		w.dropped++
	}
	return w.err
}

// AddGap counts one gap between content chunks in second sec (from Header.Start, by the instant the
// later chunk came). A write error shows at the next Write, Flush or Close.
func (w *Writer) AddGap(sec int, gap time.Duration) {
	sec = min(max(sec, 0), maxSecond)
	if w.gaps.Seconds[sec] == nil {
		w.openSecond(sec)
	}
	w.gaps.Add(sec, gap)
}

func (w *Writer) openSecond(sec int) {
	if len(w.gaps.Seconds) >= openSeconds {
		oldest := sec
		for s := range w.gaps.Seconds {
			oldest = min(oldest, s)
		}
		if w.gaps.Seconds[oldest] != nil {
			w.closeSecond(oldest)
		} else {
			w.closeSeconds() // a straggler older than all: rare, so simple
		}
	}
	if n := len(w.spare); n > 0 {
		if w.gaps.Seconds == nil {
			w.gaps.Seconds = make(map[int]*hdrhistogram.Histogram, openSeconds)
		}
		w.gaps.Seconds[sec] = w.spare[n-1]
		w.spare = w.spare[:n-1]
	}
}

func (w *Writer) closeSeconds() {
	for s := range w.gaps.Seconds {
		w.closeSecond(s)
	}
}

func (w *Writer) closeSecond(sec int) {
	h := w.gaps.Seconds[sec]
	delete(w.gaps.Seconds, sec)
	w.payload = appendGaps(w.payload[:0], sec, h)
	w.put(frameGaps)
	h.Reset()
	w.spare = append(w.spare, h)
}

// Flush hands everything written so far, but gaps of open seconds, to the file.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// Close writes the gaps and the footer; it does not close the underlying writer. Footer.Records and
// Footer.Dropped are filled in from what was written.
func (w *Writer) Close(f Footer) error {
	w.closeSeconds()
	f.Records, f.Dropped = w.records, w.dropped
	w.json(frameFooter, f)
	err := w.Flush()
	if err == nil {
		w.err = io.ErrClosedPipe
	}
	return err
}

func (w *Writer) json(kind byte, v any) {
	if w.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		w.err = err
		return
	}
	if len(b) > maxJSON {
		w.err = fmt.Errorf("the shard's %q frame has %d bytes; at most %d can be read back", kind, len(b), maxJSON)
		return
	}
	w.payload = append(w.payload[:0], b...)
	w.put(kind)
}

// put frames w.payload.
func (w *Writer) put(kind byte) {
	if w.err != nil {
		return
	}
	w.frame = append(w.frame[:0], kind)
	w.frame = binary.AppendUvarint(w.frame, uint64(len(w.payload)))
	w.frame = append(w.frame, w.payload...)
	w.frame = binary.LittleEndian.AppendUint32(w.frame, checksum(w.frame))
	_, w.err = w.w.Write(w.frame)
}
