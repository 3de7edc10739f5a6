package remote

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/refserver/node"
)

// Heartbeat is how a dead node is told from a live one.
type Heartbeat struct {
	Every        time.Duration `yaml:"every"`         // between two heartbeats of a node
	SuspectAfter time.Duration `yaml:"suspect_after"` // without one: no new requests, unless most nodes are suspected; shorter reacts to a busy machine, too
	DeadAfter    time.Duration `yaml:"dead_after"`    // without one: its streams continue elsewhere
}

// DefaultHeartbeat is every [100 ms], suspected after [300 ms], dead after [1 s].
func DefaultHeartbeat() Heartbeat {
	return Heartbeat{Every: 100 * time.Millisecond, SuspectAfter: 300 * time.Millisecond, DeadAfter: time.Second}
}

// Validate reports every bad field: its key, what is wrong, how to mend it.
func (h Heartbeat) Validate(report func(key, what, mend string)) {
	if h.Every < 10*time.Millisecond || h.Every > 10*time.Second {
		report("every", fmt.Sprintf("%v is not between 10ms and 10s", h.Every), "write for example 100ms")
	}
	if h.SuspectAfter < 2*h.Every {
		report("suspect_after", fmt.Sprintf("%v is less than two heartbeats (%v)", h.SuspectAfter, 2*h.Every), "write three times every")
	}
	if h.DeadAfter < h.SuspectAfter || h.DeadAfter > time.Minute {
		report("dead_after", fmt.Sprintf("%v is not between suspect_after (%v) and 1m", h.DeadAfter, h.SuspectAfter), "write for example 1s")
	}
}

// look is how often silence is measured.
func (h Heartbeat) look() time.Duration { return max(h.SuspectAfter/6, time.Millisecond) }

// Notice is the longest time from the last sign of a silent node until its streams are cut.
func (h Heartbeat) Notice() time.Duration { return h.DeadAfter + h.Every + h.look() }

// Config is a cluster of node processes.
type Config struct {
	Node      node.Config // of every node; also what the gateway knows of them before they are there
	Heartbeat Heartbeat
	// Addresses are host:port of nodes n1, n2 … that somebody else runs; one for each of Node.Nodes.
	// Empty: the cluster starts them with Deps.Launch.
	Addresses []string
	Token     string // the nodes' ("" for none)
}

// Deps is what the cluster works with.
type Deps struct {
	Events event.Sink
	Clock  *event.Clock
	Log    *slog.Logger
	Launch Launch // needed without Addresses
}

func (c Config) check(d Deps) error {
	switch {
	case len(c.Addresses) > 0 && len(c.Addresses) != c.Node.Nodes:
		return fmt.Errorf("there are %d node addresses for %d nodes: give one for each", len(c.Addresses), c.Node.Nodes)
	case len(c.Addresses) == 0 && d.Launch == nil:
		return fmt.Errorf("this program cannot start node processes: list the addresses of running ones, or use brownout serve")
	}
	return c.Node.Validate()
}
