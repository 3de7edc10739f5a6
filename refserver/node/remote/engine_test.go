package remote

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// A balancer asks between two heartbeats: what this gateway sent since must show, or all of it goes to
// the replica that looked idle a tenth of a second ago.
func TestLoadIsNewerThanTheHeartbeat(t *testing.T) {
	p := &peer{id: "n1"}
	e := &remoteEngine{peer: p}
	seen := loadSeen{load: engine.Load{State: engine.Ready, Running: 10, Waiting: 2, TokenDebt: 1500}, open: 8, debt: 500}
	p.view.Store(&view{up: true, trusted: true, loads: []loadSeen{seen}})

	e.open.Store(8)
	e.debt.Store(500)
	assert.Equal(t, engine.Load{State: engine.Ready, Running: 10, Waiting: 2, TokenDebt: 1500}, e.Load(), "nothing has changed")
	e.open.Store(11)
	e.debt.Store(2000)
	assert.Equal(t, engine.Load{State: engine.Ready, Running: 10, Waiting: 5, TokenDebt: 3000}, e.Load(), "three more of ours; another gateway owes 1000")
	e.open.Store(5)
	e.debt.Store(0)
	assert.Equal(t, engine.Load{State: engine.Ready, Running: 7, Waiting: 2, TokenDebt: 1000}, e.Load(), "three of ours ended, ours are prefilled")
	seen.debt = 5000
	p.view.Store(&view{up: true, trusted: true, loads: []loadSeen{seen}})
	assert.Zero(t, e.Load().TokenDebt, "never below what is known")
	p.view.Store(&view{trusted: true, loads: []loadSeen{seen}})
	assert.Equal(t, engine.Load{State: engine.Dead}, e.Load())
}
