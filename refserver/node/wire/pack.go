package wire

import (
	"encoding/binary"
	"errors"
)

// errShort is any message that does not hold what it says.
var errShort = errors.New("node/wire: the message is damaged: its lengths do not add up")

func putString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func putInt(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(max(0, n))) }

// unpacker reads what pack wrote; after the first error it returns zeros.
type unpacker struct {
	rest []byte
	err  error
}

func (u *unpacker) uint() uint64 {
	n, size := binary.Uvarint(u.rest)
	if size <= 0 {
		u.rest, u.err = nil, errShort
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

// maxInt bounds a count: no request has that many tokens.
const maxInt = 1 << 40

func (u *unpacker) int() int {
	n := u.uint()
	if n > maxInt {
		u.rest, u.err = nil, errShort
		return 0
	}
	return int(n)
}

// string copies: the buffer under it is used again.
func (u *unpacker) string() string {
	n := u.uint()
	if n > uint64(len(u.rest)) {
		u.rest, u.err = nil, errShort
		return ""
	}
	s := string(u.rest[:n])
	u.rest = u.rest[n:]
	return s
}

// end is the verdict: nothing may be left over.
func (u *unpacker) end() error {
	if u.err == nil && len(u.rest) > 0 {
		u.err = errShort
	}
	return u.err
}
