// Package synth is deterministic text: the words a simulated model says and the words a load
// generator asks with. Both sides compute the same token from the same key, so an answer can be
// checked byte by byte without either side storing it.
//
// What may not live here: timing, HTTP, randomness that is not a pure function of its arguments.
package synth

import (
	"hash/fnv"
	"strings"
	"unicode"
)

// Key selects one endless sequence of tokens.
type Key uint64

// AnswerKey is the sequence with which model answers prompt under seed.
func AnswerKey(model, prompt string, seed uint64) Key {
	h := fnv.New64a()
	_, _ = h.Write([]byte(model)) // hash.Hash never returns an error
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(prompt))
	return Key(Mix(h.Sum64() ^ Mix(seed)))
}

// Token is token i of the sequence: one word with its leading space ("" never).
// It allocates nothing.
func (k Key) Token(i int) string {
	return vocabulary[Mix(uint64(k)+uint64(i)*0x9e3779b97f4a7c15)%VocabularySize]
}

// NaturalLength is where the model would end its answer if nobody asked otherwise:
// 16…511 tokens, skewed to short ones.
func (k Key) NaturalLength() int {
	u := Mix(uint64(k) ^ 0x6c656e677468)
	a, b := int(u%496), int((u>>32)%496)
	return 16 + min(a, b)
}

// Text is tokens [from, to) joined. For tests and prompts; the per-token path uses Token.
func (k Key) Text(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(k.Token(i))
	}
	return b.String()
}

// Count is the number of tokens in text by the simulated tokenizer: exact for synth text (a word
// with its space is one token), and about one token per four letters of longer foreign words.
func Count(text string) int {
	n, letters := 0, 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			n += wordTokens(letters)
			letters = 0
			continue
		}
		letters++
	}
	return n + wordTokens(letters)
}

func wordTokens(letters int) int {
	if letters <= longestWord {
		return min(letters, 1)
	}
	return (letters + 3) / 4
}

// Mix is the SplitMix64 finaliser (Steele, Lea, Flood 2014): a bijection that scatters bits.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// VocabularySize is how many different tokens there are.
const VocabularySize = 4096

// longestWord is the longest word of the vocabulary in runes, its space not counted.
const longestWord = 4

// vocabulary is written once, before main, and only read after.
var vocabulary = makeVocabulary()

// makeVocabulary joins 64 × 64 syllables. One word in 64 ends in a syllable of two- to four-byte
// runes, so that every joint and buffer boundary meets real UTF-8.
func makeVocabulary() [VocabularySize]string {
	const consonants, vowels = "bdfghklmnprstvwz", "aeiu"
	var syllables [64]string
	for i := range syllables {
		syllables[i] = string(consonants[i/4]) + string(vowels[i%4])
	}
	var words [VocabularySize]string
	for i := range words {
		tail := syllables[i%64]
		switch i % 256 {
		case 63:
			tail = "né" // two-byte rune
		case 127:
			tail = "光" // three
		case 191:
			tail = "😀" // four
		}
		words[i] = " " + syllables[i/64] + tail
	}
	return words
}
