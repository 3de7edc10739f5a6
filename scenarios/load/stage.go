package load

import (
	"cmp"
	"slices"
	"time"
)

// Stage changes the rate: linearly from what it was to To, within For; at once where For is zero. That
// is what k6's ramping-arrival-rate does. After the last stage the rate stays.
type Stage struct {
	For time.Duration `json:"for_ns"`
	To  float64       `json:"to_per_s"`
}

// Spike is load on top of the rest.
type Spike struct {
	At   time.Duration `json:"at_ns"` // from time zero
	For  time.Duration `json:"for_ns"`
	Rate float64       `json:"rate_per_s"`
}

// stretch is a time in which the mean rate changes linearly.
type stretch struct {
	from, to time.Duration
	rate     float64 // requests/s at its start
	slope    float64 // and how they change a second
	extra    float64 // of spikes; bursts and pauses leave it alone
}

func (s stretch) seconds() float64 { return (s.to - s.from).Seconds() }

// steady reports whether the rate never changes.
func (a *Arrivals) steady() bool { return len(a.Stages) == 0 && len(a.Spikes) == 0 }

// times is the same process with that many times the requests.
func (a *Arrivals) times(factor float64) Arrivals {
	b := *a
	b.Rate, b.Floor = factor*a.Rate, factor*a.Floor
	b.Stages, b.Spikes = slices.Clone(a.Stages), slices.Clone(a.Spikes)
	for i := range b.Stages {
		b.Stages[i].To *= factor
	}
	for i := range b.Spikes {
		b.Spikes[i].Rate *= factor
	}
	return b
}

// stretches is the mean rate over [0, until).
func (a *Arrivals) stretches(until time.Duration) []stretch {
	var out []stretch
	at, rate := time.Duration(0), a.Rate
	for _, s := range a.Stages {
		if s.For > 0 && at < until {
			to := at + s.For
			out = append(out, stretch{from: at, to: to, rate: rate, slope: (s.To - rate) / s.For.Seconds()})
			at = to
		}
		rate = s.To
	}
	if at < until {
		out = append(out, stretch{from: at, to: until, rate: rate})
	}
	for _, s := range a.Spikes {
		out = addSpike(out, s)
	}
	for i := range out { // a stage may go on beyond the plan
		out[i].to = min(out[i].to, until)
	}
	return slices.DeleteFunc(out, func(s stretch) bool { return s.from >= s.to })
}

// addSpike cuts the stretches where the spike begins and ends.
func addSpike(in []stretch, spike Spike) []stretch {
	var out []stretch
	for _, s := range in {
		for _, cut := range []time.Duration{spike.At, spike.At + spike.For} {
			if s.from < cut && cut < s.to {
				left, right := s, s
				left.to, right.from = cut, cut
				right.rate += s.slope * (cut - s.from).Seconds()
				out, s = append(out, left), right
			}
		}
		out = append(out, s)
	}
	for i := range out {
		if spike.At <= out[i].from && out[i].to <= spike.At+spike.For {
			out[i].extra += spike.Rate
		}
	}
	return out
}

// Expected is how many requests are due in [from, to) on average; of a trace, how many are. Nobody
// knows that of a closed loop: zero. Where stages or spikes meet conversations it is of the plan's rate, which
// requests follow as conversations go on.
func (p Plan) Expected(from, to time.Duration) float64 {
	to = min(to, p.Duration)
	switch p.Arrivals.Process {
	case Closed:
		return 0
	case Replay:
		return float64(p.trace.count(from, to))
	}
	n := 0.0
	for _, s := range p.Arrivals.stretches(p.Duration) {
		begin, end := max(from, s.from), min(to, s.to)
		if begin < end {
			x, y := (begin - s.from).Seconds(), (end - s.from).Seconds()
			n += (y - x) * (s.rate + s.extra + s.slope*(x+y)/2)
		}
	}
	return n
}

// MeanRate is the planned requests/s over the whole plan; zero for a closed loop.
func (p Plan) MeanRate() float64 {
	if p.Arrivals.Process != Closed && p.Arrivals.Process != Replay && p.Arrivals.steady() {
		return p.Arrivals.Rate
	}
	if p.Duration <= 0 {
		return 0
	}
	return p.Expected(0, p.Duration) / p.Duration.Seconds()
}

// PeakRate is the highest rate of requests/s that is planned: the top of stages and spikes, of bursts,
// and of the busiest second of a trace. Of a closed loop it is what a target that answers at once would
// get, which without a think time has no bound: +Inf.
func (p Plan) PeakRate() float64 {
	switch p.Arrivals.Process {
	case Closed:
		return float64(p.Arrivals.Concurrency) / p.Arrivals.Think.Seconds()
	case Replay:
		return p.trace.busiest()
	}
	times := 1.0
	if p.Arrivals.Process == OnOff {
		times, _ = p.Arrivals.levels()
	}
	all := p.Arrivals.stretches(p.Duration)
	if len(all) == 0 {
		return times * p.Arrivals.Rate
	}
	top := slices.MaxFunc(all, func(a, b stretch) int { return cmp.Compare(a.peak(times), b.peak(times)) })
	return top.peak(times)
}

// peak is the stretch's highest rate when its own load is multiplied.
func (s stretch) peak(times float64) float64 {
	return times*max(s.rate, s.rate+s.slope*s.seconds()) + s.extra
}
