package modules

import (
	"context"
	"net"
	"syscall"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/netext"
)

// through dials through k6, so that hosts, blacklistIPs and data_sent hold.
func through(d lib.DialContexter) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if k, ok := conn.(*netext.Conn); ok {
			if raw, ok := k.Conn.(syscall.Conn); ok {
				return dialled{k, raw}, nil
			}
		}
		return conn, nil
	}
}

// dialled is a connection whose bytes k6 counts, and whose socket the measuring client can look at to
// see that the server closed it while it was idle: k6's own type hides it.
type dialled struct {
	*netext.Conn
	raw syscall.Conn
}

// SyscallConn implements syscall.Conn.
func (d dialled) SyscallConn() (syscall.RawConn, error) { return d.raw.SyscallConn() }
