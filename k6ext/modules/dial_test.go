package modules

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib/netext"
)

// k6's connections can be looked at, and their bytes still count.
func TestDialledShowsItsSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	d := netext.NewDialer(net.Dialer{}, netext.NewResolver(net.LookupIP, 0, 0, 0))
	conn, err := through(d)(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	raw, ok := conn.(syscall.Conn)
	require.True(t, ok)
	_, err = raw.SyscallConn()
	require.NoError(t, err)
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	assert.Equal(t, int64(5), d.BytesWritten)

	bare, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	defer bare.Close()
	_, ok = bare.(syscall.Conn)
	assert.False(t, ok, "k6 shows it itself now: dialled is not needed any more")
}
