package sim

// sequence is one request as the schedule sees it. Only the owner of the schedule touches it.
//
// Before token next can be sampled, prompt + next tokens must be in the KV cache. A decode step adds
// the one that is missing; a fresh, resumed or preempted sequence has more to add: its prefill.
type sequence struct {
	prompt int // tokens
	next   int // token of the answer that comes next
	end    int // one past the last token of the answer

	cached int // tokens in the KV cache
	blocks int // held
	chunk  int // tokens computed in the running step
	gone   bool

	stream *stream // nil in a capacity study, where nobody reads
}

// need is how many tokens must be computed before the next one can be sampled; ≥ 1.
func (q *sequence) need() int { return q.prompt + q.next - q.cached }

// decoding: only the newest token is missing.
func (q *sequence) decoding() bool { return q.cached > 0 && q.need() == 1 }

// room: the reader has kept up, so that a token can be sent without waiting.
func (q *sequence) room() bool { return q.stream == nil || q.stream.room() }
