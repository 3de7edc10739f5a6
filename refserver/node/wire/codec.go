package wire

import (
	"encoding/json"
	"fmt"

	"google.golang.org/grpc/mem"
)

// Codec is the gRPC codec of all calls. Both sides must be told to use it; it is not registered.
type Codec struct{}

// packed is a message that packs itself.
type packed interface {
	size() int // at least what pack appends
	pack(b []byte) []byte
	unpack(data []byte) error
}

// Name is the content-subtype on the wire.
func (Codec) Name() string { return "brownout" }

// Marshal packs a message, or writes it as JSON.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(packed)
	if !ok {
		data, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("node/wire: %T cannot be written: %w", v, err)
		}
		return mem.BufferSlice{mem.SliceBuffer(data)}, nil
	}
	size := m.size()
	if mem.IsBelowBufferPoolingThreshold(size) {
		return mem.BufferSlice{mem.SliceBuffer(m.pack(make([]byte, 0, size)))}, nil
	}
	pool := mem.DefaultBufferPool()
	buf := pool.Get(size)
	*buf = m.pack((*buf)[:0])
	return mem.BufferSlice{mem.NewBuffer(buf, pool)}, nil
}

// Unmarshal is the way back. What it fills in does not point into data.
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	if m, ok := v.(packed); ok {
		return m.unpack(buf.ReadOnlyData())
	}
	if err := json.Unmarshal(buf.ReadOnlyData(), v); err != nil {
		return fmt.Errorf("node/wire: %T cannot be read: %w", v, err)
	}
	return nil
}
