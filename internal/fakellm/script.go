package fakellm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Script is how one answer goes. Its text form, in the header x-fakellm of a request or as the
// server's default, is a comma-separated list of "name" or "name=value".
type Script struct {
	Fail  string // one of the Fail words; "" answers properly
	After int    // content tokens before Fail strikes

	PerChunk int           // tokens a chunk [1]
	TTFT     time.Duration // before the first chunk
	Gap      time.Duration // before each later one
	Role     bool          // a role-only chunk at once, then an empty one
	Comments bool          // a keep-alive comment before each chunk
	CRLF     bool          // lines end in CRLF
	NoDone   bool          // no [DONE]
	NoUsage  bool          // no usage, even where asked for
	Reason   int           // reasoning deltas before the content
	Escaped  bool          // non-ASCII as \u escapes
	Fallback bool          // header x-brownout-fallback
	Tokens   int           // answer length; 0 = max_tokens
	Burst    bool          // after the first chunk and one Gap all others come in one write
	Node     string        // header x-brownout-node ["fake/g0"]
}

// Words for Fail.
const (
	FailStatus     = "status" // "status=503": the status is the value
	FailReset      = "reset"  // the connection is aborted (RST on TCP)
	FailClose      = "close"  // the connection is closed without an HTTP ending
	FailStall      = "stall"  // nothing more comes until the client leaves
	FailError      = "error"  // an error object inside the 200
	FailErrorType  = "error-event"
	FailErrorDone  = "error-done" // an error event, then a finish reason and [DONE] as if nothing were
	FailTruncate   = "truncate"   // a regular HTTP ending without a finish reason
	FailPartial    = "partial"    // the same in the middle of an event
	FailEmpty      = "empty"      // finish reason without content
	FailLose       = "lose"       // one token is left out
	FailRepeat     = "repeat"     // one comes twice
	FailWrong      = "wrong"      // one is another word
	FailMore       = "more"       // one too many at the end
	FailFewer      = "fewer"      // the finish reason comes at After tokens
	FailJSON       = "json"       // a chunk is broken JSON
	FailType       = "type"       // content type text/html
	FailUsage      = "usage"      // usage counts one too many
	FailAfterEnd   = "after-end"
	FailTwoChoices = "two-choices"
)

var failNames = map[string]bool{
	FailReset: true, FailClose: true, FailStall: true, FailError: true, FailErrorType: true, FailErrorDone: true, FailTruncate: true,
	FailPartial: true, FailEmpty: true, FailLose: true, FailRepeat: true, FailWrong: true, FailMore: true,
	FailFewer: true, FailJSON: true, FailType: true, FailUsage: true, FailAfterEnd: true, FailTwoChoices: true,
}

// ParseScript reads the text form, e.g. "ttft=20ms,gap=5ms,fail=stall,after=3".
func ParseScript(text string) (Script, error) {
	var s Script
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name == "" {
			continue
		}
		if err := s.set(name, value); err != nil {
			return Script{}, fmt.Errorf("x-fakellm: %s=%q: %w", name, value, err)
		}
	}
	return s, nil
}

func (s *Script) set(name, value string) (err error) {
	flags := map[string]*bool{
		"role": &s.Role, "comments": &s.Comments, "crlf": &s.CRLF, "nodone": &s.NoDone, "nousage": &s.NoUsage,
		"escaped": &s.Escaped, "fallback": &s.Fallback, "burst": &s.Burst,
	}
	counts := map[string]*int{"after": &s.After, "perchunk": &s.PerChunk, "reason": &s.Reason, "tokens": &s.Tokens}
	times := map[string]*time.Duration{"ttft": &s.TTFT, "gap": &s.Gap}
	switch {
	case flags[name] != nil:
		*flags[name] = value == "" || value == "true"
	case counts[name] != nil:
		if *counts[name], err = strconv.Atoi(value); err == nil && (*counts[name] < 0 || *counts[name] > 1<<20) {
			err = fmt.Errorf("must lie in 0…%d", 1<<20)
		}
	case times[name] != nil:
		if *times[name], err = time.ParseDuration(value); err == nil && *times[name] < 0 {
			err = fmt.Errorf("must not be negative")
		}
	case name == "node":
		s.Node = value
	case name == FailStatus:
		var code int
		if code, err = strconv.Atoi(value); err == nil && (code < 200 || code > 599) {
			err = fmt.Errorf("no HTTP status")
		}
		s.Fail = FailStatus + "=" + value
	case name == "fail":
		if !failNames[value] {
			err = fmt.Errorf("no such failure")
		}
		s.Fail = value
	default:
		err = fmt.Errorf("no such knob")
	}
	return err
}
