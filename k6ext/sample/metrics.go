// Package sample is how a finished request travels through k6: the metrics it feeds and the one
// container that carries its record to our output and ordinary samples to everyone else.
//
// What may not live here: sending, files.
package sample

import (
	"go.k6.io/k6/v2/metrics"
)

// Metrics are brownout's k6 metrics. Times are in milliseconds, as k6's own.
type Metrics struct {
	TTFT         *metrics.Metric // trend: due → first content
	TPOT         *metrics.Metric // trend: (last − first content) / (output tokens − 1)
	E2E          *metrics.Metric // trend: due → end of a complete answer
	SchedLag     *metrics.Metric // trend: sent − due
	Goodput      *metrics.Metric // rate over requests due
	Requests     *metrics.Metric // counter, tag outcome
	OutputTokens *metrics.Metric // counter
	MaxGap       *metrics.Metric // trend: the longest gap between content chunks of a request

	// One sample a fault, at the end of the test. Tags fault (its kind), target, state.
	Faults      *metrics.Metric // counter
	Unrecovered *metrics.Metric // rate: not proven, or not seen to be over
	TTR         *metrics.Metric // trend: impact → recovered; none for an absorbed or unrecovered fault
	TTM         *metrics.Metric // trend: impact → mitigated, where it was while the fault was on
	Residual    *metrics.Metric // trend: cleared → recovered
	OutOfSLO    *metrics.Metric // trend: time out of the objective
}

// Register makes the metrics known. It may be called again on the same registry: a script's import
// registers them in init, so that thresholds on them validate, and the executor finds them.
func Register(r *metrics.Registry) (*Metrics, error) {
	m := &Metrics{}
	for _, def := range []struct {
		to   **metrics.Metric
		name string
		kind metrics.MetricType
		unit metrics.ValueType
	}{
		{&m.TTFT, "brownout_ttft", metrics.Trend, metrics.Time},
		{&m.TPOT, "brownout_tpot", metrics.Trend, metrics.Time},
		{&m.E2E, "brownout_e2e", metrics.Trend, metrics.Time},
		{&m.SchedLag, "brownout_sched_lag", metrics.Trend, metrics.Time},
		{&m.Goodput, "brownout_goodput", metrics.Rate, metrics.Default},
		{&m.Requests, "brownout_requests", metrics.Counter, metrics.Default},
		{&m.OutputTokens, "brownout_output_tokens", metrics.Counter, metrics.Default},
		{&m.MaxGap, "brownout_max_gap", metrics.Trend, metrics.Time},
		{&m.Faults, "brownout_faults", metrics.Counter, metrics.Default},
		{&m.Unrecovered, "brownout_unrecovered", metrics.Rate, metrics.Default},
		{&m.TTR, "brownout_ttr", metrics.Trend, metrics.Time},
		{&m.TTM, "brownout_ttm", metrics.Trend, metrics.Time},
		{&m.Residual, "brownout_residual", metrics.Trend, metrics.Time},
		{&m.OutOfSLO, "brownout_out_of_slo", metrics.Trend, metrics.Time},
	} {
		metric, err := r.NewMetric(def.name, def.kind, def.unit)
		if err != nil {
			return nil, err
		}
		*def.to = metric
	}
	return m, nil
}
