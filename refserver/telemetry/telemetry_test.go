package telemetry

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// Every metric moves: one of each is counted, and no family may be without a sample other than 0.
func TestEveryMetricIsCounted(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m, err := New(reg, "m")
	require.NoError(t, err)
	require.NoError(t, reg.Register(Gauges{
		BudgetLeft: func() float64 { return 2.5 },
		Replicas: func() []Replica {
			return []Replica{{ID: "n1/g0/m", Model: "m", Breaker: "open", Load: engine.Load{State: engine.Ready, Running: 3, Waiting: 2, KVUsage: 0.5}}}
		},
	}))
	m.Began()
	m.Began()
	m.Ended(200, "ok")
	m.FirstToken(20*time.Millisecond, 512)
	m.NextToken(7 * time.Millisecond)
	m.Generated(64)
	m.AttemptEnded("ok")
	m.Retried("oom")
	m.Resumed("engine_dead")
	m.BudgetDenied()
	m.Poisoned()
	m.BreakerChanged("n1/g0/m", "open")
	families, err := reg.Gather()
	require.NoError(t, err)
	assert.Len(t, families, 13+6)
	for _, f := range families {
		moved := false
		for _, s := range f.GetMetric() {
			moved = moved || s.GetCounter().GetValue() > 0 || s.GetGauge().GetValue() > 0 || s.GetHistogram().GetSampleCount() > 0
		}
		assert.True(t, moved, "nothing counts %s", f.GetName())
	}
}

func TestPerTokenCountingAllocatesNothing(t *testing.T) {
	m, err := New(prometheus.NewRegistry(), "m")
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() { m.NextToken(time.Millisecond); m.Generated(1) }))
}

func TestTwiceIsAnError(t *testing.T) {
	reg := prometheus.NewRegistry()
	_, err := New(reg, "m")
	require.NoError(t, err)
	_, err = New(reg, "m")
	assert.Error(t, err)
}
