package compare

import "github.com/brownout-dev/brownout/reports/slo"

// Version is the name of the format that a Comparison is written in.
const Version = "brownout.comparison/v1"

// Answer is what is known of one metric.
type Answer string

// Answers.
const (
	Better   Answer = "better"    // significant, and at least the minimum effect
	Worse    Answer = "worse"     // the same the other way
	Same     Answer = "same"      // the whole interval is inside the minimum effect
	NotWorse Answer = "not worse" // the interval excludes worse by the minimum effect; it may be better
	Unknown  Answer = "unknown"   // the data cannot tell
)

// Comparison is all that was found. Durations in seconds, shares from 0 to 1.
type Comparison struct {
	Version  string      `json:"version"`
	Answer   slo.Verdict `json:"answer"`    // pass: no regression; fail: a regression; unknown
	ExitCode int         `json:"exit_code"` // 0 pass, 99 fail, 3 unknown
	Reasons  []string    `json:"reasons"`   // sentences, the answer first
	Warnings []string    `json:"warnings"`
	A        SideInfo    `json:"a"` // what is compared with
	B        SideInfo    `json:"b"` // what is judged
	Paired   bool        `json:"paired"`
	Min      MinEffect   `json:"min_effect"`
	Metrics  []Metric    `json:"metrics"`
	Recovery []Metric    `json:"recovery"`
}

// SideInfo names one side.
type SideInfo struct {
	Name     string   `json:"name"`
	Scenario string   `json:"scenario"`
	Runs     int      `json:"runs"`
	Seeds    []uint64 `json:"seeds"`
	Tools    []string `json:"tools"`
	Set      []string `json:"set,omitempty"`
}

// Metric is one number on both sides.
type Metric struct {
	Scope string  `json:"scope"` // a phase, "run" (all judged phases), or a fault
	Name  string  `json:"name"`  // "p99 ttft", "goodput", "ttr", "out_of_slo"
	NA    int     `json:"n_a"`   // values: requests, gaps; runs of recovery numbers
	NB    int     `json:"n_b"`
	A     float64 `json:"a"` // infinity is -1, as in a result file
	B     float64 `json:"b"`

	Difference float64  `json:"difference"` // b − a, of goodput too; 0 where a side is infinite
	Low        *float64 `json:"low,omitempty"`
	High       *float64 `json:"high,omitempty"` // the 95 % interval of the difference; absent when there is none
	Effect     float64  `json:"min_effect"`     // the least difference that matters here
	Block      int      `json:"block_s,omitempty"`

	PBlocks  float64 `json:"p_blocks"`           // do these runs differ: permutation over blocks
	PRuns    float64 `json:"p_runs"`             // do builds differ: between runs; 1 when that is not known
	P        float64 `json:"p"`                  // the larger, adjusted for all metrics (Holm 1979)
	Noise    float64 `json:"noise_between_runs"` // standard deviation of one run's value; 0 unknown
	Answer   Answer  `json:"answer"`
	Why      string  `json:"why,omitempty"`       // of unknown
	NeedRuns int     `json:"need_runs,omitempty"` // runs a side that should tell; 0 unknown
	// Shown metrics are not part of the answer.
	Shown bool `json:"shown_only,omitempty"`

	worse      float64 // the difference, upwards is worse; may be infinite
	noiseKnown bool    // between runs
}

// higherIsBetter reports whether a larger number is the better one.
func (m *Metric) higherIsBetter() bool { return m.Name == "goodput" }
