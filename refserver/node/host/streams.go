package host

import (
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// generate sends one frame for each chunk, as soon as it is there. When the gateway cancels, or is
// gone, the stream's context ends and with it the engine's work.
func (s *Server) generate(stream grpc.ServerStream) error {
	var ask wire.Ask
	if err := stream.RecvMsg(&ask); err != nil {
		return err
	}
	if ask.Instance != s.deps.Clock.ID() {
		return status.Errorf(codes.FailedPrecondition, "this is another life of %s than the gateway means", s.node)
	}
	e, ok := s.engines[ask.Replica]
	if !ok {
		return status.Errorf(codes.NotFound, "%s has no replica %s", s.node, ask.Replica)
	}
	frame := wire.Frame{Epoch: ask.Epoch}
	answer, err := e.Generate(stream.Context(), ask.Request)
	if err != nil {
		frame.Chunk = engine.Chunk{Index: ask.Request.ResumeAt, Err: engine.AsError(err)}
		return stream.SendMsg(&frame)
	}
	for chunk := range answer.C {
		frame.Chunk = chunk
		if err := stream.SendMsg(&frame); err != nil {
			return err // the gateway is gone: its context ends the request
		}
	}
	return nil
}

// Bounds of what a gateway may ask for.
const (
	leastBeat = 5 * time.Millisecond
	mostBeat  = 10 * time.Second
)

// beats sends a heartbeat at once and then at the interval asked for.
func (s *Server) beats(stream grpc.ServerStream) error {
	var req wire.BeatRequest
	if err := stream.RecvMsg(&req); err != nil {
		return err
	}
	if req.Every < leastBeat || req.Every > mostBeat {
		return status.Error(codes.InvalidArgument, fmt.Sprintf("a beat every %v is not between %v and %v", req.Every, leastBeat, mostBeat))
	}
	tick := time.NewTicker(req.Every)
	defer tick.Stop()
	for {
		beat := s.beat()
		if err := stream.SendMsg(&beat); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

func (s *Server) beat() wire.Beat {
	beat := wire.Beat{Instance: s.deps.Clock.ID(), Node: s.deps.Machine.State()[0], Steps: s.deps.Machine.Steps()}
	for _, r := range beat.Node.Replicas {
		beat.Loads = append(beat.Loads, s.engines[r.ID].Load())
	}
	return beat
}

// events sends what happened since, and then what happens.
func (s *Server) events(stream grpc.ServerStream) error {
	var req wire.EventsRequest
	if err := stream.RecvMsg(&req); err != nil {
		return err
	}
	for {
		events, dropped, more := s.deps.Events.Since(req.Since)
		if len(events) > 0 {
			req.Since = events[len(events)-1].Seq
			if err := stream.SendMsg(&wire.EventBatch{Events: events, Dropped: dropped}); err != nil {
				return err
			}
		}
		select {
		case <-more:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
