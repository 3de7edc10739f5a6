package faults

import "time"

// Plan is the timeline of a run: it is the JSON option "timeline" of the k6 executor
// brownout-timeline, which walks it through the holder's API.
type Plan struct {
	Endpoint string        `json:"endpoint"` // base URL of the holder's API
	TokenEnv string        `json:"token_env"`
	Run      string        `json:"run"`
	Lease    time.Duration `json:"lease_ns"` // renewed at a third of it
	Total    time.Duration `json:"total_ns"` // when the timeline is over, from time zero of the load plan
	Steps    []PlanStep    `json:"steps"`
}

// PlanStep is one fault at its time.
type PlanStep struct {
	At    time.Duration `json:"at_ns"` // from time zero of the load plan
	Fault string        `json:"fault"` // one-line syntax, seed filled in
}
