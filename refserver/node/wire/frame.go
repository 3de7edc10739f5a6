package wire

import "github.com/brownout-dev/brownout/refserver/engine"

// Frame is one chunk of an answer. One frame is sent for each chunk, at once.
type Frame struct {
	Epoch uint64 // of the Ask that it answers
	Chunk engine.Chunk
}

// What a frame holds beside its numbers.
const (
	hasText = 1 << iota
	hasFinish
	hasError
	killed
)

func (f *Frame) size() int {
	n := 16 + len(f.Chunk.Text) + len(f.Chunk.Finish)
	if f.Chunk.Err != nil {
		n += 16 + len(f.Chunk.Err.Reason) + len(f.Chunk.Err.Text)
	}
	return n
}

func (f *Frame) pack(b []byte) []byte {
	c := &f.Chunk
	var has byte
	if c.Text != "" {
		has |= hasText
	}
	if c.Finish != "" {
		has |= hasFinish
	}
	if c.Err != nil {
		has |= hasError
		if c.Err.Killed {
			has |= killed
		}
	}
	b = append(b, has)
	b = putInt(putInt(putInt(b, int(f.Epoch)), c.Index), c.Tokens)
	if has&hasText != 0 {
		b = putString(b, c.Text)
	}
	if has&hasFinish != 0 {
		b = putString(b, string(c.Finish))
	}
	if has&hasError != 0 {
		b = putString(putString(b, string(c.Err.Reason)), c.Err.Text)
	}
	return b
}

func (f *Frame) unpack(data []byte) error {
	*f = Frame{}
	if len(data) == 0 || data[0] >= killed<<1 {
		return errShort
	}
	has, u := data[0], unpacker{rest: data[1:]}
	f.Epoch = uint64(u.int())
	f.Chunk.Index, f.Chunk.Tokens = u.int(), u.int()
	if has&hasText != 0 {
		f.Chunk.Text = u.string()
	}
	if has&hasFinish != 0 {
		f.Chunk.Finish = engine.Finish(u.string())
	}
	if has&hasError != 0 {
		f.Chunk.Err = &engine.Error{Reason: engine.Reason(u.string()), Text: u.string(), Killed: has&killed != 0}
	}
	return u.end()
}
