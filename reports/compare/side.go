package compare

import (
	"time"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Trial is what a comparison needs of one run. Its JSON is a part of baseline files.
type Trial struct {
	Run         string            `json:"run"`
	Started     time.Time         `json:"started"`
	Tool        string            `json:"tool"`
	Seed        uint64            `json:"seed"`
	Verdict     slo.Verdict       `json:"verdict"`
	Scenario    string            `json:"scenario"`
	Digest      string            `json:"digest"`        // of the whole scenario
	LoadDigest  string            `json:"load_digest"`   // of what was asked
	Set         []string          `json:"set,omitempty"` // --set overrides
	TargetKind  string            `json:"target_kind"`   // "refserver", "foreign"
	Environment map[string]string `json:"environment"`   // of the machine that made the load
	Faults      []Recovery        `json:"faults"`
	Samples     result.Samples    `json:"samples"`
}

// Recovery is how one fault's story ended.
type Recovery struct {
	Fault    string            `json:"fault"`
	State    slo.RecoveryState `json:"state"`
	TTR      *float64          `json:"ttr_s,omitempty"`
	OutOfSLO float64           `json:"out_of_slo_s"`
}

// Side is one of the two sets of runs.
type Side struct {
	Name   string // as the user called it
	Trials []Trial
}

// TrialOf takes from a result what a comparison needs. ok is false when the result has no samples: an
// older program wrote it.
func TrialOf(r result.Result) (t Trial, ok bool) {
	if r.Samples == nil {
		return Trial{}, false
	}
	t = Trial{
		Run: r.Run, Started: r.Started, Tool: r.Tool, Seed: r.Scenario.Seed, Verdict: r.Judgement.Verdict,
		Scenario: r.Scenario.Name, Digest: r.Scenario.Digest, LoadDigest: r.Scenario.LoadDigest, Set: r.Scenario.Set,
		TargetKind: r.Target.Kind, Environment: r.Environment, Samples: *r.Samples, Faults: []Recovery{},
	}
	for _, f := range r.Judgement.Faults {
		t.Faults = append(t.Faults, Recovery{Fault: f.Fault.Fault, State: f.State, TTR: f.TTR, OutOfSLO: f.OutOfSLO})
	}
	return t, true
}
