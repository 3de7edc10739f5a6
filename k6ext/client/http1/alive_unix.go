//go:build unix

package http1

import "golang.org/x/sys/unix"

// Supported says that an idle connection can be looked at on this system.
const Supported = true

// probe looks, without waiting, whether an idle connection has anything to say: a server that closed
// it, or sent what nobody asked for. Its function is made once, so that a look allocates nothing.
type probe struct {
	quiet bool
	look  func(fd uintptr) bool
}

func (p *probe) init() {
	p.look = func(fd uintptr) bool {
		var one [1]byte
		n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		p.quiet = n < 1 && (err == unix.EAGAIN || err == unix.EWOULDBLOCK)
		return true
	}
}

// alive reports whether the connection can be used again.
func (c *Conn) alive() bool {
	if c.raw == nil {
		return true
	}
	return c.raw.Read(c.probe.look) == nil && c.probe.quiet
}
