package client

import (
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// What the client does for a request before it is due. A plain load must stay as cheap as it is.
func BenchmarkPrepare(b *testing.B) {
	cfg := testConfig("")
	c, err := New(cfg)
	require.NoError(b, err)
	p := testPlan(64)
	p.Prompt.Mean, p.Duration, p.Arrivals.Rate = 512, load.MaxDuration, 1e5
	next, stop := iter.Pull(p.All())
	defer stop()
	b.ReportAllocs()
	for b.Loop() {
		a, _ := next()
		c.Prepare(p, a, event.Time(0))
	}
}
