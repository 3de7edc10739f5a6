package load

import (
	"cmp"
	"container/heap"
	"iter"
	"time"
)

// visit is a request to come: one turn of a conversation, or a request by itself.
type visit struct {
	due   time.Duration
	item  uint64 // of Arrival
	turn  int
	class int
	left  int // turns after this one
}

// visits are all requests of the plan in order of due. Those of conversations are merged: each waits with
// its next turn, so memory grows with the conversations that are open and not with the load.
func (p *Plan) visits(s *sampler) iter.Seq[visit] {
	return func(yield func(visit) bool) {
		if !p.converses() {
			index := uint64(0)
			for due := range p.instants() {
				if !yield(visit{due: due, item: index, class: s.class(index)}) {
					return
				}
				index++
			}
			return
		}
		open := p.underWay(s)
		starts := *p
		starts.Arrivals = p.Arrivals.times(p.perRequest())
		number := uint64(0)
		for due := range starts.instants() {
			if !open.until(s, due, yield) {
				return
			}
			open.add(s.first(number, due))
			number++
		}
		open.until(s, p.Duration, yield)
	}
}

// underWay are the conversations that started before time zero and have turns after it, as a load that was
// always on would have left them. Bursts of those times are drawn apart from the ones that follow.
func (p *Plan) underWay(s *sampler) *openTurns {
	open := &openTurns{}
	longest := time.Duration(0)
	for i := range s.kinds {
		longest = max(longest, s.kinds[i].Conversation.longest())
	}
	if p.Arrivals.Rate <= 0 { // the first stage begins from nothing
		return open
	}
	lead := *p
	lead.Arrivals, lead.Duration = p.Arrivals.times(p.perRequest()), longest
	lead.Arrivals.Stages, lead.Arrivals.Spikes = nil, nil // before time zero the rate was what it is then
	lead.Seed = draw(p.Seed, forLead, 0)
	number := uint64(startedLong)
	for back := range lead.instants() {
		// Backwards from zero: every process looks the same from either end.
		v := s.first(number, -back)
		for number++; v.due < 0 && v.left > 0; {
			v = s.next(v)
		}
		if back > 0 && v.due >= 0 {
			open.add(v)
		}
	}
	return open
}

// openTurns are the next turns of open conversations, a heap by due.
type openTurns []visit

func (o *openTurns) add(v visit) { heap.Push(o, v) }

// until yields the turns that are due before end; false: nobody wants more.
func (o *openTurns) until(s *sampler, end time.Duration, yield func(visit) bool) bool {
	for len(*o) > 0 && (*o)[0].due < end {
		v := (*o)[0]
		if v.left > 0 {
			(*o)[0] = s.next(v)
			heap.Fix(o, 0)
		} else {
			heap.Pop(o)
		}
		if !yield(v) {
			return false
		}
	}
	return true
}

// Len, Less, Swap, Push and Pop are container/heap's.
func (o openTurns) Len() int { return len(o) }

func (o openTurns) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(o[i].due, o[j].due), cmp.Compare(o[i].item, o[j].item)) < 0
}

func (o openTurns) Swap(i, j int) { o[i], o[j] = o[j], o[i] }

// Push appends x, a visit.
func (o *openTurns) Push(x any) { *o = append(*o, x.(visit)) }

// Pop removes the last.
func (o *openTurns) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return last
}
