package sim

// stops finds the first end of any stop string in a stream of bytes, however tokens cut it: one
// Knuth-Morris-Pratt automaton a string, so that a byte costs the same wherever it falls.
type stops struct {
	strings []stopString
}

type stopString struct {
	text string
	fail []int // fail[i]: longest proper border of text[:i+1]
	at   int   // how many bytes of text the stream ends with
}

// newStops compiles the non-empty strings.
func newStops(texts []string) stops {
	var s stops
	for _, text := range texts {
		if text == "" {
			continue
		}
		fail := make([]int, len(text))
		for i, k := 1, 0; i < len(text); i++ {
			for k > 0 && text[i] != text[k] {
				k = fail[k-1]
			}
			if text[i] == text[k] {
				k++
			}
			fail[i] = k
		}
		s.strings = append(s.strings, stopString{text: text, fail: fail})
	}
	return s
}

// feed takes the next piece of the stream. When a stop string ends in it, feed returns the bytes of
// the piece up to and with that end, and the length of the string (the longest, if several end there).
// Otherwise length is 0.
func (s *stops) feed(piece string) (used, length int) {
	for i := range len(piece) {
		for j := range s.strings {
			if p := &s.strings[j]; p.step(piece[i]) {
				length = max(length, len(p.text))
			}
		}
		if length > 0 {
			return i + 1, length
		}
	}
	return len(piece), 0
}

// open is how many bytes at the stream's end may still become a stop string.
func (s *stops) open() int {
	n := 0
	for j := range s.strings {
		n = max(n, s.strings[j].at)
	}
	return n
}

// reset forgets the stream.
func (s *stops) reset() {
	for j := range s.strings {
		s.strings[j].at = 0
	}
}

func (p *stopString) step(b byte) (ends bool) {
	for p.at > 0 && (p.at == len(p.text) || p.text[p.at] != b) {
		p.at = p.fail[p.at-1]
	}
	if p.text[p.at] == b {
		p.at++
	}
	return p.at == len(p.text)
}
