package load

import "github.com/brownout-dev/brownout/internal/synth"

// AppendPrompt appends all text that arrival a sends: exactly a.Prompt tokens of synth text that need no
// escaping in JSON; in a conversation the messages so far, joined by newlines.
//
// Without a shared prefix, prompts of five tokens or more (60 random bits) differ from their start and no
// prefix cache can serve them; with one they differ from its end. A prompt of a trace with hash ids is made
// of the blocks they name.
func (p *Plan) AppendPrompt(dst []byte, a Arrival) []byte {
	for turn := range a.Turn {
		dst = append(p.appendSaid(dst, a, turn), '\n')
		dst = append(p.appendPlanned(dst, a, turn), '\n')
	}
	return p.appendSaid(dst, a, a.Turn)
}

// AppendMessages appends the same text as the JSON value of "messages".
func (p *Plan) AppendMessages(dst []byte, a Arrival) []byte {
	dst = append(dst, '[')
	for turn := range a.Turn {
		dst = append(dst, `{"role":"user","content":"`...)
		dst = p.appendSaid(dst, a, turn)
		dst = append(dst, `"},{"role":"assistant","content":"`...)
		dst = p.appendPlanned(dst, a, turn)
		dst = append(dst, `"},`...)
	}
	dst = append(dst, `{"role":"user","content":"`...)
	dst = p.appendSaid(dst, a, a.Turn)
	return append(dst, `"}]`...)
}

// appendSaid appends what the user says in a turn of a's conversation. The first message begins with the
// shared prefix.
func (p *Plan) appendSaid(dst []byte, a Arrival, turn int) []byte {
	if blocks := p.blocks(a.Index); blocks != nil {
		return p.appendBlocks(dst, a, blocks)
	}
	item := a.itemOf(turn)
	if a.Turn == 0 && a.Rank == 0 {
		return appendText(dst, synth.Key(draw(p.Seed, forPrompt, item)), a.Prompt)
	}
	kind := p.class(a.Class)
	n := kind.promptOf(p.Seed, item)
	if turn == 0 && a.Rank > 0 {
		dst = appendText(dst, kind.Prefix.key(p.Seed, a.Rank), kind.Prefix.Tokens)
		n -= kind.Prefix.Tokens
	}
	return appendText(dst, synth.Key(draw(p.Seed, forPrompt, item)), n)
}

// appendPlanned appends what the plan takes for the answer of an earlier turn.
func (p *Plan) appendPlanned(dst []byte, a Arrival, turn int) []byte {
	kind, item := p.class(a.Class), a.itemOf(turn)
	return appendText(dst, synth.Key(draw(p.Seed, forHistory, item)), kind.outputOf(p.Seed, item))
}

// itemOf is the item of a turn of a's conversation.
func (a *Arrival) itemOf(turn int) uint64 { return a.Item - uint64(a.Turn) + uint64(turn) }

func appendText(dst []byte, key synth.Key, tokens int) []byte {
	for i := range tokens {
		dst = append(dst, key.Token(i)...)
	}
	return dst
}
