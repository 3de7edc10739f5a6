package host

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

// Machine is what the server needs of a node.Cluster that is one node.
type Machine interface {
	Replicas() []node.Replica
	State() []admin.Node
	Steps() admin.Steps
	Hold(node, gpu string, r admin.HoldRequest) (admin.Holding, error)
	Release(node, gpu, id string) (admin.Holding, error)
	Probe(node, gpu string, r admin.ProbeRequest) (admin.ProbeAnswer, error)
	Restart(node, gpu string) (admin.Replica, error)
	Throttle(node, gpu string, r admin.ThrottleRequest) (admin.Throttle, error)
	Unthrottle(node, gpu, id string) (admin.Throttle, error)
}

// Deps is what a Server works with.
type Deps struct {
	Machine Machine
	Events  *event.Log
	Clock   *event.Clock // its id is the node life's: a new process has a new one
	Token   string       // of gateways; "" lets everybody in
}

// Server serves one node. Safe for concurrent use.
type Server struct {
	deps    Deps
	token   [sha256.Size]byte
	node    string
	engines map[string]engine.Engine // by replica id
	grpc    *grpc.Server
}

const (
	// maxAsk bounds a request on the wire: a window of 128,000 tokens is below one MiB.
	maxAsk = 16 << 20
	// Dead gateways are noticed by pings, since a silent node stream sends nothing by itself.
	pingAfter  = 10 * time.Second
	pingWithin = 5 * time.Second
	// pingLeast is how often a gateway may ping at most.
	pingLeast = 5 * time.Second
)

// New builds a server; nothing is served before Run.
func New(deps Deps) *Server {
	s := &Server{deps: deps, token: sha256.Sum256([]byte(deps.Token)), engines: map[string]engine.Engine{}}
	for _, r := range deps.Machine.Replicas() {
		s.node, s.engines[r.ID] = r.Node, r.Engine
	}
	s.grpc = grpc.NewServer(
		grpc.ForceServerCodecV2(wire.Codec{}),
		grpc.MaxRecvMsgSize(maxAsk),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingLeast, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := s.admit(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := s.admit(stream.Context()); err != nil {
				return err
			}
			return next(srv, stream)
		}),
	)
	s.grpc.RegisterService(s.service(), nil)
	return s
}

// Run serves l until ctx ends; then every stream is broken and it returns nil. It may be called once.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, s.grpc.Stop)()
	if err := s.grpc.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// admit wants the token where one is configured. Digests are compared, so that neither content nor
// length of the token shows in the time it takes.
func (s *Server) admit(ctx context.Context) error {
	if s.deps.Token == "" {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	given := strings.TrimPrefix(strings.Join(md.Get("authorization"), ""), "Bearer ")
	digest := sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(digest[:], s.token[:]) != 1 {
		return status.Error(codes.Unauthenticated, "the node token is missing or wrong")
	}
	return nil
}

func (s *Server) service() *grpc.ServiceDesc {
	stream := func(name string, h func(grpc.ServerStream) error) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: name, ServerStreams: true, Handler: func(_ any, st grpc.ServerStream) error { return h(st) }}
	}
	return &grpc.ServiceDesc{
		ServiceName: wire.Service, HandlerType: nil,
		Methods: []grpc.MethodDesc{
			unary(wire.Clock, func(*wire.Nothing) (event.Reading, error) { return s.deps.Clock.Read(), nil }),
			unary(wire.Control, s.control),
		},
		Streams: []grpc.StreamDesc{
			stream(wire.Generate, s.generate), stream(wire.Beats, s.beats), stream(wire.Events, s.events),
		},
	}
}

func unary[Req, Resp any](name string, call func(*Req) (Resp, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(srv any, ctx context.Context, dec func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		req := new(Req)
		if err := dec(req); err != nil {
			return nil, err
		}
		handler := func(_ context.Context, req any) (any, error) {
			resp, err := call(req.(*Req))
			return &resp, err
		}
		return intercept(ctx, req, &grpc.UnaryServerInfo{Server: srv, FullMethod: wire.Path(name)}, handler)
	}}
}
