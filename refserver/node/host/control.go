package host

import (
	"bytes"
	"encoding/json"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/wire"
)

func (s *Server) control(o *wire.Order) (wire.Reply, error) {
	var answer any
	var err error
	switch m := s.deps.Machine; o.Call {
	case wire.Hold:
		var r admin.HoldRequest
		if err = read(o.Body, &r); err == nil {
			answer, err = m.Hold(s.node, o.Device, r)
		}
	case wire.Release:
		answer, err = m.Release(s.node, o.Device, o.ID)
	case wire.Probe:
		var r admin.ProbeRequest
		if err = read(o.Body, &r); err == nil {
			answer, err = m.Probe(s.node, o.Device, r)
		}
	case wire.Restart:
		answer, err = m.Restart(s.node, o.Device)
	case wire.Throttle:
		var r admin.ThrottleRequest
		if err = read(o.Body, &r); err == nil {
			answer, err = m.Throttle(s.node, o.Device, r)
		}
	case wire.Unthrottle:
		answer, err = m.Unthrottle(s.node, o.Device, o.ID)
	default:
		return wire.Reply{}, status.Errorf(codes.Unimplemented, "%s knows no call %q", s.node, o.Call)
	}
	if err != nil {
		return wire.Reply{}, status.Error(code(err), err.Error())
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return wire.Reply{}, err
	}
	return wire.Reply{Body: body, Beat: s.beat()}, nil
}

func read(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errors.Join(node.ErrBadRequest, err)
	}
	return nil
}

// code keeps what the HTTP status of a control call depends on.
func code(err error) codes.Code {
	switch {
	case errors.Is(err, node.ErrNoDevice):
		return codes.NotFound
	case errors.Is(err, node.ErrBadRequest):
		return codes.InvalidArgument
	default:
		return codes.FailedPrecondition
	}
}
