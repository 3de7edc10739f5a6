// Package telemetry is the server's Prometheus metrics: one struct, built from a Registerer passed
// in. Label values come from bounded sets. "vllm:" names keep vLLM's meaning, so that dashboards
// and autoscalers made for it work unchanged.
//
// What may not live here: HTTP, decisions, request ids or anything else without a bound.
package telemetry

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the counters of one server. Safe for concurrent use; counting never blocks.
type Metrics struct {
	requests     *prometheus.CounterVec
	inFlight     prometheus.Gauge
	ttft, itl    prometheus.Histogram
	attempts     *prometheus.CounterVec
	retries      *prometheus.CounterVec
	resumes      *prometheus.CounterVec
	denied       prometheus.Counter
	poisoned     prometheus.Counter
	transitions  *prometheus.CounterVec
	vllmTTFT     prometheus.Observer
	vllmPrompt   prometheus.Counter
	vllmGenerate prometheus.Counter
}

// ttftTable is the edges of vLLM for vllm:time_to_first_token_seconds up to 10 s, with more below 100 ms.
var ttftTable = []float64{.001, .005, .01, .02, .03, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

var itlTable = []float64{.002, .004, .006, .008, .01, .015, .02, .03, .05, .1, .2, .5, 1, 2.5, 5}

// New registers the metrics of a server that serves model.
func New(reg prometheus.Registerer, model string) (*Metrics, error) {
	labels := prometheus.Labels{"model_name": model}
	counter := func(name, help string, by ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, by)
	}
	ttft := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "brownout_time_to_first_token_seconds", Help: "Arrival of a request to its first content.", Buckets: ttftTable,
	})
	vllmTTFT := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "vllm:time_to_first_token_seconds", Help: "Time to first token in seconds.", Buckets: ttftTable, ConstLabels: labels,
	})
	m := &Metrics{
		requests: counter("brownout_requests_total", "Requests answered, by HTTP status and outcome.", "code", "outcome"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "brownout_requests_in_flight", Help: "Requests inside the gateway."}),
		ttft:     ttft,
		itl: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "brownout_inter_token_seconds", Help: "Gap between successive contents of a stream.", Buckets: itlTable,
		}),
		attempts:    counter("brownout_attempts_total", "Attempts ended, by how.", "outcome"),
		retries:     counter("brownout_retries_total", "Attempts begun anew on another replica before any content, by why.", "reason"),
		resumes:     counter("brownout_resumes_total", "Started streams continued on another replica, by why.", "reason"),
		denied:      prometheus.NewCounter(prometheus.CounterOpts{Name: "brownout_retry_budget_denied_total", Help: "Retries not made because the budget was spent."}),
		poisoned:    prometheus.NewCounter(prometheus.CounterOpts{Name: "brownout_poisoned_total", Help: "Requests refused because they ended engines."}),
		transitions: counter("brownout_breaker_transitions_total", "Breaker changes, by replica and new state.", "replica", "to"),
		vllmTTFT:    vllmTTFT,
		vllmPrompt: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vllm:prompt_tokens_total", Help: "Number of prefill tokens processed.", ConstLabels: labels,
		}),
		vllmGenerate: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vllm:generation_tokens_total", Help: "Number of generation tokens processed.", ConstLabels: labels,
		}),
	}
	all := []prometheus.Collector{
		m.requests, m.inFlight, ttft, m.itl, m.attempts, m.retries, m.resumes, m.denied, m.poisoned,
		m.transitions, vllmTTFT, m.vllmPrompt, m.vllmGenerate,
	}
	errs := make([]error, len(all))
	for i, c := range all {
		errs[i] = reg.Register(c)
	}
	return m, errors.Join(errs...)
}

// Began counts a request in. Every Began needs one Ended.
func (m *Metrics) Began() { m.inFlight.Inc() }

// Ended counts it out.
func (m *Metrics) Ended(code int, outcome string) {
	m.inFlight.Dec()
	m.requests.WithLabelValues(strconv.Itoa(code), outcome).Inc()
}

// FirstToken observes arrival to first content, and books the prompt as processed.
func (m *Metrics) FirstToken(d time.Duration, promptTokens int) {
	m.ttft.Observe(d.Seconds())
	m.vllmTTFT.Observe(d.Seconds())
	m.vllmPrompt.Add(float64(promptTokens))
}

// NextToken observes the gap before a later content. It allocates nothing.
func (m *Metrics) NextToken(gap time.Duration) { m.itl.Observe(gap.Seconds()) }

// Generated counts output tokens delivered. It allocates nothing.
func (m *Metrics) Generated(tokens int) { m.vllmGenerate.Add(float64(tokens)) }

// AttemptEnded implements the router's Observer.
func (m *Metrics) AttemptEnded(outcome string) { m.attempts.WithLabelValues(outcome).Inc() }

// Retried implements the router's Observer.
func (m *Metrics) Retried(reason string) { m.retries.WithLabelValues(reason).Inc() }

// Resumed implements the router's Observer.
func (m *Metrics) Resumed(reason string) { m.resumes.WithLabelValues(reason).Inc() }

// BudgetDenied implements the router's Observer.
func (m *Metrics) BudgetDenied() { m.denied.Inc() }

// Poisoned implements the router's Observer.
func (m *Metrics) Poisoned() { m.poisoned.Inc() }

// BreakerChanged counts a breaker's change to a state.
func (m *Metrics) BreakerChanged(replica, to string) {
	m.transitions.WithLabelValues(replica, to).Inc()
}
