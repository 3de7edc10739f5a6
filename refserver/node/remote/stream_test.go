package remote

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// script is a connection that says what a test wants, when the test wants it.
type script chan any // wire.Frame, error

func (s script) RecvMsg(m any) error {
	switch said := (<-s).(type) {
	case wire.Frame:
		*m.(*wire.Frame) = said
		return nil
	case error:
		return said
	}
	return io.EOF
}

type bench struct {
	frames script
	out    chan engine.Chunk
	cut    context.CancelCauseFunc
	leave  context.CancelFunc
}

// pumping runs a pump of epoch 7 in the bubble of the test.
func pumping(t *testing.T) *bench {
	caller, leave := context.WithCancel(t.Context())
	link, cut := context.WithCancelCause(t.Context())
	b := &bench{frames: make(script, 10), out: make(chan engine.Chunk, 4), cut: cut, leave: leave}
	p := pump{caller: caller, link: link, epoch: 7, node: "n2", out: b.out}
	go func() {
		p.run(b.frames)
		close(b.out)
	}()
	return b
}

func token(epoch uint64, i int) wire.Frame {
	return wire.Frame{Epoch: epoch, Chunk: engine.Chunk{Text: "x", Index: i, Tokens: 1}}
}

func (b *bench) rest() (chunks []engine.Chunk) {
	for c := range b.out {
		chunks = append(chunks, c)
	}
	return chunks
}

func TestPump(t *testing.T) {
	finish := wire.Frame{Epoch: 7, Chunk: engine.Chunk{Index: 2, Finish: engine.FinishLength}}
	refused := wire.Frame{Epoch: 7, Chunk: engine.Chunk{Err: &engine.Error{Reason: engine.ReasonOverloaded}}}
	for _, tc := range []struct {
		name   string
		said   []any
		tokens int
		finish engine.Finish
		reason engine.Reason
	}{
		{"whole", []any{token(7, 0), token(7, 1), finish}, 2, engine.FinishLength, ""},
		{"refused", []any{refused}, 0, "", engine.ReasonOverloaded},
		{"connection lost", []any{token(7, 0), status.Error(codes.Unavailable, "reset")}, 1, "", engine.ReasonDead},
		{"another life", []any{status.Error(codes.FailedPrecondition, "another life")}, 0, "", engine.ReasonDead},
		{"no end", []any{token(7, 0), io.EOF}, 1, "", engine.ReasonProtocol},
		{"another epoch's frame", []any{token(7, 0), token(6, 1)}, 1, "", engine.ReasonProtocol},
		{"else", []any{status.Error(codes.Internal, "bug")}, 0, "", engine.ReasonUnknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := pumping(t)
			for _, s := range tc.said {
				b.frames <- s
			}
			got := b.rest()
			assert.Len(t, got, tc.tokens+1, tc.name)
			last := got[len(got)-1]
			assert.Equal(t, tc.finish, last.Finish, tc.name)
			if tc.reason != "" {
				assert.Equal(t, tc.reason, last.Err.Reason, tc.name)
				assert.Equal(t, tc.tokens, last.Index, tc.name)
			}
		})
	}
}

// The fence: a frame that comes after the epoch is over is dropped, though its numbers are right.
func TestLateFrameIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pumping(t)
		b.frames <- token(7, 0)
		synctest.Wait()
		b.cut(gone(engine.ReasonUnreachable, "n2", "no heartbeat for 1s"))
		b.frames <- token(7, 1)
		got := b.rest()
		assert.Len(t, got, 2)
		assert.Equal(t, engine.ReasonUnreachable, got[1].Err.Reason)
		assert.Equal(t, "node n2 is gone: no heartbeat for 1s", got[1].Err.Text)
	})
	synctest.Test(t, func(t *testing.T) { // the same without the cut: the frame passes, so the test sees something
		b := pumping(t)
		b.frames <- token(7, 0)
		synctest.Wait()
		b.frames <- token(7, 1)
		close(b.frames)
		assert.Len(t, b.rest(), 3)
	})
}

// A reader that lags is cut as well: it gets what came in time, then the end.
func TestCutReachesAStreamWhoseReaderLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pumping(t)
		for i := range 6 { // two more than out holds
			b.frames <- token(7, i)
		}
		synctest.Wait()
		b.cut(gone(engine.ReasonDead, "n2", "its connection closed"))
		got := b.rest()
		assert.Len(t, got, 5)
		assert.Equal(t, engine.ReasonDead, got[4].Err.Reason)
	})
}

// A caller that leaves gets no terminal chunk, even where nobody reads any more.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pumping(t)
		for i := range 6 {
			b.frames <- token(7, i)
		}
		synctest.Wait()
		b.leave()
		synctest.Wait()
		for _, c := range b.rest() {
			assert.Nil(t, c.Err)
		}
	})
}
