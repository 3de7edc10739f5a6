package wire

import (
	"encoding/json"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// BeatRequest asks for heartbeats.
type BeatRequest struct {
	Every time.Duration `json:"every_ns"`
}

// Beat is a heartbeat: the node is there, and this is how it does.
type Beat struct {
	Instance string        `json:"instance"` // of the process: another one is another node life
	Node     admin.Node    `json:"node"`     // its Replicas name and order the engines
	Loads    []engine.Load `json:"loads"`    // of Node.Replicas, in their order
	Steps    admin.Steps   `json:"steps"`
}

// EventsRequest asks for the events after a number.
type EventsRequest struct {
	Since uint64 `json:"since"`
}

// EventBatch is events on the node's clock.
type EventBatch struct {
	Events  []event.Event `json:"events"`
	Dropped uint64        `json:"dropped,omitempty"` // older ones that the node no longer has
}

// Nothing is an empty message.
type Nothing struct{}

// Order is a control call on a device; Call is one of the words below.
type Order struct {
	Call   string          `json:"call"`
	Device string          `json:"device"`         // "g0"
	ID     string          `json:"id,omitempty"`   // of what is released
	Body   json.RawMessage `json:"body,omitempty"` // admin.HoldRequest, admin.ProbeRequest, admin.ThrottleRequest
}

// Orders.
const (
	Hold       = "hold"
	Release    = "release"
	Probe      = "probe"
	Restart    = "restart"
	Throttle   = "throttle"
	Unthrottle = "unthrottle"
)

// Reply is the JSON of what internal/admin says a control call answers, and a heartbeat that shows what
// the call changed.
type Reply struct {
	Body json.RawMessage `json:"body"`
	Beat Beat            `json:"beat"`
}
