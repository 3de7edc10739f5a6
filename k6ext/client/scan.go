package client

import (
	"bytes"
	"unicode/utf8"
)

// scanChunk decodes the usual shape of a chunk without allocating; ok is false for any other.
func scanChunk(data []byte) (c chunk, ok bool) {
	s := scanner{data: data}
	ok = s.chunk(&c)
	return c, ok
}

// chunk takes the whole of the data.
func (s *scanner) chunk(c *chunk) bool {
	if !s.top(c) {
		*c = chunk{}
		return false
	}
	s.space()
	return s.at == len(s.data)
}

// top takes the chunk object.
func (s *scanner) top(c *chunk) bool {
	if !s.next('{') {
		return false
	}
	seen := false
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		switch {
		case string(key) == "choices":
			if seen || !s.choices(c) {
				return false
			}
			seen = true
		case string(key) == "usage":
			if c.usage || (!s.word("null") && !s.usage(c)) {
				return false
			}
		case string(key) == "error":
			if !s.word("null") {
				return false
			}
		case fold(key, "choices", "usage", "error") || !s.plain():
			return false
		}
		if !s.next(',') {
			return s.next('}')
		}
	}
}

// choices takes an array of no or one choice.
func (s *scanner) choices(c *chunk) bool {
	if !s.next('[') {
		return false
	}
	if s.next(']') {
		return true
	}
	c.choices = 1
	return s.choice(c) && s.next(']')
}

func (s *scanner) choice(c *chunk) bool {
	if !s.next('{') {
		return false
	}
	var index, delta, finish bool
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		switch string(key) {
		case "index":
			n, whole := s.number()
			if index || !whole {
				return false
			}
			c.index, index = n, true
		case "delta":
			if delta || !s.delta(c) {
				return false
			}
			delta = true
		case "finish_reason":
			if finish {
				return false
			}
			finish = true
			if !s.word("null") {
				reason, isText := s.text()
				if !isText {
					return false
				}
				c.finished = len(reason) > 0
			}
		default:
			if fold(key, "index", "delta", "finish_reason", "message") || !s.plain() {
				return false
			}
		}
		if !s.next(',') {
			return s.next('}')
		}
	}
}

func (s *scanner) delta(c *chunk) bool {
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return true
	}
	seen := false
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		switch string(key) {
		case "content":
			if seen {
				return false
			}
			seen = true
			if !s.word("null") {
				if c.text, ok = s.text(); !ok {
					return false
				}
				s.textEnd = s.at - 1
			}
		case "reasoning_content", "reasoning", "refusal", "tool_calls":
			if !s.word("null") {
				return false
			}
		default:
			if fold(key, "content", "reasoning_content", "reasoning", "refusal", "tool_calls") || !s.plain() {
				return false
			}
		}
		if !s.next(',') {
			return s.next('}')
		}
	}
}

// usage takes the usage object. Its details, objects of plain values, are passed over.
func (s *scanner) usage(c *chunk) bool {
	if !s.next('{') {
		return false
	}
	var prompt, output bool
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		switch string(key) {
		case "prompt_tokens":
			n, whole := s.number()
			if prompt || !whole {
				return false
			}
			c.prompt, prompt = n, true
		case "completion_tokens":
			n, whole := s.number()
			if output || !whole {
				return false
			}
			c.output, output = n, true
		default:
			if fold(key, "prompt_tokens", "completion_tokens") || (!s.plain() && !s.flat()) {
				return false
			}
		}
		if !s.next(',') {
			c.usage = true
			return s.next('}')
		}
	}
}

// flat takes an object of plain values that nobody asks for.
func (s *scanner) flat() bool {
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return true
	}
	for {
		if _, ok := s.key(); !ok || !s.plain() {
			return false
		}
		if !s.next(',') {
			return s.next('}')
		}
	}
}

// fold reports whether encoding/json would take key for one of names: it ignores case.
func fold(key []byte, names ...string) bool {
	for _, n := range names {
		if len(key) <= len(n)+4 && bytes.EqualFold(key, []byte(n)) { // a folded rune may be longer in UTF-8
			return true
		}
	}
	return false
}

// scanner reads the usual shape of a chunk. Any doubt (an escape, a nested value where none is
// usual, a repeated or differently cased key, bad UTF-8) makes it give up; it never guesses.
type scanner struct {
	data    []byte
	at      int
	textEnd int // where the closing quote of the content is; 0 = there was none
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next takes one byte if it is c, after white space.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

// text takes a string without escapes.
func (s *scanner) text() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	from, ascii := s.at, true
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			v := s.data[from:s.at]
			s.at++
			return v, ascii || utf8.Valid(v)
		case c == '\\' || c < 0x20:
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// number takes a whole number of at most nine digits.
func (s *scanner) number() (int, bool) {
	s.space()
	from, n := s.at, 0
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		n = n*10 + int(s.data[s.at]-'0')
		s.at++
	}
	digits := s.at - from
	if digits == 0 || digits > 9 || (digits > 1 && s.data[from] == '0') {
		return 0, false
	}
	if s.at < len(s.data) {
		switch s.data[s.at] {
		case '.', 'e', 'E':
			return 0, false
		}
	}
	return n, true
}

func (s *scanner) word(w string) bool {
	s.space()
	if bytes.HasPrefix(s.data[s.at:], []byte(w)) {
		s.at += len(w)
		return true
	}
	return false
}

// plain takes a value nobody asks for: a string, a small whole number, null, true, false.
func (s *scanner) plain() bool {
	s.space()
	if s.at == len(s.data) {
		return false
	}
	switch c := s.data[s.at]; {
	case c == '"':
		_, ok := s.text()
		return ok
	case c >= '0' && c <= '9':
		return s.digits()
	}
	return s.word("null") || s.word("true") || s.word("false")
}

// digits takes a whole number of any length ("created" has ten digits and more).
func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	if s.at-from > 1 && s.data[from] == '0' {
		return false
	}
	return s.at == len(s.data) || (s.data[s.at] != '.' && s.data[s.at] != 'e' && s.data[s.at] != 'E')
}

// key takes a key and its colon.
func (s *scanner) key() ([]byte, bool) {
	k, ok := s.text()
	return k, ok && s.next(':')
}
