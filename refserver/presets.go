package refserver

import (
	"time"

	"github.com/brownout-dev/brownout/refserver/api/openai"
	"github.com/brownout-dev/brownout/refserver/breaker"
	"github.com/brownout-dev/brownout/refserver/node/remote"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router"
)

// DefaultPreset is the one that a config file without a preset starts from.
const DefaultPreset = "chat-8b"

// Presets are the names that Preset knows.
func Presets() []string { return []string{DefaultPreset} }

// Preset is a whole, valid config by name; false for an unknown one.
//
// chat-8b: three nodes of two simulated H100 80 GB, one replica of Llama 3.1 8B on each.
func Preset(name string) (Config, bool) {
	if name != DefaultPreset {
		return Config{}, false
	}
	return Config{
		Preset: name, Resilience: Full, Listen: "127.0.0.1:8000", Drain: 10 * time.Second,
		Admin: Admin{Listen: "127.0.0.1:9000"},
		API:   openai.Defaults(), Router: router.Defaults(), Breaker: breaker.Defaults(), Ejection: pool.DefaultEjection(),
		Cluster: Cluster{
			Topology: Single, Heartbeat: remote.DefaultHeartbeat(),
			Nodes: 3, GPUsPerNode: 2, GPU: "h100-80gb", Model: "llama-3.1-8b",
			TokenBudget: 8192, MaxSequences: 256, MaxWaiting: 256, MemoryUtilisation: 0.9,
			Reload: 8 * time.Second, FirstLoad: 200 * time.Millisecond,
		},
	}, true
}
