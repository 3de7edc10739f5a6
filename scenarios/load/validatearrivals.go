package load

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of arrivals.
const (
	MinCV, MaxCV   = 0.01, 20.0
	MinEpisode     = time.Millisecond // mean length of bursts and pauses
	MaxStages      = 1000
	MaxSpikes      = 1000
	MaxConcurrency = MaxOpen
	MaxSpeed       = 1e6
)

// faults lists what is wrong with a, by the names in its JSON.
func (a *Arrivals) faults() (wrong []error) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("arrivals."+format, args...)) }
	if !slices.Contains(Processes(), a.Process) {
		bad("process is %q: write %s", a.Process, processNames())
		return wrong
	}
	changes := !a.steady()
	switch {
	case a.Process == Closed || a.Process == Replay:
		if a.Rate != 0 {
			bad("rate_per_s is %v: process %s has no rate of its own, remove it", a.Rate, a.Process)
		}
		if changes {
			bad("stages and spikes need a rate to change, and process %s has none: remove them", a.Process)
		}
	case !(a.Rate >= 0 && a.Rate <= MaxRate) || a.Rate == 0 && !changes:
		bad("rate_per_s is %v: it must be above 0 and at most %v", a.Rate, float64(MaxRate))
	default:
		a.changes(bad)
	}
	only := func(key string, set bool, process Process) {
		if set && a.Process != process {
			bad("%s is set: process %s does not read it, remove it or write process %s", key, a.Process, process)
		}
	}
	only("cv", a.CV != 0, Gamma)
	only("on_ns", a.On != 0, OnOff)
	only("off_ns", a.Off != 0, OnOff)
	only("floor_per_s", a.Floor != 0, OnOff)
	only("concurrency", a.Concurrency != 0, Closed)
	only("think_ns", a.Think != 0, Closed)
	only("trace", a.Trace != nil, Replay)
	switch a.Process {
	case Gamma:
		if !(a.CV >= MinCV && a.CV <= MaxCV) {
			bad("cv is %v: it must lie in %v…%v", a.CV, MinCV, MaxCV)
		}
	case OnOff:
		for name, d := range map[string]time.Duration{"on_ns": a.On, "off_ns": a.Off} {
			if d < MinEpisode || d > MaxDuration {
				bad("%s is %v: it must lie in %v…%v", name, d, MinEpisode, MaxDuration)
			}
		}
		if !(a.Floor >= 0) || a.Floor > 0 && !(a.Floor < a.Rate) {
			bad("floor_per_s is %v: it must be below the mean rate, %v", a.Floor, a.Rate)
		}
	case Closed:
		if a.Concurrency < 1 || a.Concurrency > MaxConcurrency {
			bad("concurrency is %d: it must lie in 1…%d", a.Concurrency, MaxConcurrency)
		}
		if a.Think < 0 || a.Think > time.Hour {
			bad("think_ns is %v: it must lie in 0…1h", a.Think)
		}
	case Replay:
		a.Trace.faults(bad)
	}
	return wrong
}

func processNames() string {
	names := make([]string, 0, len(Processes()))
	for _, p := range Processes() {
		names = append(names, string(p))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// changes checks stages and spikes.
func (a *Arrivals) changes(bad func(string, ...any)) {
	if len(a.Stages) > MaxStages || len(a.Spikes) > MaxSpikes {
		bad("stages and spikes are %d and %d: write at most %d of each", len(a.Stages), len(a.Spikes), MaxStages)
		return
	}
	for i, s := range a.Stages {
		if s.For < 0 || s.For > MaxDuration {
			bad("stages[%d].for_ns is %v: it must lie in 0…%v", i, s.For, MaxDuration)
		}
		if !(s.To >= 0 && s.To <= MaxRate) {
			bad("stages[%d].to_per_s is %v: it must lie in 0…%v", i, s.To, float64(MaxRate))
		}
	}
	for i, s := range a.Spikes {
		if s.At < 0 || s.At > MaxDuration {
			bad("spikes[%d].at_ns is %v: it must lie in 0…%v", i, s.At, MaxDuration)
		}
		if s.For <= 0 || s.For > MaxDuration {
			bad("spikes[%d].for_ns is %v: it must be above 0 and at most %v", i, s.For, MaxDuration)
		}
		if !(s.Rate > 0 && s.Rate <= MaxRate) {
			bad("spikes[%d].rate_per_s is %v: it must be above 0 and at most %v", i, s.Rate, float64(MaxRate))
		}
	}
}

func (f *TraceFile) faults(bad func(string, ...any)) {
	if f == nil || f.File == "" {
		bad("trace.file is empty: name the file to replay")
		return
	}
	if f.Format != "" && !slices.Contains(Formats(), f.Format) {
		bad("trace.format is %q: write %s", f.Format, strings.Join(Formats(), ", "))
	}
	if !(f.Speed >= 0 && f.Speed <= MaxSpeed) {
		bad("trace.speed is %v: it must be above 0 and at most %v", f.Speed, float64(MaxSpeed))
	}
	if f.From < 0 || f.From > maxTraceTime {
		bad("trace.from_ns is %v: it must not be negative", f.From)
	}
	if f.Limit < 0 || f.Limit > MaxTraceRows {
		bad("trace.limit is %d: it must lie in 0…%d", f.Limit, MaxTraceRows)
	}
	if f.Jitter < 0 || f.Jitter > time.Hour {
		bad("trace.jitter_ns is %v: it must lie in 0…1h", f.Jitter)
	}
}
