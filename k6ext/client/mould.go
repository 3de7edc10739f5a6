package client

import (
	"bytes"
	"unicode/utf8"
)

// mould is the shape of the newest content chunk of a stream: what stood before its text and after it.
// The chunks of one stream are usually cast in one mould, and one that is differs from the last in its
// text alone, so nothing else of it need be read again.
type mould struct {
	before, after []byte // up to the opening quote, and from the closing one; empty = none
	cast          chunk  // what the rest of it meant; its text is not kept
}

// decode reads one event's data. The usual shape is scanned by hand without allocating, and only once;
// everything else goes through encoding/json. All three always agree.
func (m *mould) decode(data []byte) (chunk, error) {
	if text, ok := m.fits(data); ok {
		c := m.cast
		c.text = text
		return c, nil
	}
	s := scanner{data: data}
	var c chunk
	if !s.chunk(&c) {
		return decodeAny(data)
	}
	if s.textEnd > 0 {
		m.before = append(m.before[:0], data[:s.textEnd-len(c.text)]...)
		m.after = append(m.after[:0], data[s.textEnd:]...)
		m.cast = c
		m.cast.text = nil
	}
	return c, nil
}

// fits returns the text of a chunk that is cast in the mould. What stands between before and after is
// one string of JSON, because it has neither quotes nor escapes; so the chunk reads as the last did.
func (m *mould) fits(data []byte) (text []byte, ok bool) {
	from, to := len(m.before), len(data)-len(m.after)
	if from == 0 || to < from || !bytes.Equal(data[:from], m.before) || !bytes.Equal(data[to:], m.after) {
		return nil, false
	}
	text = data[from:to]
	ascii := true
	for _, c := range text {
		if c == '"' || c == '\\' || c < 0x20 {
			return nil, false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return text, ascii || utf8.Valid(text)
}

// empty forgets the shape and keeps the memory.
func (m *mould) empty() mould { return mould{before: m.before[:0], after: m.after[:0]} }
