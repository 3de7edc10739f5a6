package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// streamRoom is how many chunks a reader may lag; then gRPC's window fills, and then the engine pauses.
const streamRoom = 32

// receiver is the receiving end of a gRPC stream.
type receiver interface{ RecvMsg(m any) error }

// generate opens a stream of this link's epoch.
func (l *link) generate(ctx context.Context, e *remoteEngine, req engine.Request) *engine.Stream {
	out := make(chan engine.Chunk, streamRoom)
	e.open.Add(1)
	e.debt.Add(int64(req.PromptTokens))
	paid := sync.OnceFunc(func() { e.debt.Add(-int64(req.PromptTokens)) })
	go func() {
		defer e.open.Add(-1)
		defer paid()
		defer close(out)
		ask := wire.Ask{Epoch: l.epoch, Instance: l.instance, Replica: e.replica, Request: req}
		call, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.ctx, cancel)()
		p := pump{caller: ctx, link: l.ctx, epoch: l.epoch, node: e.peer.id, out: out, first: paid}
		frames, err := l.ask(call, &ask)
		if err != nil {
			p.end(p.broken(err))
			return
		}
		p.run(frames)
	}()
	return &engine.Stream{C: out}
}

// ask sends the request.
func (l *link) ask(ctx context.Context, ask *wire.Ask) (receiver, error) {
	stream, err := l.conn.NewStream(ctx, &grpc.StreamDesc{StreamName: wire.Generate, ServerStreams: true}, wire.Path(wire.Generate))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(ask); err != nil && !errors.Is(err, io.EOF) { // EOF: the reason comes with the first receive
		return nil, err
	}
	return stream, stream.CloseSend()
}

// pump carries the chunks of one answer from the connection to the reader. It is the only sender on
// out, so whatever it sends is in order, and nothing follows the terminal chunk.
type pump struct {
	caller context.Context // of the request
	link   context.Context // ends with the epoch; its cause is the *engine.Error for every stream
	epoch  uint64
	node   string
	out    chan<- engine.Chunk
	first  func() // called when the first frame is there; nil = nobody asks
	index  int    // of the next token
}

// run ends when the answer does, the caller left or the epoch is over: whichever comes first.
func (p *pump) run(frames receiver) {
	for {
		var f wire.Frame
		err := frames.RecvMsg(&f)
		switch {
		case p.link.Err() != nil || p.caller.Err() != nil:
			// The fence: the epoch is over, and what came with it or after it is not delivered.
			p.end(p.broken(context.Canceled))
			return
		case err != nil:
			p.end(p.broken(err))
			return
		case f.Epoch != p.epoch:
			p.end(&engine.Error{Reason: engine.ReasonProtocol, Text: fmt.Sprintf("node %s answered in epoch %d where %d is due", p.node, f.Epoch, p.epoch)})
			return
		}
		if p.first != nil {
			p.first()
			p.first = nil
		}
		p.index = f.Chunk.Index + f.Chunk.Tokens
		select {
		case p.out <- f.Chunk:
		case <-p.link.Done():
			p.end(p.broken(context.Canceled))
			return
		case <-p.caller.Done():
			return
		}
		if f.Chunk.Finish != "" || f.Chunk.Err != nil {
			return
		}
	}
}

// end sends the terminal chunk of a broken stream, unless the caller has gone.
func (p *pump) end(e *engine.Error) {
	if p.caller.Err() != nil {
		return
	}
	select {
	case p.out <- engine.Chunk{Index: p.index, Err: e}:
	case <-p.caller.Done():
	}
}

// broken says why a stream ended before its answer did.
func (p *pump) broken(err error) *engine.Error {
	if e, ok := errors.AsType[*engine.Error](context.Cause(p.link)); ok {
		return e
	}
	text := status.Convert(err).Message()
	switch {
	case errors.Is(err, io.EOF):
		return &engine.Error{Reason: engine.ReasonProtocol, Text: "node " + p.node + " ended the stream without an end of the answer"}
	case status.Code(err) == codes.Unavailable:
		return &engine.Error{Reason: engine.ReasonDead, Text: "the connection to node " + p.node + " broke: " + text}
	case status.Code(err) == codes.FailedPrecondition:
		return &engine.Error{Reason: engine.ReasonDead, Text: text}
	}
	return &engine.Error{Reason: engine.ReasonUnknown, Text: text}
}
