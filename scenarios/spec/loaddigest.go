package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// LoadDigest is the SHA-256 (hex) of what a run asks of a server: load, phases, faults, limits and the
// client's patience. Not the seed, not the target, not the gates: two runs with the same one can be compared.
func (s *Spec) LoadDigest() string {
	type planned struct {
		At    time.Duration `json:"at_ns"`
		Fault string        `json:"fault"`
	}
	asked := struct {
		Load     load.Plan            `json:"load"`
		Phases   []slo.Phase          `json:"phases"`
		Faults   []planned            `json:"faults"`
		Limits   slo.Limits           `json:"limits"`
		Degraded bool                 `json:"degraded_is_good"`
		Expected []string             `json:"expected"`
		Client   Timeouts             `json:"client"`
		Classes  map[string]slo.Class `json:"classes,omitempty"`
	}{Load: s.Load, Phases: s.Phases, Limits: s.SLO.Limits, Degraded: s.SLO.DegradedIsGood, Client: s.Client, Classes: s.SLO.Classes}
	asked.Load.Seed = 0
	for _, f := range s.Faults {
		asked.Faults = append(asked.Faults, planned{At: f.At - s.Delay, Fault: f.Fault.String()})
	}
	for _, o := range s.SLO.Expected {
		asked.Expected = append(asked.Expected, o.String())
	}
	text, err := json.Marshal(asked)
	if err != nil { // numbers and words of a checked scenario: none is NaN
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
