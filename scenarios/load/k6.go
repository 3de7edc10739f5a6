package load

import "time"

// The JSON that scenarios/run writes into the generated k6 options and k6ext reads. A user of plain
// k6 writes the same fields by hand; durations are nanoseconds there, or strings such as "10s".

// Client is how the measuring client talks to the target.
type Client struct {
	BaseURL   string            `json:"base_url"`             // "http://127.0.0.1:8000"; the client appends /v1/chat/completions
	KeyEnv    string            `json:"key_env,omitempty"`    // environment variable that holds the API key
	Headers   map[string]string `json:"headers,omitempty"`    // a value "env:NAME" stands for what the environment variable NAME holds
	CAFile    string            `json:"ca_file,omitempty"`    //
	ExtraBody map[string]any    `json:"extra_body,omitempty"` // merged into every request body
	NoUsage   bool              `json:"no_usage,omitempty"`   // do not ask streams for usage; tokens are then counted by chunks
	// Exact: answers are synth text, so every token is compared. Off for foreign targets.
	Exact bool `json:"exact"`
	// Strict: a missing [DONE] is truncated, not a note.
	Strict bool `json:"strict"`

	ConnectTimeout time.Duration `json:"connect_timeout_ns"`
	TTFTTimeout    time.Duration `json:"ttft_timeout_ns"`  // from sent
	StallTimeout   time.Duration `json:"stall_timeout_ns"` // between chunks
	TotalTimeout   time.Duration `json:"total_timeout_ns"` // from sent
	// MaxBody bounds what is kept of an answer, in bytes.
	MaxBody int64 `json:"max_body_bytes"`
}

// Limits are the per-request limits of the SLO, needed to stamp Record.Harmed while measuring.
// Zero means "no such limit". All from due, but TPOT and Gap.
type Limits struct {
	TTFT time.Duration `json:"ttft_ns,omitempty"`
	TPOT time.Duration `json:"tpot_ns,omitempty"`
	Gap  time.Duration `json:"max_gap_ns,omitempty"`
	E2E  time.Duration `json:"e2e_ns,omitempty"`
}

// Negative reports whether any limit is below zero, which no limit may be.
func (l Limits) Negative() bool { return min(l.TTFT, l.TPOT, l.Gap, l.E2E) < 0 }

// ArrivalsOptions are the options of executor "brownout-arrivals" beside k6's own.
type ArrivalsOptions struct {
	Plan   Plan   `json:"plan"`
	Client Client `json:"client"`
	Limits Limits `json:"limits"`
	// ClassLimits replace Limits for the requests of a class.
	ClassLimits map[string]Limits `json:"class_limits,omitempty"`
	Drain       time.Duration     `json:"drain_ns"` // how long open requests may go on after Duration: the e2e limit
	Run         string            `json:"run"`
	Shard       string            `json:"shard"` // file the output writes
	// Harness is the base URL of the harness's clock ("" = none): GET /clock → event.Reading.
	Harness string `json:"harness,omitempty"`
	// Calibrate: the client measures a stream of known stamps before time zero, about a second long.
	Calibrate bool `json:"calibrate,omitempty"`
	// RecordsOnly leaves k6's metrics out: nobody but the reader of the shard looks at the load. They cost
	// more than the records, and k6 keeps every value of a trend in memory.
	RecordsOnly bool `json:"records_only,omitempty"`
	// Phases label live progress only; the judge takes them from the scenario.
	Phases []PhaseMark `json:"phases,omitempty"`
}

// PhaseMark is a phase's name and start.
type PhaseMark struct {
	Name string        `json:"name"`
	At   time.Duration `json:"at_ns"`
}

// Progress is one JSON line a second that the load generator writes to inherited file descriptor 3.
type Progress struct {
	At       time.Duration `json:"at_ns"` // from time zero
	Total    time.Duration `json:"total_ns"`
	Phase    string        `json:"phase"`
	Due      uint64        `json:"due"`  // so far
	Done     uint64        `json:"done"` // ended, any outcome
	Bad      uint64        `json:"bad"`
	InFlight int           `json:"in_flight"`
	Rate     float64       `json:"rate_per_s"`      // completions in the last second
	TTFTP99  float64       `json:"ttft_p99_s"`      // last seconds
	Fault    string        `json:"fault,omitempty"` // active fault, one line
	Error    string        `json:"error,omitempty"` // newest error text
}
