package record

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds limit what Read takes into memory.
type Bounds struct {
	Records    int // about 300 bytes each
	GapSeconds int // 24 KiB each
}

// DefaultBounds take about 2 GB at the very most: 5 million records and four hours of gaps.
func DefaultBounds() Bounds { return Bounds{Records: 5_000_000, GapSeconds: 4 * 3600} }

// Read reads a shard within DefaultBounds. A file that was cut off gives its good records and
// Complete = false; a damaged one gives an error that names the offset.
func Read(r io.Reader) (Shard, error) { return ReadWithin(r, DefaultBounds()) }

// ReadWithin is Read with other bounds.
func ReadWithin(r io.Reader, b Bounds) (Shard, error) {
	f := frames{r: bufio.NewReaderSize(r, 64<<10)}
	if err := f.open(); err != nil {
		return Shard{}, err
	}
	var s Shard
	kind, payload, err := f.next()
	switch {
	case errors.Is(err, errCut):
		return Shard{}, errors.New("the shard ends inside its header; the load generator died before it began")
	case err != nil:
		return Shard{}, err
	case kind != frameHeader:
		return Shard{}, f.corrupt("the first frame is no header")
	}
	if err := json.Unmarshal(payload, &s.Header); err != nil {
		return Shard{}, f.corrupt("header: " + err.Error())
	}
	seen := words{}
	for {
		kind, payload, err := f.next()
		if errors.Is(err, errCut) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		switch kind {
		case frameRecord:
			if len(s.Records) >= b.Records {
				return s, f.corrupt(fmt.Sprintf("it holds more than %d records; split the run or raise the bound", b.Records))
			}
			rec, err := decodeRecord(payload, s.Header.Start, seen)
			if err != nil {
				return s, f.corrupt("record: " + err.Error())
			}
			s.Records = append(s.Records, rec)
		case frameGaps:
			if err := decodeGaps(payload, &s.Gaps, b.GapSeconds); err != nil {
				return s, f.corrupt("gaps: " + err.Error())
			}
		case frameFooter:
			if err := json.Unmarshal(payload, &s.Footer); err != nil {
				return s, f.corrupt("footer: " + err.Error())
			}
			if s.Footer.Records != uint64(len(s.Records)) {
				return s, f.corrupt(fmt.Sprintf("the footer counts %d records, the file holds %d", s.Footer.Records, len(s.Records)))
			}
			if _, err := f.r.ReadByte(); !errors.Is(err, io.EOF) {
				return s, f.corrupt("bytes follow the footer")
			}
			s.Complete = true
			return s, nil
		default:
			return s, f.corrupt("a second header")
		}
	}
}

// errCut says that the file ended between or inside frames.
var errCut = errors.New("cut off")

// frames reads frames and knows where it is.
type frames struct {
	r      *bufio.Reader
	offset int64 // of the next byte
	at     int64 // of the frame being read
	buf    []byte
}

func (f *frames) corrupt(what string) error {
	return fmt.Errorf("damaged shard at byte %d: %s", f.at, what)
}

func (f *frames) open() error {
	var b [len(magic) + 1]byte
	n, err := io.ReadFull(f.r, b[:])
	f.offset = int64(n)
	switch {
	case n < len(magic) || string(b[:len(magic)]) != magic:
		return errors.New("this is not a shard file; give the file that --out brownout=FILE wrote")
	case err != nil:
		return errors.New("the shard ends inside its header; the load generator died before it began")
	case b[len(magic)] != formatVersion:
		return fmt.Errorf("the shard has format %d and this brownout reads %d; use the version that wrote it", b[len(magic)], formatVersion)
	}
	return nil
}

// next returns the next frame's payload, valid until the call after. errCut means no whole frame is left.
func (f *frames) next() (kind byte, payload []byte, err error) {
	f.at = f.offset
	f.buf = f.buf[:0]
	kind, err = f.r.ReadByte()
	if err != nil {
		return 0, nil, cutOr(err)
	}
	f.buf = append(f.buf, kind)
	var bound int
	switch kind {
	case frameHeader, frameFooter:
		bound = maxJSON
	case frameRecord:
		bound = maxRecordFrame
	case frameGaps:
		bound = maxGapsFrame
	default:
		return 0, nil, f.corrupt(fmt.Sprintf("no frame begins with 0x%02x", kind))
	}
	length, err := f.length()
	if err != nil {
		return 0, nil, err
	}
	if length > uint64(bound) {
		return 0, nil, f.corrupt(fmt.Sprintf("a frame of %d bytes, and at most %d are allowed", length, bound))
	}
	head := len(f.buf)
	f.buf, err = appendN(f.buf, f.r, int(length)+4)
	if err != nil {
		return 0, nil, cutOr(err)
	}
	end := head + int(length)
	if checksum(f.buf[:end]) != binary.LittleEndian.Uint32(f.buf[end:]) {
		return 0, nil, f.corrupt("the checksum does not match")
	}
	f.offset += int64(len(f.buf))
	return kind, f.buf[head:end], nil
}

func (f *frames) length() (uint64, error) {
	for range binary.MaxVarintLen64 {
		c, err := f.r.ReadByte()
		if err != nil {
			return 0, cutOr(err)
		}
		f.buf = append(f.buf, c)
		if c < 0x80 {
			v, n := binary.Uvarint(f.buf[1:])
			if n <= 0 {
				return 0, f.corrupt("a frame length is too large")
			}
			return v, nil
		}
	}
	return 0, f.corrupt("a frame length is too large")
}

// appendN reads n bytes in steps, so that a claimed length costs memory only as bytes really come.
func appendN(b []byte, r io.Reader, n int) ([]byte, error) {
	const step = 64 << 10
	for n > 0 {
		k := min(n, step)
		at := len(b)
		b = append(b, make([]byte, k)...)
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return b[:at], err
		}
		n -= k
	}
	return b, nil
}

func cutOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return fmt.Errorf("reading the shard: %w", err)
}
