package load

import (
	"fmt"
	"time"
)

// Cancel is a client that hangs up by plan. Exactly one of After and AfterTokens is set where Share is.
type Cancel struct {
	Share       float64       `json:"share"`                  // of the requests, drawn for each by itself
	After       time.Duration `json:"after_ns,omitempty"`     // from due; an answer that is complete by then is not cancelled
	AfterTokens int           `json:"after_tokens,omitempty"` // of the answer; streams only
}

// plan says what this draw does to a request whose answer has so many tokens.
func (c *Cancel) plan(bits uint64, output int) (after time.Duration, tokens int) {
	// unit is never 0, so a share of 0 draws nothing; a share of 1 draws everything.
	if c == nil || unit(bits) > c.Share {
		return 0, 0
	}
	if c.AfterTokens >= output {
		return c.After, 0 // the answer ends first
	}
	return c.After, c.AfterTokens
}

func (c *Cancel) flaws(key string, stream bool) (wrong []Flaw) {
	if c == nil {
		return nil
	}
	bad := func(part, what, mend string) { wrong = append(wrong, Flaw{key + part, what, mend}) }
	if !(c.Share >= 0 && c.Share <= 1) {
		bad(".share", fmt.Sprintf("is %v", c.Share), "it must lie in 0…1, or 0% to 100%")
	}
	if c.After < 0 || c.After > MaxDuration {
		bad(".after", fmt.Sprintf("is %v", c.After), fmt.Sprintf("it must be above 0 and at most %v", MaxDuration))
	}
	if c.AfterTokens < 0 || c.AfterTokens > MaxTokens {
		bad(".after_tokens", fmt.Sprintf("is %d", c.AfterTokens), fmt.Sprintf("it must lie in 1…%d", MaxTokens))
	}
	switch {
	case c.After != 0 && c.AfterTokens != 0:
		bad("", "has both after and after_tokens", "keep one of the two")
	case c.Share > 0 && c.After == 0 && c.AfterTokens == 0:
		bad("", "does not say when", "write after: 500ms, or after_tokens: 10")
	case c.AfterTokens > 0 && !stream:
		bad(".after_tokens", "needs an answer that comes token by token", "write stream: true, or after: 500ms")
	}
	return wrong
}
