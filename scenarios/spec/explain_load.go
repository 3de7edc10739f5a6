package spec

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// arrivals says when requests are sent.
func (e *explainer) arrivals() {
	a := e.Load.Arrivals
	until := short(e.Length())
	switch a.Process {
	case load.Closed:
		think := "no think time"
		if a.Think > 0 {
			think = "think time " + short(a.Think)
		}
		e.line("Load      %s, %s, closed loop, for %s: as many requests as the target answers; seed %d", plural(a.Concurrency, "virtual user"), think, until, e.Seed)
		e.warn("%s", closedLoop)
		return
	case load.Replay:
		e.replay(a.Trace)
		return
	}
	about := thousands(e.expected(0, e.Length()))
	if len(a.Stages)+len(a.Spikes) == 0 {
		e.line("Load      %s requests/s, %s, open loop, for %s: about %s requests; seed %d", number(a.Rate), shape(a), until, about, e.Seed)
		return
	}
	e.line("Load      %s requests/s on average, %s at most, %s, open loop, for %s: about %s requests; seed %d",
		rounded(e.Load.MeanRate()), rounded(e.Load.PeakRate()), shape(a), until, about, e.Seed)
	for i, l := range wrap(changes(a), width-10-len("rate      ")) {
		e.line("          %-10s%s", []string{"rate", ""}[min(i, 1)], l)
	}
}

// likeness names the recorded load that the plan is like.
func (e *explainer) likeness() {
	like, ok := load.FitNamed(e.Like)
	if !ok {
		return
	}
	for i, l := range wrap(fmt.Sprintf("%s: %s, %s", like.Name, like.Source, like.Licence), width-20) {
		e.line("          %-10s%s", []string{"like", ""}[min(i, 1)], l)
	}
}

// closedLoop is the warning that belongs to every number of such a run.
const closedLoop = "The load is a closed loop: each virtual user waits for its answer before it asks again, so a slow target is sent less, " +
	"and the requests that real users would have sent meanwhile are missing from every percentile (coordinated omission). " +
	"Compare such runs with each other, and gate releases with an open loop."

func shape(a load.Arrivals) string {
	switch a.Process {
	case load.Gamma:
		return fmt.Sprintf("gamma of CV %s", number(a.CV))
	case load.OnOff:
		share := a.On.Seconds() / (a.On + a.Off).Seconds()
		burst := (a.Rate - a.Floor*(1-share)) / share
		return fmt.Sprintf("onoff with bursts of %s at %s/s and pauses of %s at %s/s", short(a.On), rounded(burst), short(a.Off), number(a.Floor))
	}
	return string(a.Process)
}

// changes are the stages and spikes as one sentence.
func changes(a load.Arrivals) string {
	text := []string{number(a.Rate) + "/s at first"}
	at := time.Duration(0)
	for _, s := range a.Stages {
		if s.For == 0 {
			text = append(text, fmt.Sprintf("%s/s at once at %s", number(s.To), short(at)))
			continue
		}
		text = append(text, fmt.Sprintf("to %s/s from %s to %s", number(s.To), short(at), short(at+s.For)))
		at += s.For
	}
	for _, s := range a.Spikes {
		text = append(text, fmt.Sprintf("%s/s more from %s to %s", number(s.Rate), short(s.At), short(s.At+s.For)))
	}
	return strings.Join(text, "; ")
}

// replay says what the trace holds.
func (e *explainer) replay(f *load.TraceFile) {
	t := e.Load.TraceInfo()
	how := ""
	if f.Speed != 0 && f.Speed != 1 {
		how += fmt.Sprintf(", %s times as fast", number(f.Speed))
	}
	if f.From > 0 {
		how += ", from " + short(f.From)
	}
	if f.Jitter > 0 {
		how += ", spread over " + short(f.Jitter)
	}
	e.line("Load      %s (%s)%s, open loop, for %s: %s; seed %d", filepath.Base(f.File), t.Format, how, short(e.Length()), plural(t.Requests, "request"), e.Seed)
	e.line("          %s requests/s, %s in the busiest second; CV of the gaps %s", rounded(t.Rate), rounded(e.Load.PeakRate()), number(math.Round(100*t.CV)/100))
	for _, l := range []struct {
		name string
		q    load.Quantiles
	}{{"prompt", t.Prompt}, {"answer", t.Output}} {
		e.line("          %s tokens p50 %s, p90 %s, p99 %s, mean %s", l.name, thousands(int(l.q.P50)), thousands(int(l.q.P90)), thousands(int(l.q.P99)), thousands(int(math.Round(l.q.Mean))))
	}
	if t.Blocks > 0 {
		e.line("          %s of %s prompt blocks of %d tokens come again: %s", thousands(int(math.Round(t.Reused*float64(t.Blocks)))), thousands(t.Blocks), load.BlockTokens, yamlx.Share(math.Round(1000*t.Reused)/1000))
	}
	if t.NoAnswer > 0 {
		e.line("          %s recorded without an answer; each asks for one token", plural(t.NoAnswer, "request")+" "+map[bool]string{true: "was", false: "were"}[t.NoAnswer == 1])
	}
	if left := e.Length() - t.Last; left > e.Length()/10 {
		e.warn("The trace's last request is due at %s, and nothing is sent in the remaining %s: shorten the phases, or replay it slower.", short(t.Last.Round(time.Millisecond)), short(left.Round(time.Millisecond)))
	}
	if t.CV > 3 && f.Jitter == 0 {
		e.warn("The trace's requests come in batches or bursts (CV of the gaps %s). Where its clock is coarse, jitter spreads them: 3s for Mooncake's conversation trace, 1s for BurstGPT.", number(math.Round(100*t.CV)/100))
	}
}

// rounded is a rate to three digits.
func rounded(rate float64) string {
	if rate >= 100 {
		return number(math.Round(rate))
	}
	return fmt.Sprintf("%.3g", rate)
}
