package remote

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/refserver/engine"
)

func TestSuspicionOfAMinorityCounts(t *testing.T) {
	// t trusted, s suspected, d dead, - never seen; the state that the engine of the first s shows.
	for crowdOf, want := range map[string]engine.State{
		"stt": engine.Dead, "sst": engine.Ready, "sss": engine.Ready, "sdt": engine.Dead, "ssd": engine.Ready,
		"sdd": engine.Ready, "s-t": engine.Dead, "ss": engine.Ready, "sstt": engine.Dead, "ddd": engine.Dead,
	} {
		all := &crowd{}
		for _, c := range crowdOf {
			p := &peer{crowd: all}
			p.engines = []*remoteEngine{{peer: p}}
			if c != '-' {
				p.view.Store(&view{trusted: c == 't', up: c != 'd', loads: []loadSeen{{load: engine.Load{State: engine.Ready}}}})
			}
			all.peers = append(all.peers, p)
		}
		assert.Equal(t, want, all.peers[0].engines[0].Load().State, crowdOf)
	}
}
