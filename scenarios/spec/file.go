package spec

import (
	"github.com/brownout-dev/brownout/internal/yamlx"
)

// when is a time as written. It reads itself so that a bare number is met by the list of forms, not by
// the advice to quote it.
type when string

// UnmarshalText takes any text.
func (w *when) UnmarshalText(text []byte) error {
	*w = when(text)
	return nil
}

// file is the format as written; every key a user may write is a field here.
type file struct {
	APIVersion string `yaml:"apiVersion"`
	Name       string `yaml:"name"`
	Question   string `yaml:"question"`
	Published  string `yaml:"published"`
	Target     struct {
		Refserver struct {
			Preset     string `yaml:"preset"`
			Config     string `yaml:"config"`
			Resilience string `yaml:"resilience"`
			Topology   string `yaml:"topology"`
			// Settings are keys of the server's own config file; Doc.Leaves reads them.
			Settings map[string]any `yaml:"settings"`
		} `yaml:"refserver"`
	} `yaml:"target"`
	Load   loadFile `yaml:"load"`
	Phases []struct {
		Name  string         `yaml:"name"`
		For   yamlx.Duration `yaml:"for"`
		Quiet bool           `yaml:"quiet"`
	} `yaml:"phases"`
	Faults []struct {
		At     when   `yaml:"at"`
		Inject string `yaml:"inject"`
	} `yaml:"faults"`
	SLO struct {
		Limits    limitKeys   `yaml:"limits"`
		Objective yamlx.Share `yaml:"objective"`
		MinBad    int         `yaml:"min_bad"`
		Recovery  struct {
			Hold    yamlx.Duration `yaml:"hold"`
			Horizon yamlx.Duration `yaml:"horizon"`
		} `yaml:"recovery"`
		Budget struct {
			Target yamlx.Share `yaml:"target"`
			Window days        `yaml:"window"`
		} `yaml:"budget"`
		DegradedIsGood bool                   `yaml:"degraded_is_good"`
		Expected       []string               `yaml:"expected"`
		Gates          map[string][]string    `yaml:"gates"`
		Classes        map[string]promiseKeys `yaml:"classes"`
		Trials         []string               `yaml:"trials"`
		Guards         struct {
			LagP99       yamlx.Duration `yaml:"sched_lag_p99"`
			DroppedShare yamlx.Share    `yaml:"dropped_share"`
			TimerLateP99 yamlx.Duration `yaml:"timer_late_p99"`
			StepLateP99  yamlx.Duration `yaml:"step_late_p99"`
			StepLateRel  yamlx.Share    `yaml:"step_late_relative"`
			MaxOffset    yamlx.Duration `yaml:"max_offset_error"`
			TTFTErrorP99 yamlx.Duration `yaml:"client_ttft_error_p99"`
			GapErrorP99  yamlx.Duration `yaml:"client_gap_error_p99"`
			ErrorRel     yamlx.Share    `yaml:"client_error_relative"`
			Headroom     float64        `yaml:"headroom"`
		} `yaml:"guards"`
	} `yaml:"slo"`
	Timeouts struct {
		Connect yamlx.Duration `yaml:"connect"`
		TTFT    yamlx.Duration `yaml:"ttft"`
		Stall   yamlx.Duration `yaml:"stall"`
		Total   yamlx.Duration `yaml:"total"`
	} `yaml:"timeouts"`
	Seed     uint64 `yaml:"seed"`
	Variants []struct {
		Name   string   `yaml:"name"`
		Set    []string `yaml:"set"`
		Expect string   `yaml:"expect"`
	} `yaml:"variants"`
}

type loadFile struct {
	Like         string            `yaml:"like"`
	Arrivals     arrivals          `yaml:"arrivals"`
	Prompt       length            `yaml:"prompt_tokens"`
	Output       length            `yaml:"output_tokens"`
	Prefix       *prefixKeys       `yaml:"prefix"`
	Conversation *conversationKeys `yaml:"conversation"`
	Cancel       *cancelKeys       `yaml:"cancel"`
	Mix          []classKeys       `yaml:"mix"`
	Model        string            `yaml:"model"`
	Tenant       string            `yaml:"tenant"`
	Stream       bool              `yaml:"stream"`
	MaxInFlight  int               `yaml:"max_in_flight"`
}
