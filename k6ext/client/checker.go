package client

import (
	"fmt"
	"strings"

	"github.com/brownout-dev/brownout/internal/synth"
)

// checker compares an answer with what an exact model must say, as it comes. Chunks may hold parts
// of tokens or several of them.
type checker struct {
	key    synth.Key
	want   int    // tokens asked for
	tokens int    // complete ones that came
	rest   string // of the token under way
	any    bool   // some text came
	other  bool   // a reasoning or tool delta came
}

// near is how far around a wrong token the checker looks for an explanation.
const near = 8

// take returns a sentence if the chunk is wrong.
func (k *checker) take(c *chunk, exact bool) string {
	k.any = k.any || len(c.text) > 0
	k.other = k.other || c.other
	if !exact {
		return ""
	}
	if c.other {
		return "a reasoning or tool delta, which was not asked for"
	}
	text := c.text
	for len(text) > 0 {
		if k.rest == "" {
			if k.tokens == k.want {
				return fmt.Sprintf("more than the %d tokens asked for", k.want)
			}
			k.rest = k.key.Token(k.tokens)
		}
		n := min(len(text), len(k.rest))
		if string(text[:n]) != k.rest[:n] {
			return k.explain(string(text))
		}
		text, k.rest = text[n:], k.rest[n:]
		if k.rest == "" {
			k.tokens++
		}
	}
	return ""
}

// short returns a sentence if the answer ended too early.
func (k *checker) short() string {
	if k.rest != "" {
		return fmt.Sprintf("token %d came in part only", k.tokens)
	}
	if k.tokens < k.want {
		return fmt.Sprintf("%d of %d tokens are missing at the end", k.want-k.tokens, k.want)
	}
	return ""
}

func (k *checker) explain(got string) string {
	for d := 1; d <= near; d++ {
		if strings.HasPrefix(got, k.key.Token(k.tokens+d)) {
			if d == 1 {
				return fmt.Sprintf("token %d was lost", k.tokens)
			}
			return fmt.Sprintf("tokens %d to %d were lost", k.tokens, k.tokens+d-1)
		}
		if k.tokens >= d && strings.HasPrefix(got, k.key.Token(k.tokens-d)) {
			return fmt.Sprintf("token %d came twice", k.tokens-d)
		}
	}
	return fmt.Sprintf("token %d is %q, not %q", k.tokens, clip(got, 24), k.key.Token(k.tokens))
}
