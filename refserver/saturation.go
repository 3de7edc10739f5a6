package refserver

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/router"
)

// Saturation is the highest rate (requests/s) that the timing model gives a server of this config for
// requests of prompt and output tokens, and the same with one replica less; zero for a config that is wrong.
func Saturation(cfg Config, prompt, output int) (all, minus1 float64) {
	clock := event.NewClock()
	cluster, err := node.New(cfg.node(), node.Deps{Clock: clock, Events: event.NewLog(clock, 1), Waiter: pace.New})
	if err != nil {
		return 0, 0
	}
	return cluster.Saturation(prompt, output)
}

// Notice is the longest time until a server of this config gives up a node that fell silent; zero
// where nodes cannot: they are inside its own process.
func Notice(cfg Config) time.Duration {
	if cfg.Cluster.Topology != Processes {
		return 0
	}
	return cfg.Cluster.Heartbeat.Notice()
}

// Period is how often a server of this config looks for trouble: the heartbeat of node processes, or how
// often the router compares its replicas where nodes are inside the server's own process. What happens
// right after a look waits longest to be noticed.
func Period(cfg Config) time.Duration {
	if cfg.Cluster.Topology == Processes {
		return cfg.Cluster.Heartbeat.Every
	}
	return router.LookEvery
}
