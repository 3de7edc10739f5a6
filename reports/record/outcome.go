package record

import "fmt"

// Outcome is what became of one request: exactly one of these words.
type Outcome uint8

// Outcomes. The order is part of the shard format: append only.
const (
	Unset          Outcome = iota
	OK                     // complete and intact
	Degraded               // served by a fallback: available, not goodput unless the SLO allows it
	Cancelled              // the plan said the client hangs up, and it did
	Refused                // no connection
	Reset                  // the connection broke without an HTTP ending
	HTTP4xx                // 4xx but 429
	RateLimited            // 429: the caller's own limit
	Overloaded             // 503: the server's capacity
	HTTP5xx                // 5xx but 503
	TimeoutConnect         // no connection in time
	TimeoutTTFT            // no first content in time
	TimeoutStall           // a gap between chunks passed the stall limit
	TimeoutTotal           // the whole answer took too long
	ErrorEvent             // an error inside a 200
	Truncated              // the stream ended before a finish reason
	Empty                  // a finished answer without content
	Corrupt                // a lost, repeated or wrong token; or a broken wire format
	Dropped                // due but never sent: the client could not
	Unfinished             // still open when the drain ended
	NumOutcomes            // for tests: how many there are
)

var outcomeNames = [NumOutcomes]string{
	"unset", "ok", "degraded", "cancelled", "refused", "reset", "http_4xx", "rate_limited", "overloaded",
	"http_5xx", "timeout_connect", "timeout_ttft", "timeout_stall", "timeout_total", "error_event",
	"truncated", "empty", "corrupt", "dropped", "unfinished",
}

// String is the outcome's word in reports, metrics and result.json.
func (o Outcome) String() string {
	if o >= NumOutcomes {
		return "invalid"
	}
	return outcomeNames[o]
}

// ParseOutcome is String's inverse; ok is false for an unknown word.
func ParseOutcome(s string) (Outcome, bool) {
	for i, name := range outcomeNames {
		if name == s && Outcome(i) != Unset {
			return Outcome(i), true
		}
	}
	return Unset, false
}

// MarshalText writes the word.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the word.
func (o *Outcome) UnmarshalText(text []byte) error {
	parsed, ok := ParseOutcome(string(text))
	if !ok {
		return fmt.Errorf("%q is no outcome; write one of ok, degraded, cancelled, refused …", text)
	}
	*o = parsed
	return nil
}
