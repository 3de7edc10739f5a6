package admin

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// NodeLife is whether a node is there. Inside one process a node has no socket and no process of its own.
type NodeLife struct {
	State   NodeState `json:"state,omitempty"`
	Epoch   uint64    `json:"epoch,omitempty"`   // counts its arrivals at the gateway
	Address string    `json:"address,omitempty"` // host:port of its gRPC socket, the newest known
	PID     int       `json:"pid,omitempty"`     // of its process, the newest known; 0: not ours
	Outages []Outage  `json:"outages,omitempty"` // what keeps it down
}

// NodeState is what the gateway believes of a node.
type NodeState string

// Node states.
const (
	NodeUp      NodeState = "up"
	NodeSuspect NodeState = "suspected" // heartbeats stay away: no new requests
	NodeDown    NodeState = "down"
)

// KillRequest kills a node as a power cut would, and keeps it down.
type KillRequest struct {
	ID  string        `json:"id"`     // caller's; the same id twice is the same outage
	TTL time.Duration `json:"ttl_ns"` // > 0: the server permits the restart by itself
}

// Outage is an order that keeps a node down.
type Outage struct {
	ID      string     `json:"id"`
	Expires event.Time `json:"expires_ns"`
	Gone    bool       `json:"gone,omitempty"`
}
