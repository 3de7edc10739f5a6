package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/brownout-dev/brownout/refserver/engine"
)

// Replica is what the gauges read of one replica at a scrape.
type Replica struct {
	ID, Model string
	Breaker   string // "closed", "half-open", "open", "" without a breaker
	Load      engine.Load
}

// Gauges reads the present state of replicas at every scrape: nothing to keep up to date between.
type Gauges struct {
	// Replicas is called once a scrape.
	Replicas func() []Replica
	// BudgetLeft is how many more retries the budget would grant now.
	BudgetLeft func() float64
}

var (
	runningTable = prometheus.NewDesc("vllm:num_requests_running", "Number of requests in model execution batches.", []string{"model_name", "engine"}, nil)
	waitingTable = prometheus.NewDesc("vllm:num_requests_waiting", "Number of requests waiting to be processed.", []string{"model_name", "engine"}, nil)
	kvTable      = prometheus.NewDesc("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", []string{"model_name", "engine"}, nil)
	stateTable   = prometheus.NewDesc("brownout_engine_state", "1 for the state the engine is in.", []string{"replica", "state"}, nil)
	breakerTable = prometheus.NewDesc("brownout_breaker_state", "1 for the state the breaker is in.", []string{"replica", "state"}, nil)
	budgetTable  = prometheus.NewDesc("brownout_retry_budget_left", "Retries the budget would grant now.", nil, nil)
)

// Describe implements prometheus.Collector.
func (Gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runningTable, waitingTable, kvTable, stateTable, breakerTable, budgetTable} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g Gauges) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	put(budgetTable, g.BudgetLeft())
	for _, r := range g.Replicas() {
		put(runningTable, float64(r.Load.Running), r.Model, r.ID)
		put(waitingTable, float64(r.Load.Waiting), r.Model, r.ID)
		put(kvTable, r.Load.KVUsage, r.Model, r.ID)
		for _, s := range []engine.State{engine.Loading, engine.Ready, engine.Dead} {
			put(stateTable, is(r.Load.State == s), r.ID, string(s))
		}
		if r.Breaker == "" {
			continue
		}
		for _, s := range []string{"closed", "half-open", "open"} {
			put(breakerTable, is(r.Breaker == s), r.ID, s)
		}
	}
}

func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
