// Package library is the scenarios that come with brownout: one YAML file each, every one of them opening
// with what happens, what a healthy server does, how to read the result and what the control shows.
//
// What may not live here: code that runs them, and scenarios that need more than this repository brings.
package library

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/brownout-dev/brownout/scenarios/spec"
)

//go:embed *.yaml
var files embed.FS

// Entry is one built-in scenario.
type Entry struct {
	Name     string   `json:"name"`
	Question string   `json:"question"`
	Length   float64  `json:"seconds"` // of load, without starting and draining
	Rate     float64  `json:"rate_per_s"`
	Faults   []string `json:"faults,omitempty"` // one-line syntax
}

// List is every built-in scenario, by name.
func List() []Entry {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		panic(err) // only a malformed pattern
	}
	entries := make([]Entry, 0, len(names))
	for _, file := range names {
		name := strings.TrimSuffix(file, ".yaml")
		data, _ := Read(name)
		s, err := spec.Parse(file, data, nil)
		if err != nil {
			panic(err) // the files are part of the binary, and a test reads each of them
		}
		e := Entry{Name: s.Name, Question: s.Question, Length: s.Length().Seconds(), Rate: s.Load.MeanRate()}
		for _, f := range s.Faults {
			e.Faults = append(e.Faults, f.Fault.String())
		}
		entries = append(entries, e)
	}
	return entries
}

// Read is the file of one built-in scenario; false when there is none of that name.
func Read(name string) ([]byte, bool) {
	if name == "" || strings.ContainsAny(name, "/\\.") {
		return nil, false
	}
	data, err := files.ReadFile(name + ".yaml")
	return data, err == nil
}
