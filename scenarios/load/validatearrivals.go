package load

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of arrivals.
const (
	MinCV          = 0.01
	MaxCV          = 20.0
	MinEpisode     = time.Millisecond // mean length of bursts and pauses
	MaxStages      = 1000             // and spikes
	MaxConcurrency = MaxOpen
	MaxSpeed       = 1e6
)

// flaws gathers what is wrong with arrivals.
type flaws []Flaw

func (fs *flaws) add(key string, is any, mend string, args ...any) {
	*fs = append(*fs, Flaw{"arrivals." + key, fmt.Sprintf("is %v", is), fmt.Sprintf(mend, args...)})
}

// Flaws lists what is wrong with when requests are due.
func (a *Arrivals) Flaws() []Flaw {
	var fs flaws
	if !slices.Contains(Processes(), a.Process) {
		fs.add("process", fmt.Sprintf("%.80q", a.Process), "write %s", anyOf(words(Processes())))
		return fs
	}
	switch changes := !a.steady(); {
	case a.Process == Closed || a.Process == Replay:
		if a.Rate != 0 {
			fs.add("rate", a.Rate, "process %s has no rate of its own, remove it", a.Process)
		}
		if changes {
			fs.add("stages", "given, or spikes are", "process %s has no rate that they could change, remove them", a.Process)
		}
	case !(a.Rate >= 0 && a.Rate <= MaxRate) || a.Rate == 0 && !changes:
		fs.add("rate", a.Rate, "it must be above 0 and at most %v", float64(MaxRate))
	default:
		a.changeFlaws(&fs)
	}
	a.foreignKeys(&fs)
	switch a.Process {
	case Gamma:
		if !(a.CV >= MinCV && a.CV <= MaxCV) {
			fs.add("cv", a.CV, "it must lie in %v…%v", MinCV, MaxCV)
		}
	case OnOff:
		a.episodeFlaws(&fs)
	case Closed:
		if a.Concurrency < 1 || a.Concurrency > MaxConcurrency {
			fs.add("concurrency", a.Concurrency, "it must lie in 1…%d", MaxConcurrency)
		}
		if a.Think < 0 || a.Think > time.Hour {
			fs.add("think", a.Think, "it must lie in 0…1h")
		}
	case Replay:
		a.Trace.flaws(&fs)
	}
	return fs
}

// foreignKeys finds what only another process reads.
func (a *Arrivals) foreignKeys(fs *flaws) {
	for _, k := range []struct {
		key     string
		set     bool
		process Process
	}{{"cv", a.CV != 0, Gamma}, {"on", a.On != 0, OnOff}, {"off", a.Off != 0, OnOff}, {"floor", a.Floor != 0, OnOff},
		{"concurrency", a.Concurrency != 0, Closed}, {"think", a.Think != 0, Closed}, {"trace", a.Trace != nil, Replay}} {
		if k.set && a.Process != k.process {
			fs.add(k.key, "given", "process %s does not read it, remove it or write process %s", a.Process, k.process)
		}
	}
}

func (a *Arrivals) episodeFlaws(fs *flaws) {
	for i, d := range []time.Duration{a.On, a.Off} {
		if d < MinEpisode || d > MaxDuration {
			fs.add([]string{"on", "off"}[i], d, "it must lie in 1ms…24h")
		}
	}
	if !(a.Floor >= 0) || a.Floor > 0 && !(a.Floor < a.Rate) {
		fs.add("floor", a.Floor, "it must be below the mean rate, %v", a.Rate)
	}
}

// changeFlaws checks stages and spikes.
func (a *Arrivals) changeFlaws(fs *flaws) {
	if len(a.Stages) > MaxStages || len(a.Spikes) > MaxStages {
		fs.add("stages", fmt.Sprintf("%d long, and spikes %d", len(a.Stages), len(a.Spikes)), "write at most %d of each", MaxStages)
		return
	}
	for i, s := range a.Stages {
		if s.For < 0 || s.For > MaxDuration {
			fs.add(fmt.Sprintf("stages[%d].for", i), s.For, "it must lie in 0…24h")
		}
		if !(s.To >= 0 && s.To <= MaxRate) {
			fs.add(fmt.Sprintf("stages[%d].to", i), s.To, "it must lie in 0…%v", float64(MaxRate))
		}
	}
	for i, s := range a.Spikes {
		if s.At < 0 || s.At > MaxDuration {
			fs.add(fmt.Sprintf("spikes[%d].at", i), s.At, "it must lie in 0…24h")
		}
		if s.For <= 0 || s.For > MaxDuration {
			fs.add(fmt.Sprintf("spikes[%d].for", i), s.For, "it must be above 0 and at most 24h")
		}
		if !(s.Rate > 0 && s.Rate <= MaxRate) {
			fs.add(fmt.Sprintf("spikes[%d].rate", i), s.Rate, "it must be above 0 and at most %v", float64(MaxRate))
		}
	}
}

func (f *TraceFile) flaws(fs *flaws) {
	if f == nil || f.File == "" {
		fs.add("trace.file", "empty", "name the file to replay")
		return
	}
	if f.Format != "" && !slices.Contains(Formats(), f.Format) {
		fs.add("trace.format", fmt.Sprintf("%.80q", f.Format), "write %s", anyOf(Formats()))
	}
	if !(f.Speed >= 0 && f.Speed <= MaxSpeed) {
		fs.add("trace.speed", f.Speed, "it must be above 0 and at most %v", float64(MaxSpeed))
	}
	if f.From < 0 || f.From > maxTraceTime {
		fs.add("trace.from", f.From, "it must not be negative")
	}
	if f.Limit < 0 || f.Limit > MaxTraceRows {
		fs.add("trace.limit", f.Limit, "it must lie in 0…%d", MaxTraceRows)
	}
	if f.Jitter < 0 || f.Jitter > time.Hour {
		fs.add("trace.jitter", f.Jitter, "it must lie in 0…1h")
	}
}

func words(all []Process) []string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = string(p)
	}
	return out
}
