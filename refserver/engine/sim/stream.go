package sim

import (
	"sync/atomic"

	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// streamRoom is how many chunks a reader may lag before its sequence pauses: about a third of a
// second of decoding. One more slot is kept for the terminal chunk, which therefore never waits.
const streamRoom = 32

// stream is the text side of a sequence: tokens into chunks, with stop strings taken out. The engine's
// goroutine owns it but for cancelled; only it sends on out and closes it, exactly once.
type stream struct {
	out       chan engine.Chunk
	cancelled atomic.Bool // set by the request's context
	detach    func() bool // from the context

	key    synth.Key
	finish engine.Finish // of the last token, if no stop string comes first
	stops  stops
	sent   int // tokens before this one were sent
	held   int // bytes of the tokens from sent on: they may begin a stop string
}

func newStream(req engine.Request) (*stream, int) {
	t := &stream{
		out: make(chan engine.Chunk, streamRoom+1), detach: func() bool { return true },
		key:    synth.AnswerKey(req.Model, req.Prompt, req.Seed),
		finish: engine.FinishLength, stops: newStops(req.Stop), sent: req.ResumeAt,
	}
	end := req.MaxTokens
	if natural := t.key.NaturalLength(); !req.IgnoreEOS && natural <= end {
		end, t.finish = natural, engine.FinishStop
	}
	// A stop string may lie across the joint. One that lies before it was not held against the answer
	// when it was sent, so it is not now.
	if len(t.stops.strings) > 0 {
		for rest := req.Sent; rest != ""; {
			used, length := t.stops.feed(rest)
			if length > 0 {
				t.stops.reset()
			}
			rest = rest[used:]
		}
	}
	return t, end
}

// room: one more content chunk leaves the terminal chunk its slot.
func (t *stream) room() bool { return len(t.out) < streamRoom }

// push sends token i, or holds it back while it may begin a stop string. It reports that the answer
// ended with it; the stream is closed then. There must be room.
func (t *stream) push(i int, last bool) (ended bool) {
	token := t.key.Token(i)
	if len(t.stops.strings) == 0 {
		t.send(engine.Chunk{Text: token, Index: i, Tokens: 1})
		t.sent = i + 1
	} else if t.match(token, i) {
		t.end(engine.Chunk{Finish: engine.FinishStop})
		return true
	}
	if !last {
		return false
	}
	if t.sent <= i {
		t.release(i + 1)
	}
	t.end(engine.Chunk{Finish: t.finish})
	return true
}

// match runs token i through the stop strings and sends what cannot be part of one any more.
func (t *stream) match(token string, i int) (stopped bool) {
	used, length := t.stops.feed(token)
	if length > 0 {
		// Text before the stop string goes out, even the front of a token; none when the string began
		// in what an earlier engine had sent.
		if cut := t.held + used - length; cut > 0 {
			text, tokens := t.key.Text(t.sent, i+1)[:cut], 0
			for n := 0; n < cut; tokens++ {
				n += len(t.key.Token(t.sent + tokens))
			}
			t.send(engine.Chunk{Text: text, Index: t.sent, Tokens: tokens})
		}
		return true
	}
	t.held += len(token)
	open, upTo, rest := t.stops.open(), t.sent, t.held
	for upTo <= i && rest-len(t.key.Token(upTo)) >= open {
		rest -= len(t.key.Token(upTo))
		upTo++
	}
	if upTo > t.sent {
		t.release(upTo)
		t.held = rest
	}
	return false
}

// release sends the tokens from sent to before upTo as one chunk.
func (t *stream) release(upTo int) {
	text := t.key.Token(t.sent)
	if upTo-t.sent > 1 {
		text = t.key.Text(t.sent, upTo)
	}
	t.send(engine.Chunk{Text: text, Index: t.sent, Tokens: upTo - t.sent})
	t.sent = upTo
}

func (t *stream) send(c engine.Chunk) { t.out <- c }

// end sends the terminal chunk into the slot kept for it, and closes.
func (t *stream) end(c engine.Chunk) {
	if !t.cancelled.Load() {
		c.Index = t.sent
		t.out <- c
	}
	t.close()
}

// close ends the stream without a terminal chunk: the caller has gone.
func (t *stream) close() {
	t.detach()
	close(t.out)
}
