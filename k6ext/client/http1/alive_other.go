//go:build !unix

package http1

// Supported says that whether an idle connection was closed cannot be seen here without waiting.
const Supported = false

type probe struct{}

func (*probe) init() {}

func (*Conn) alive() bool { return false }
