package load

import "time"

// sampler draws what the requests of one plan are. It holds what would cost too much to make for each.
type sampler struct {
	seed    uint64
	kinds   []Class
	chances []float64 // summed shares of the classes, by which one is drawn
	ranks   []ranks   // by class
	trace   *trace    // whose requests have lengths of their own; nil without one
}

func (p *Plan) sampler() *sampler {
	s := &sampler{seed: p.Seed, kinds: p.Classes(), chances: p.Shares(), ranks: make([]ranks, max(1, len(p.Mix))), trace: p.trace}
	// A start is worth the requests that follow from it: shares are of requests, so a class of long
	// conversations starts fewer of them.
	total := 0.0
	for i := range s.chances {
		s.chances[i] /= s.kinds[i].MeanTurns()
		total += s.chances[i]
		s.ranks[i] = s.kinds[i].Prefix.ranks()
	}
	sum := 0.0
	for i := range s.chances {
		sum += s.chances[i] / total
		s.chances[i] = sum
	}
	return s
}

// class draws the class of a request, or of a conversation.
func (s *sampler) class(of uint64) int {
	if len(s.chances) == 1 {
		return 0
	}
	u := unit(draw(s.seed, forClass, of))
	for i, upTo := range s.chances {
		if u <= upTo {
			return i
		}
	}
	for i := len(s.kinds) - 1; i > 0; i-- { // rounding left a trace of u
		if s.kinds[i].Weight > 0 {
			return i
		}
	}
	return 0
}

// first is the first turn of a conversation.
func (s *sampler) first(conversation uint64, due time.Duration) visit {
	class := s.class(conversation)
	return visit{due: due, item: conversation << turnBits, class: class,
		left: s.kinds[class].Conversation.turnsOf(s.seed, conversation) - 1}
}

// next is the turn after v, which must have one.
func (s *sampler) next(v visit) visit {
	v.due += s.kinds[v.class].Conversation.Think.after(s.seed, v.item)
	v.item++
	v.turn++
	v.left--
	return v
}

// arrival is the request of that index.
func (s *sampler) arrival(index uint64, v visit) Arrival {
	kind := &s.kinds[v.class]
	a := Arrival{
		Index: index, Due: v.due, ID: requestID(draw(s.seed, forID, index)),
		Prompt: kind.promptOf(s.seed, v.item), Output: kind.outputOf(s.seed, v.item),
		// 53 bits: a server that reads JSON numbers as doubles still sees the same seed.
		Seed:  draw(s.seed, forSeed, index) >> 11,
		Class: v.class, Item: v.item, Turn: v.turn,
	}
	first := v.item - uint64(v.turn)
	if pool := s.ranks[v.class]; pool != nil {
		a.Rank = pool.rank(draw(s.seed, forRank, first))
	}
	for item := first; item < v.item; item++ {
		a.Prompt += kind.promptOf(s.seed, item) + kind.outputOf(s.seed, item)
	}
	if s.trace != nil {
		a.Prompt, a.Output = s.trace.lengths(index)
	}
	if kind.Cancel != nil {
		a.CancelAfter, a.CancelTokens = kind.Cancel.plan(draw(s.seed, forCancel, v.item), a.Output)
	}
	return a
}

// promptOf is how many tokens the user says in that item.
func (c *Class) promptOf(seed, item uint64) int {
	return c.Prompt.tokens(draw(seed, forPromptLength, item))
}

// outputOf is how many tokens the answer to that item has by plan.
func (c *Class) outputOf(seed, item uint64) int {
	return c.Output.tokens(draw(seed, forOutputLength, item))
}
