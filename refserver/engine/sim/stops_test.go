package sim

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// firstEnd is the oracle: where the first stop string ends, and where that one begins (the longest).
func firstEnd(text string, stops []string) (begin, end int) {
	for end = 1; end <= len(text); end++ {
		begin = -1
		for _, s := range stops {
			if s != "" && strings.HasSuffix(text[:end], s) && (begin < 0 || end-len(s) < begin) {
				begin = end - len(s)
			}
		}
		if begin >= 0 {
			return begin, end
		}
	}
	return -1, -1
}

func FuzzStops(f *testing.F) {
	f.Add("abcabcabd", "abcabd", "x", uint8(3))
	f.Add("aaaaaab", "aab", "aaab", uint8(1))
	f.Add("nés 光 😀", "光", "é", uint8(2))
	f.Fuzz(func(t *testing.T, text, one, two string, cut uint8) {
		if len(text) > 1000 || len(one) > 100 || len(two) > 100 {
			return
		}
		begin, end := firstEnd(text, []string{one, two})
		s := newStops([]string{one, two})
		piece := int(cut%7) + 1
		for at := 0; at < len(text); at += piece {
			p := text[at:min(len(text), at+piece)]
			used, length := s.feed(p)
			if length > 0 {
				require.Equal(t, end, at+used)
				require.Equal(t, begin, at+used-length)
				return
			}
			require.Equal(t, len(p), used)
		}
		require.Equal(t, -1, end, "missed")
		// What is open is really a beginning of a stop string.
		if n := s.open(); n > 0 {
			tail := text[len(text)-n:]
			require.True(t, strings.HasPrefix(one, tail) || strings.HasPrefix(two, tail))
		}
	})
}

// answer drains a stream that was pushed to its end.
func answer(t *testing.T, req engine.Request) (text string, chunks []engine.Chunk) {
	t.Helper()
	s, end := newStream(req)
	next := req.ResumeAt
	for i := req.ResumeAt; i < end; i++ {
		ended := s.push(i, i == end-1)
		for len(s.out) > 0 {
			c := <-s.out
			chunks = append(chunks, c)
			if c.Finish == "" && c.Err == nil {
				require.Equal(t, next, c.Index, "no token lost or repeated")
				require.Positive(t, c.Tokens)
				require.True(t, utf8.ValidString(c.Text))
				next += c.Tokens
				text += c.Text
			}
		}
		if ended {
			break
		}
	}
	_, open := <-s.out
	require.False(t, open, "closed after the end")
	last := chunks[len(chunks)-1]
	require.NotEmpty(t, last.Finish)
	require.Empty(t, last.Text)
	return text, chunks
}

func TestAnswersEndAsAsked(t *testing.T) {
	key := synth.AnswerKey("m", "p", 1)
	natural := key.NaturalLength()
	req := engine.Request{Model: "m", Prompt: "p", Seed: 1, PromptTokens: 1}
	for name, c := range map[string]struct {
		max    int
		ignore bool
		tokens int
		finish engine.Finish
	}{
		"cut short":     {natural - 1, false, natural - 1, engine.FinishLength},
		"just enough":   {natural, false, natural, engine.FinishStop},
		"natural end":   {natural + 100, false, natural, engine.FinishStop},
		"end not heard": {natural + 100, true, natural + 100, engine.FinishLength},
	} {
		req.MaxTokens, req.IgnoreEOS = c.max, c.ignore
		text, chunks := answer(t, req)
		assert.Equal(t, key.Text(0, c.tokens), text, name)
		assert.Equal(t, c.finish, chunks[len(chunks)-1].Finish, name)
	}
}

// Every stop string cut out of an answer, at any place and length, ends the text right before itself,
// in one go and resumed at every token before it.
func TestStopStringsAndResume(t *testing.T) {
	key := synth.AnswerKey("m", "p", 1)
	whole := key.Text(0, 40)
	for from := 0; from < len(whole)-12; from++ {
		for _, length := range []int{1, 3, 7, 12} {
			stop := whole[from : from+length]
			if !utf8.ValidString(stop) {
				continue
			}
			stops := []string{"never said", stop}
			begin, _ := firstEnd(whole, stops)
			req := engine.Request{Model: "m", Prompt: "p", Seed: 1, MaxTokens: 40, IgnoreEOS: true, Stop: stops}
			text, chunks := answer(t, req)
			require.Equal(t, whole[:begin], text, "stop %q", stop)
			require.Equal(t, engine.FinishStop, chunks[len(chunks)-1].Finish)

			sent, at := "", 0
			for _, c := range chunks[:max(0, len(chunks)-2)] {
				sent, at = sent+c.Text, at+c.Tokens
				req.ResumeAt, req.Sent = at, sent
				rest, _ := answer(t, req)
				require.Equal(t, whole[:begin], sent+rest, "stop %q resumed at %d", stop, at)
			}
		}
	}
}

// A stop string that another engine began to send ends the answer at the joint; the rest of it is not said.
func TestStopStringAcrossTheJoint(t *testing.T) {
	key := synth.AnswerKey("m", "p", 1)
	stop := key.Text(3, 5)
	text, chunks := answer(t, engine.Request{
		Model: "m", Prompt: "p", Seed: 1, MaxTokens: 40, IgnoreEOS: true, Stop: []string{stop},
		ResumeAt: 4, Sent: key.Text(0, 4),
	})
	assert.Empty(t, text)
	assert.Len(t, chunks, 1)
}

func TestHeldTextIsSaidAtTheEnd(t *testing.T) {
	key := synth.AnswerKey("m", "p", 1)
	text, chunks := answer(t, engine.Request{
		Model: "m", Prompt: "p", Seed: 1, MaxTokens: 6, IgnoreEOS: true, Stop: []string{key.Text(3, 9)},
	})
	assert.Equal(t, key.Text(0, 6), text)
	assert.Equal(t, engine.FinishLength, chunks[len(chunks)-1].Finish)
}
