package http1

import (
	"context"
	"net"
	"sync"
	"time"
)

// Config makes a Pool.
type Config struct {
	Address string // host:port
	// Dial makes a connection. A connection that offers no syscall.Conn is used again without a look
	// whether the server has closed it meanwhile.
	Dial        func(ctx context.Context, network, address string) (net.Conn, error)
	MaxIdle     int           // connections kept between requests
	IdleTimeout time.Duration // after which one is closed [90 s, as net/http]
	MaxHead     int           // bytes of an answer's head [1 MiB]
}

// Pool keeps the connections to one address between requests. Safe for concurrent use.
type Pool struct {
	cfg     Config
	scratch sync.Pool // *scratch

	mu   sync.Mutex
	idle []*Conn // the newest last: it is the one whose buffers are warm
}

// scratch is what a request needs and an idle connection does not.
type scratch struct {
	read  []byte
	write []byte
	head  []byte
}

const (
	readBuffer = 4 << 10  // some dozen chunks, as net/http
	keptBuffer = 64 << 10 // a buffer that grew beyond it is not kept
)

// NewPool makes an empty pool.
func NewPool(cfg Config) *Pool {
	if cfg.IdleTimeout <= 0 {
		cfg.IdleTimeout = 90 * time.Second
	}
	if cfg.MaxHead <= 0 {
		cfg.MaxHead = 1 << 20
	}
	p := &Pool{cfg: cfg}
	p.scratch.New = func() any { return &scratch{read: make([]byte, readBuffer)} }
	return p
}

// Idle is a connection that the server has kept open, or nil.
func (p *Pool) Idle() *Conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.since) < p.cfg.IdleTimeout && c.alive() {
			c.begin()
			return c
		}
		c.conn.Close()
	}
}

// Dial is a new connection; the error is the dialler's.
func (p *Pool) Dial(ctx context.Context) (*Conn, error) {
	conn, err := p.cfg.Dial(ctx, "tcp", p.cfg.Address)
	if err != nil {
		return nil, err
	}
	c := newConn(p, conn)
	c.begin()
	return c, nil
}

// Close gives the idle connections up; those in use are closed when they are released.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.conn.Close()
	}
}

// keep takes a connection back, and closes the ones that waited too long.
func (p *Pool) keep(c *Conn) {
	c.since = time.Now()
	var over []*Conn
	p.mu.Lock()
	for len(p.idle) > 0 && c.since.Sub(p.idle[0].since) >= p.cfg.IdleTimeout {
		over = append(over, p.idle[0])
		p.idle = p.idle[1:]
	}
	if len(p.idle) < p.cfg.MaxIdle {
		p.idle = append(p.idle, c)
	} else {
		over = append(over, c)
	}
	p.mu.Unlock()
	for _, c := range over {
		c.conn.Close()
	}
}
