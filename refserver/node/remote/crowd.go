package remote

// crowd is all peers of a gateway.
type crowd struct{ peers []*peer }

// believes reports whether suspicion counts now. Where more than half of the nodes that are there are
// suspected at once, the trouble is more likely the gateway's own (its machine, its network) than
// theirs, and a doubtful node serves better than none: then suspicion is ignored, and only death counts.
func (c *crowd) believes() bool {
	up, doubtful := 0, 0
	for _, p := range c.peers {
		v := p.view.Load()
		if v == nil || !v.up {
			continue
		}
		up++
		if !v.trusted {
			doubtful++
		}
	}
	return 2*doubtful <= up
}
