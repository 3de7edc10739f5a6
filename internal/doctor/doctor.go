// Package doctor looks at a machine and says whether verdicts made on it can be trusted, what stands in
// the way, and how many requests a second that leaves. One file a group of findings.
//
// What may not live here: printing, and anything that changes the machine.
package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Level is how bad a finding is.
type Level string

// Levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // verdicts may be unknown, or loads must stay small
	Bad  Level = "bad"  // scenarios cannot run
)

// Finding is one thing that was looked at.
type Finding struct {
	Group  string `json:"group"` // "cpu", "files", "network", "clock", "memory", "disk", "docker", "gpu", "tools"
	Name   string `json:"name"`
	Level  Level  `json:"level"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
	// Limit is how many requests/s this leaves; 0: it limits nothing, or nobody knows.
	Limit float64 `json:"limits_to_per_s,omitempty"`
}

// Needs is what a scenario asks of the machine. The zero value stands for the built-in scenarios.
type Needs struct {
	Scenario string        // its name; "" for the built-in ones
	Rate     float64       // requests/s
	InFlight int           // the most requests that may be open
	Stay     time.Duration // the longest a request may stay open
	Length   time.Duration // of the load
}

func (n Needs) withDefaults() Needs {
	if n.Scenario == "" {
		return Needs{Rate: 154, InFlight: 3080, Stay: 10 * time.Second, Length: time.Minute}
	}
	return n
}

// who is the scenario as sentences name it.
func (n Needs) who() string {
	if n.Scenario == "" {
		return "the built-in scenarios"
	}
	return "scenario " + n.Scenario
}

// Machine is how the machine is looked at; a test gives it another one.
type Machine struct {
	OS    string // runtime.GOOS
	Root  fs.FS  // "/"; read below proc and sys
	Procs int    // GOMAXPROCS
	CPUs  int
	Out   string // directory that runs are written to
	Needs Needs

	Getenv func(string) string
	Pause  func(context.Context, time.Duration) // waits
	Late   func(ctx context.Context, busy int) (p50, p99 time.Duration)
	Tick   func() time.Duration                      // smallest step of the clock
	Bind   func() error                              // a loopback port
	Free   func(dir string) (bytes uint64, ok bool)  // disk space for dir
	Docker func(ctx context.Context) (Engine, error) // asks the Docker engine
	Build  func() []Version                          // this program and its parts
}

// Version is one part of this program.
type Version struct{ Name, Version string }

// Examine looks at everything; it takes about three seconds. say is called before what takes time.
func Examine(ctx context.Context, m Machine, say func(string)) []Finding {
	m.Needs = m.Needs.withDefaults()
	say("measuring steal time and timers")
	stolen := make(chan Finding, 1)
	go func() { stolen <- m.steal(ctx) }()
	idle := m.lateness(ctx, 0)
	steal := <-stolen
	say("measuring timers while the other cores are busy")
	busy := m.lateness(ctx, max(1, m.Procs-1))
	out := []Finding{m.cores(), m.quota(), m.load(), steal, m.governor()}
	out = append(out, m.openFiles(), m.loopback(), m.ports(), m.backlog())
	out = append(out, m.source(), m.resolution(), idle, busy)
	out = append(out, m.memory(), m.collector(), m.disk())
	say("asking the Docker engine")
	return append(out, m.docker(ctx), m.gpu(), m.tools())
}

// Worst is the worst level among findings.
func Worst(all []Finding) Level {
	worst := OK
	for _, f := range all {
		if f.Level == Bad || (f.Level == Warn && worst == OK) {
			worst = f.Level
		}
	}
	return worst
}

// unknown is a finding where this system has no answer.
func unknown(group, name string) Finding {
	return Finding{Group: group, Name: name, Level: OK, Found: "not known here"}
}

// text is a small file, trimmed; ok is false where it cannot be read.
func (m *Machine) text(path string) (string, bool) {
	data, err := fs.ReadFile(m.Root, path)
	return strings.TrimSpace(string(data)), err == nil
}

// field is the value of the first line "name: value" of a file.
func (m *Machine) field(path, name string) string {
	text, _ := m.text(path)
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// bytes is a field such as "24576 kB" in bytes.
func (m *Machine) bytes(path, name string) float64 {
	number, _, _ := strings.Cut(m.field(path, name), " ")
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0
	}
	return f * 1024
}

func gib(bytes float64) string { return fmt.Sprintf("%.1f GiB", bytes/(1<<30)) }
