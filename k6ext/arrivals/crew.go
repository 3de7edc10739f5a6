package arrivals

import "github.com/brownout-dev/brownout/k6ext/client"

// crew are the goroutines that carry requests: whoever is free takes the next one, and if nobody is,
// another one is hired. Their stacks have grown once and for all, where a goroutine for each request
// would grow its own anew.
type crew struct {
	todo chan *client.Request // nothing waits in it: a request is taken at once or its own worker is hired
	hire func(work func())
	do   func(*client.Request)
}

// hand has the request carried from now on. It never waits.
func (c crew) hand(req *client.Request) {
	select {
	case c.todo <- req:
	default:
		c.hire(func() { c.work(req) })
	}
}

func (c crew) work(req *client.Request) {
	c.do(req)
	for req := range c.todo {
		c.do(req)
	}
}

// dismiss sends the free ones home; the others go when their request is over. Nothing is handed after it.
func (c crew) dismiss() { close(c.todo) }
