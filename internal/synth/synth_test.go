package synth

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The sequence is a contract between processes and versions: a change here makes every
// recorded answer "corrupt".
func TestSequenceIsFixed(t *testing.T) {
	k := AnswerKey("llama-3.1-8b", " hello there", 7)
	assert.Equal(t, Key(0x8dcdc4b0b73891f1), k)
	assert.Equal(t, k.Text(0, 3)+k.Text(3, 6), k.Text(0, 6), "a resumed text joins without a seam")
}

func TestVocabularyIsUsable(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range vocabulary {
		require.True(t, utf8.ValidString(w))
		require.Equal(t, byte(' '), w[0])
		require.LessOrEqual(t, utf8.RuneCountInString(w)-1, longestWord)
		require.False(t, seen[w], "token %q is there twice", w)
		seen[w] = true
	}
}

func TestCount(t *testing.T) {
	k := AnswerKey("m", "p", 1)
	for _, n := range []int{0, 1, 2, 64, 513} {
		assert.Equal(t, n, Count(k.Text(0, n)), "synth text counts exactly")
	}
	assert.Equal(t, 0, Count(" \n\t "))
	assert.Equal(t, 2, Count("tokens"), "six letters of foreign text are two tokens")
	assert.Equal(t, 1, Count("the"))
}

func TestNaturalLengthIsBounded(t *testing.T) {
	for i := range 10_000 {
		n := Key(i).NaturalLength()
		require.GreaterOrEqual(t, n, 16)
		require.Less(t, n, 512)
	}
}

func BenchmarkToken(b *testing.B) {
	k := AnswerKey("m", "p", 1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		_ = k.Token(i)
		i++
	}
}
