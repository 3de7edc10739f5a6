package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// link is one epoch's connection.
type link struct {
	conn     *grpc.ClientConn
	epoch    uint64
	instance string
	shift    event.Offset    // of the node's clock
	ctx      context.Context // ends with the epoch
	cut      context.CancelCauseFunc
	news     chan news // heartbeats that came with the answer of a control call
}

// news is a heartbeat out of turn; taken is closed once State shows it.
type news struct {
	beat  *wire.Beat
	taken chan struct{}
}

// ours moves what a heartbeat says of times onto our clock.
func (l *link) ours(b *wire.Beat) *wire.Beat {
	for i := range b.Node.Devices {
		d := &b.Node.Devices[i]
		if d.LastRefused != nil {
			d.LastRefused.At = l.shift.Map(d.LastRefused.At)
		}
		for j := range d.Holdings {
			d.Holdings[j].Expires = l.shift.Map(d.Holdings[j].Expires)
		}
	}
	return b
}

const (
	// helloWithin bounds the way from a dial to the first heartbeat: a stopped process accepts
	// connections, but says nothing.
	helloWithin = time.Second
	// callWithin bounds a control call.
	callWithin = 2 * time.Second
	// clockProbes is how often a node's clock is read to find its offset.
	clockProbes = 8
	// window is room for some thousand frames of a stream and of all together, so that a slow reader
	// does not hold up heartbeats.
	streamWindow, connWindow = 256 << 10, 8 << 20
	// Pings find a peer whose machine is gone without a word, should heartbeats be far apart.
	pingAfter  = 10 * time.Second
	pingWithin = 2 * time.Second
)

// bearer is the node token on every call.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if b == "" {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity: nodes are reached over loopback or a private network.
func (b bearer) RequireTransportSecurity() bool { return false }

func dial(address, token string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(bearer(token)),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(wire.Codec{}), grpc.MaxCallRecvMsgSize(16<<20)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingWithin, PermitWithoutStream: true}),
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithNoProxy(), grpc.WithIdleTimeout(0),
	)
}

// open starts a server stream.
func open(ctx context.Context, conn *grpc.ClientConn, call string, req any) (grpc.ClientStream, error) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: call, ServerStreams: true}, wire.Path(call))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(req); err != nil {
		return nil, err
	}
	return stream, stream.CloseSend()
}

// offset reads the node's clock.
func offset(ctx context.Context, conn *grpc.ClientConn, clock *event.Clock) (event.Offset, error) {
	var probes []event.Probe
	for range clockProbes {
		p := event.Probe{Sent: clock.Now()}
		if err := conn.Invoke(ctx, wire.Path(wire.Clock), &wire.Nothing{}, &p.Theirs); err != nil {
			return event.Offset{}, err
		}
		p.Received = clock.Now()
		probes = append(probes, p)
	}
	o, ok := event.Estimate(probes)
	if !ok {
		return o, errors.New("the process was replaced while its clock was read")
	}
	return o, nil
}

// gone is the error of every stream of an epoch that ended.
func gone(reason engine.Reason, id, why string) *engine.Error {
	return &engine.Error{Reason: reason, Text: fmt.Sprintf("node %s is gone: %s", id, why)}
}

// words is an error of gRPC without its decoration.
func words(err error) string {
	if s, ok := status.FromError(err); ok {
		return s.Message()
	}
	return err.Error()
}
