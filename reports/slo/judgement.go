package slo

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Verdict has three values.
type Verdict string

// Verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown"
)

// Reason is why a verdict is what it is: a word and a sentence.
type Reason struct {
	Word string `json:"word"` // "client-limited", "simulator-limited", "unproven", "lease-lost", "idle", "clock", "samples", "unreachable", "events", "gate", "interrupted"
	Text string `json:"text"`
}

// Judgement is all the judge found.
type Judgement struct {
	Verdict  Verdict       `json:"verdict"`
	Reasons  []Reason      `json:"reasons"`
	Gates    []GateResult  `json:"gates"`
	Phases   []PhaseResult `json:"phases"`
	Run      PhaseResult   `json:"run"` // all judged phases together
	Classes  []ClassResult `json:"classes,omitempty"`
	Faults   []Recovery    `json:"faults"`
	Windows  []Window      `json:"windows"`
	Guards   []GuardResult `json:"guards"`
	Series   []Second      `json:"series"`
	WindowNS time.Duration `json:"window_ns"`
}

// GateResult is one gate with its number.
type GateResult struct {
	Gate
	Verdict Verdict `json:"verdict"`
	// Got is the observed number in the gate's unit; Missing when there is none.
	Got     float64 `json:"got"`
	Missing bool    `json:"missing,omitempty"`
	N       int     `json:"n"`
	// For percentile gates: the share within the limit, with its Clopper-Pearson 95 % bounds.
	Share, Lower, Upper float64 `json:"-"`
	Why                 string  `json:"why"` // one sentence
}

// PhaseResult is one phase's numbers. Seconds.
type PhaseResult struct {
	Name         string         `json:"name"`
	At           time.Duration  `json:"at_ns"`
	For          time.Duration  `json:"for_ns"`
	Due          int            `json:"due"`
	Good         int            `json:"good"`
	Excluded     int            `json:"excluded"` // unfinished inside every limit when the drain ended
	Goodput      float64        `json:"goodput"`
	Availability float64        `json:"availability"` // ok + degraded, late or not
	Rate         float64        `json:"rate_per_s"`
	OutputRate   float64        `json:"output_tokens_per_s"`
	Outcomes     map[string]int `json:"outcomes"`
	TTFT         Dist           `json:"ttft"`
	TPOT         Dist           `json:"tpot"`
	E2E          Dist           `json:"e2e"`
	ITL          Dist           `json:"itl"`
	Lag          Dist           `json:"sched_lag"`
}

// Dist is a distribution in seconds, over completed requests and again with failures as +∞.
// A percentile without enough samples (fewer than 1/(1−p) of them) is absent from the map.
// +∞ is written as -1, because JSON has no infinity.
type Dist struct {
	N            int                `json:"n"`
	Failed       int                `json:"failed"`
	Mean         float64            `json:"mean"`
	Max          float64            `json:"max"`
	Completed    map[string]float64 `json:"completed"`     // "p50", "p90", "p95", "p99", "p99.9"
	WithFailures map[string]float64 `json:"with_failures"` //
}

// Infinite stands for +∞ in a Dist.
const Infinite = -1

// Recovery is one fault's stamps and durations. Times on the harness's clock; zero = did not happen.
type Recovery struct {
	Fault
	Impact     event.Time `json:"impact_ns,omitempty"`
	Detected   event.Time `json:"detected_ns,omitempty"`
	Mitigated  event.Time `json:"mitigated_ns,omitempty"`
	Recovered  event.Time `json:"recovered_ns,omitempty"`
	DetectedBy string     `json:"detected_by,omitempty"` // the event's kind and target

	State    RecoveryState `json:"state"`
	TTD      *float64      `json:"ttd_s,omitempty"`
	TTM      *float64      `json:"ttm_s,omitempty"`
	TTR      *float64      `json:"ttr_s,omitempty"`
	Residual *float64      `json:"residual_s,omitempty"`
	// Cut: the data cannot tell. The run ended before cleared + hold, or no load was due, or the fault was
	// never proven gone. The state is then censored, and gates on it are unknown unless already broken.
	Cut bool `json:"cut,omitempty"`
	// Observed is, for a censored recovery, how long we looked in vain (from impact, or from effective).
	Observed   float64  `json:"observed_s,omitempty"`
	OutOfSLO   float64  `json:"out_of_slo_s"` // first to last bad request, summed over the out stretches
	Relapses   int      `json:"relapses"`
	Touched    int      `json:"touched"` // requests whose [due, end] overlaps [effective, recovered]
	Lost       int      `json:"lost"`    // of those, not ok
	Late       int      `json:"late"`    // of those, ok or cancelled by plan, but past a limit
	Resumed    int      `json:"resumed"` // server events
	Retried    int      `json:"retried"`
	Unresolved []string `json:"unresolved,omitempty"` // durations smaller than the clock error
	Burn       *Burn    `json:"burn,omitempty"`       // of the error budget; nil where it cannot be said
}

// RecoveryState is how a fault's story ended.
type RecoveryState string

// Recovery states.
const (
	Absorbed  RecoveryState = "absorbed"  // no out window: no impact. Not a TTR of zero
	Recovered RecoveryState = "recovered" //
	Censored  RecoveryState = "censored"  // still out at the horizon
	Unproven  RecoveryState = "unproven"  // nothing can be said
)

// Window is one SLI window. Only windows that differ from their neighbour are kept in a result file.
type Window struct {
	At  time.Duration `json:"at_ns"` // its start, from time zero
	Due int           `json:"due"`
	Bad int           `json:"bad"`
	SLI float64       `json:"sli"`
	Out bool          `json:"out"`
}

// GuardResult is one guard: what was measured and what the limit is.
type GuardResult struct {
	Word    string  `json:"word"`
	Name    string  `json:"name"`
	Got     float64 `json:"got"`
	Limit   float64 `json:"limit"`
	Unit    string  `json:"unit"`
	Tripped bool    `json:"tripped"`
}

// Second is one second of the run for the charts. Seconds; percentiles over requests due in it,
// completed ones, absent (0) when none.
type Second struct {
	At      int     `json:"at_s"`
	Due     int     `json:"due"`
	Good    int     `json:"good"`
	Bad     int     `json:"bad"` // placed at harmed
	TTFTP50 float64 `json:"ttft_p50_s"`
	TTFTP99 float64 `json:"ttft_p99_s"`
	E2EP50  float64 `json:"e2e_p50_s"`
	E2EP99  float64 `json:"e2e_p99_s"`
	ITLP50  float64 `json:"itl_p50_s"`
	ITLP99  float64 `json:"itl_p99_s"`
	Tokens  int     `json:"output_tokens"`
}
