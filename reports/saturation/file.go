// Package saturation is the result of a saturation search: the file saturation.json, its sentences and
// its tables. Its JSON Schema is schema.json beside this file; fields are added, never changed, within v1.
//
// What may not live here: searching.
package saturation

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/brownout-dev/brownout/internal/jsonfile"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Version is the format's name, the first field of every file.
const Version = "brownout.saturation/v1"

// FileName is the file's name inside a search's folder.
const FileName = "saturation.json"

// MaxBytes bounds a file: Write makes none larger, Read takes none larger.
const MaxBytes = 4 << 20

// File is one search. Rates are requests/s.
type File struct {
	Version  string    `json:"version"`
	Run      string    `json:"run"`
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
	Tool     string    `json:"tool"`
	Scenario Scenario  `json:"scenario"`
	Target   Target    `json:"target"`
	Load     Load      `json:"load"`

	Limits slo.Limits `json:"limits"` // of every request
	Gates  []string   `json:"gates"`  // of every probe

	// Status: "found"; "at-least" (no rate failed: High is 0, unknown), "at-most" (none passed: Low is 0),
	// "unfinished" (the interval is wide), "nothing" (no probe could be judged).
	Status     string  `json:"status"`
	Why        string  `json:"why"` // the search ended
	Best       float64 `json:"rate_per_s"`
	Low        float64 `json:"low_per_s"`
	High       float64 `json:"high_per_s"`
	Confidence float64 `json:"confidence"` // of the interval
	// Model is the timing model's own number where the target is the reference server; 0 unknown.
	Model float64 `json:"model_per_s,omitempty"`

	Summary     []string          `json:"summary"` // sentences one can read aloud
	Probes      []Probe           `json:"probes"`
	Environment map[string]string `json:"environment"`
}

// Scenario is what the probes were made of.
type Scenario struct {
	Name   string   `json:"name"`
	File   string   `json:"file"`
	Digest string   `json:"digest"` // of the scenario before its probes were derived
	Set    []string `json:"set,omitempty"`
	Seed   uint64   `json:"seed"`
}

// Target is what was saturated.
type Target struct {
	Kind        string `json:"kind"`
	URL         string `json:"url"`
	Model       string `json:"model"`
	Resilience  string `json:"resilience,omitempty"`
	Replicas    int    `json:"replicas,omitempty"`
	Fingerprint string `json:"fingerprint"` // tells targets apart: a rate of one says nothing of another
}

// Load is the shape of the requests.
type Load struct {
	Process    string  `json:"process"`
	PromptMean float64 `json:"prompt_tokens_mean"`
	OutputMean float64 `json:"output_tokens_mean"`
}

// Probe is one rate that was tried.
type Probe struct {
	Asked     float64     `json:"asked_per_s"`
	Rate      float64     `json:"rate_per_s"`      // of the drawn arrivals in the judged phase
	Delivered float64     `json:"delivered_per_s"` // of those, sent
	Due       int         `json:"due"`
	Good      int         `json:"good"`
	Goodput   float64     `json:"goodput"`
	TTFTP99   float64     `json:"ttft_p99_s"` // failures as infinitely slow (-1)
	E2EP99    float64     `json:"e2e_p99_s"`
	Trend     Trend       `json:"trend"`
	Verdict   slo.Verdict `json:"verdict"`
	Word      string      `json:"word,omitempty"` // of an unknown
	Why       string      `json:"why,omitempty"`
	Seconds   float64     `json:"seconds"`
	Dir       string      `json:"dir,omitempty"` // of the run, beside this file
}

// Trend is how a probe's judged phase developed from its first third to its last.
type Trend struct {
	Due int `json:"due"`
	// PiledUp is how many more requests were open in the last third than in the first, scaled to the whole
	// phase: about (arrival rate − departure rate) · length.
	PiledUp float64 `json:"piled_up"`
	// First and Last are medians of the time to first token in seconds (of the whole answer where the load
	// does not stream), over answers of requests due in the first and in the last third; 0 without any.
	First float64 `json:"first_third_s"`
	Last  float64 `json:"last_third_s"`
}

//go:embed schema.json
var schemaText []byte

// Schema is the JSON Schema (2020-12) of the file, for other tools.
func Schema() []byte { return bytes.Clone(schemaText) }

var schemaOnce = sync.OnceValues(func() (*jsonschema.Schema, error) { return jsonfile.Compile(schemaText) })

// Write puts f into a file at path, checked against the schema, in one step.
func Write(path string, f File) error {
	text, err := encode(f)
	if err != nil {
		return fmt.Errorf("the saturation file cannot be written: %w", err)
	}
	if err := jsonfile.Replace(path, text); err != nil {
		return fmt.Errorf("the saturation file cannot be written: %w; free space or choose another place", err)
	}
	return nil
}

func encode(f File) ([]byte, error) {
	f.Version = Version
	plain, err := jsonfile.Normal(f)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(plain, "", "  ")
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	_, err = Decode(text) // whatever Read would refuse is refused here
	return text, err
}

// Read loads a file, or saturation.json of the folder at path. What it returns obeys the schema.
func Read(path string) (File, error) {
	text, path, read, err := jsonfile.Find(path, FileName, MaxBytes)
	switch {
	case err != nil && !read:
		return File{}, fmt.Errorf("the saturation file cannot be opened: %w; make one with brownout saturate --save FILE", err)
	case err != nil:
		return File{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	f, err := Decode(text)
	if err != nil {
		return File{}, fmt.Errorf("%s is not a usable saturation file: %w; make one with brownout saturate --save FILE", path, err)
	}
	return f, nil
}

// Decode reads the text of a file.
func Decode(text []byte) (File, error) {
	schema, err := schemaOnce()
	if err != nil {
		return File{}, fmt.Errorf("the built-in schema does not compile: %w", err)
	}
	if err := jsonfile.Check(text, MaxBytes, Version, schema); err != nil {
		return File{}, err
	}
	var f File
	return f, json.Unmarshal(text, &f)
}

// Usable is the rate that shares are taken of. An error says why there is none.
func (f File) Usable() (float64, error) {
	switch f.Status {
	case "found", "unfinished":
		return f.Best, nil
	}
	return 0, errors.New("that search did not find where saturation is: " + f.Why)
}
