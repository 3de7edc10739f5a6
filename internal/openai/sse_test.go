package openai

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
)

type plainEvent struct{ kind, data, id string }

// oracle is the standard's algorithm written for clarity: whole input, strings, no state machine.
func oracle(in string) (events []plainEvent) {
	in = strings.TrimPrefix(in, "\xef\xbb\xbf")
	in = strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(in, "\n")
	lines = lines[:len(lines)-1] // the last one has no end
	var e plainEvent
	var data []string
	for _, line := range lines {
		if line == "" {
			if data != nil {
				e.data = strings.Join(data, "\n")
				events = append(events, e)
			}
			e, data = plainEvent{}, nil
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "data":
			data = append(data, value)
		case "event":
			e.kind = value
		case "id":
			if !strings.Contains(value, "\x00") {
				e.id = value
			}
		}
	}
	return events
}

func readAll(t *testing.T, src io.Reader, bound int) (events []plainEvent) {
	t.Helper()
	r := NewEventReader(src, EventReaderConfig{MaxEvent: bound})
	for range 1 << 20 {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events
		}
		require.NoError(t, err)
		events = append(events, plainEvent{string(e.Type), string(e.Data), string(e.ID)})
	}
	t.Fatal("endless stream")
	return nil
}

// splits reads its text in pieces whose lengths come from a second text, cycled.
type splits struct {
	text  string
	sizes []byte
	i     int
}

func (s *splits) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := 1
	if len(s.sizes) > 0 {
		n = 1 + int(s.sizes[s.i%len(s.sizes)])%7
		s.i++
	}
	n = copy(p[:min(n, len(p))], s.text)
	s.text = s.text[n:]
	return n, nil
}

var streams = map[string]string{
	"plain":           "data: a\n\ndata: b\n\n",
	"crlf":            "data: a\r\n\r\ndata: b\r\n\r\n",
	"cr":              "data: a\r\rdata: b\r\r",
	"mixed ends":      "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r",
	"comments":        ": hi\n\n:\ndata: a\n: in between\n\n: end\n\n",
	"multi-line":      "data: a\ndata: b\ndata\ndata:\ndata:  c\n\n",
	"between":         "data: first\nevent: long event name here\nid: 12345678901234567890\ndata: second\ndata: third\n\n",
	"types and ids":   "id: 7\nevent: error\ndata: {}\n\nid\ndata: x\n\n",
	"id with NUL":     "id: a\x00b\ndata: x\n\n",
	"retry, unknown":  "retry: 10\nfoo: bar\ndata: x\n\n",
	"no data":         "event: ping\n\ndata: x\n\n",
	"empty data":      "data:\n\n",
	"bom":             "\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: no field\n\n",
	"half a bom":      "\xef\xbbdata: a\n\ndata: b\n\n",
	"cut off":         "data: a\n\ndata: lost",
	"cut off, line":   "data: a\n\ndata: lost\n",
	"many":            strings.Repeat(`data: {"choices":[{"delta":{"content":" hi"}}]}`+"\n\n", 500),
	"larger than 4 K": "data: " + strings.Repeat("x", 9000) + "\ndata: y\n\ndata: z\n\n",
}

func TestEventsAtEverySplit(t *testing.T) {
	for name, in := range streams {
		t.Run(name, func(t *testing.T) {
			want := oracle(in)
			assert.Equal(t, want, readAll(t, strings.NewReader(in), 1<<16), "in one piece")
			assert.Equal(t, want, readAll(t, iotest.OneByteReader(strings.NewReader(in)), 1<<16), "byte by byte")
			assert.Equal(t, want, readAll(t, iotest.DataErrReader(strings.NewReader(in)), 1<<16), "EOF with the last bytes")
			for at := range min(len(in), 300) {
				two := io.MultiReader(strings.NewReader(in[:at]), strings.NewReader(in[at:]))
				require.Equal(t, want, readAll(t, two, 1<<16), "split at %d", at)
			}
		})
	}
}

func FuzzEventReader(f *testing.F) {
	for _, in := range streams {
		f.Add(in, []byte{1, 5, 2})
	}
	f.Fuzz(func(t *testing.T, in string, sizes []byte) {
		want := oracle(in)
		assert.Equal(t, want, readAll(t, &splits{text: in, sizes: sizes}, 1<<20))
		assert.Equal(t, want, readAll(t, strings.NewReader(in), 1<<20))
	})
}

func TestEventInstants(t *testing.T) {
	now := event.Time(0)
	src := io.MultiReader(
		strings.NewReader("data: a\n\ndata: b\n\ndata: c"), strings.NewReader("\n"), strings.NewReader("\n"))
	r := NewEventReader(src, EventReaderConfig{Now: func() event.Time { now++; return now }})
	var at []event.Time
	var reads []uint64
	for range 3 {
		e, err := r.Next()
		require.NoError(t, err)
		at, reads = append(at, e.At), append(reads, e.Read)
	}
	assert.Equal(t, []event.Time{1, 1, 3}, at, "the instant of the read that completed the event")
	assert.Equal(t, []uint64{1, 1, 3}, reads)
	_, err := r.Next()
	require.ErrorIs(t, err, io.EOF)
	assert.Equal(t, event.Time(3), now, "one look at the clock a read, none for the end")
	assert.Equal(t, uint64(3), r.Reads())
	assert.Equal(t, uint64(27), r.Bytes())
}

func TestEventBound(t *testing.T) {
	long := "data: " + strings.Repeat("x", 100) + "\n\n"
	for name, in := range map[string]string{
		"line": long, "comment": ":" + long, "lines": strings.Repeat("data: 12345\n", 20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewEventReader(strings.NewReader(in), EventReaderConfig{MaxEvent: 64}).Next()
			require.ErrorIs(t, err, ErrEventTooLarge)
		})
	}
	assert.Len(t, readAll(t, strings.NewReader(strings.Repeat(": keep-alive\n", 100)+"data: a\n\n"), 64), 1,
		"comments do not add up to an event")
}

func TestPartial(t *testing.T) {
	for in, want := range map[string]bool{"data: a\n\n": false, "data: a\n": true, "dat": true, ": c\n": false, "": false} {
		r := NewEventReader(strings.NewReader(in), EventReaderConfig{})
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		assert.Equal(t, want, r.Partial(), "%q", in)
	}
}

func TestReadErrorIsFinal(t *testing.T) {
	r := NewEventReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(io.ErrUnexpectedEOF)), EventReaderConfig{})
	_, err := r.Next()
	require.NoError(t, err)
	for range 2 {
		_, err = r.Next()
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
}

func BenchmarkEventReader(b *testing.B) {
	chunk := []byte(`data: {"id":"c-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" hi"},"finish_reason":null}]}` + "\n\n")
	stream := bytes.Repeat(chunk, 64)
	src := bytes.NewReader(stream)
	r := NewEventReader(src, EventReaderConfig{Now: func() event.Time { return 1 }})
	b.ReportAllocs()
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		src.Reset(stream)
		r.Reset(src)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
