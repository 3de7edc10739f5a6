package slo

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// naive is the rules of docs and comments in the dumbest form: every question scans every request.
type naive struct {
	spec    Spec
	in      Input
	window  event.Time
	classes []class
	harmed  []event.Time
}

func newNaive(in Input) naive {
	n := naive{spec: in.Spec.WithDefaults(), in: in, window: event.Time(WindowLength(in.Load.Rate))}
	for i := range in.Records {
		c, at := n.spec.classify(&in.Records[i])
		n.classes, n.harmed = append(n.classes, c), append(n.harmed, at)
	}
	return n
}

func (n naive) bads(from, to event.Time) (list []event.Time) {
	for i := range n.in.Records {
		if at := n.harmed[i]; n.classes[i] == bad && at >= from && at < to {
			list = append(list, at)
		}
	}
	return list
}

func (n naive) dues(from, to event.Time) (count int) {
	for i := range n.in.Records {
		r := &n.in.Records[i]
		if c := n.classes[i]; r.Due >= from && r.Due < to && (c == good || c == bad || c == expected) {
			count++
		}
	}
	return count
}

func (n naive) lastInstant() (last event.Time) {
	for i := range n.in.Records {
		r := &n.in.Records[i]
		if n.classes[i].counted() {
			last = max(last, r.Due)
		}
		last = max(last, n.harmed[i])
	}
	return last
}

type naiveWindow struct {
	from, to  event.Time
	out, idle bool
	bads      []event.Time
	due       int
}

func (n naive) windows(from, to, seen event.Time) (list []naiveWindow) {
	last := n.lastInstant()
	for k := event.Time(0); n.in.Start+k*1e8 <= last; k++ {
		w := naiveWindow{from: n.in.Start + k*1e8}
		w.to = w.from + n.window
		if w.to <= from || w.from >= to {
			continue
		}
		w.bads, w.due = n.bads(max(w.from, from), min(w.to, to)), n.dues(w.from, w.to)
		share := 1.0
		if len(w.bads) > 0 {
			share = 0
			if w.due > 0 {
				share = max(0, 1-float64(len(w.bads))/float64(w.due))
			}
		}
		w.out = len(w.bads) >= n.spec.MinBad && share < n.spec.Objective
		w.idle = w.due == 0 && !w.out && w.to <= seen
		list = append(list, w)
	}
	return list
}

func lowest(list []event.Time) event.Time {
	low := list[0]
	for _, t := range list {
		low = min(low, t)
	}
	return low
}

func highest(list []event.Time) event.Time {
	high := list[0]
	for _, t := range list {
		high = max(high, t)
	}
	return high
}

// stamps answers impact, mitigated, recovered and the state of one fault whose life is [from, to).
func (n naive) stamps(f Fault, from, to, seen event.Time) (r Recovery) {
	ws := n.windows(from, to, seen)
	hold := event.Time(n.spec.Hold)
	cut := f.Cleared == 0 || seen < f.Cleared+hold
	outs, lastOut := 0, -1
	for i, w := range ws {
		if w.out {
			if r.Impact == 0 {
				r.Impact = lowest(w.bads)
			}
			if i == 0 || !ws[i-1].out {
				outs++
			}
		}
	}
	r.Relapses = max(0, outs-1)
	cleared := f.Cleared
	if cleared == 0 {
		cleared = to
	}
	for i, w := range ws {
		if w.out {
			lastOut = i
			continue
		}
		if lastOut < 0 || w.idle || (i > 0 && !ws[i-1].out && !ws[i-1].idle) {
			continue // not the first window of a calm
		}
		began := highest(ws[lastOut].bads)
		since := began
		if lastOut != i-1 {
			since = w.from
		}
		last := i
		for last+1 < len(ws) && !ws[last+1].out && !ws[last+1].idle {
			last++
		}
		until := to
		if last+1 < len(ws) {
			until = min(ws[last].to, to)
			if ws[last+1].idle {
				until = ws[last+1].from
			}
		}
		if until-since < hold {
			continue
		}
		if since < cleared && until >= cleared {
			r.Mitigated = began
		}
		if r.Recovered == 0 && f.Cleared != 0 && until >= f.Cleared+hold {
			r.Recovered = began
		}
	}
	switch {
	case r.Impact != 0 && r.Recovered != 0:
		r.State = Recovered
	case r.Impact != 0:
		r.State = Censored
	default:
		r.State = Absorbed
		for _, w := range ws {
			cut = cut || (w.idle && w.from < f.Cleared+hold)
		}
		if cut {
			r.State = Censored
		}
	}
	r.Cut = cut
	return r
}

// random draws a small run with holes, outages, overlaps and every sort of outcome.
func random(rng *rand.Rand) Input {
	seconds := 6 + rng.IntN(20)
	rate := 2 + rng.IntN(12)
	in := Input{Start: zero, Load: Load{Rate: float64(rate * (1 + rng.IntN(4)))}}
	in.Spec = Spec{
		Limits:  Limits{TTFT: 500 * time.Millisecond, E2E: 3 * time.Second},
		Hold:    time.Duration(1+rng.IntN(3)) * time.Second,
		Horizon: time.Duration(1+rng.IntN(12)) * time.Second,
		MinBad:  1 + rng.IntN(3), Objective: 0.5 + rng.Float64()/2,
		Phases: []Phase{{Name: "all", For: time.Duration(seconds) * time.Second}},
	}
	from, to := rng.Float64()*float64(seconds), rng.Float64()*float64(seconds)
	idleFrom, idleTo := rng.Float64()*float64(seconds), 0.0
	if rng.IntN(3) == 0 {
		idleTo = idleFrom + rng.Float64()*8
	}
	for i := range rate * seconds {
		when := rng.Float64() * float64(seconds)
		if when >= idleFrom && when < idleTo {
			continue
		}
		r := answered(uint64(i), s(when))
		if (when >= from && when < to && rng.IntN(2) == 0) || rng.IntN(30) == 0 {
			broken(&r, r.Due+event.Time(rng.IntN(2e9)), record.Outcome(3+rng.IntN(int(record.NumOutcomes)-3)))
			if rng.IntN(4) == 0 {
				r.Harmed = 0
			}
		}
		in.Records = append(in.Records, r)
	}
	for range 1 + rng.IntN(2) {
		armed := rng.Float64() * float64(seconds)
		f := Fault{Targets: []string{"n2"}, Armed: s(armed), Effective: s(armed + rng.Float64())}
		if rng.IntN(5) > 0 {
			f.Cleared = f.Effective + event.Time(rng.IntN(8e9))
		}
		in.Faults = append(in.Faults, f)
	}
	return in
}

func TestJudgeAgreesWithANaiveOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 1))
	states := map[RecoveryState]int{}
	for trial := range 2500 {
		in := random(rng)
		j := newJudge(in)
		n := newNaive(in)

		all, _ := j.sliding.judge(always())
		want := n.windows(-1<<62, 1<<62, j.seen)
		require.Len(t, all, len(want), "trial %d", trial)
		for k, w := range want {
			require.Equal(t, [3]any{w.due, len(w.bads), w.out}, [3]any{all[k].Due, all[k].Bad, all[k].Out}, "trial %d window %d", trial, k)
		}
		for i := range in.Faults {
			f := in.Faults[i]
			life := span{onset(&f), j.end(&f)}
			got := j.recovery(&f)
			want := n.stamps(f, life.from, life.to, j.seen)
			require.Equal(t,
				[6]any{want.State, want.Impact, want.Mitigated, want.Recovered, want.Relapses, want.Cut},
				[6]any{got.State, got.Impact, got.Mitigated, got.Recovered, got.Relapses, got.Cut}, "trial %d fault %d", trial, i)
			states[got.State]++
			n.checkMembers(t, got, life)
			checkOrder(t, got)
		}
	}
	for _, state := range []RecoveryState{Absorbed, Recovered, Censored} {
		require.Greater(t, states[state], 300, "the draws must reach %s", state)
	}
}

// checkMembers recounts who shares an instant with the fault, by walking outward from the definition.
func (n naive) checkMembers(t *testing.T, r Recovery, life span) {
	t.Helper()
	from, to := r.Effective, r.Recovered
	if r.Impact != 0 && r.Impact < from {
		from = r.Impact
	}
	switch r.State {
	case Absorbed:
		to = r.Cleared
	case Censored:
		to = life.to
	}
	touched, lost, late := 0, 0, 0
	for i := range n.in.Records {
		rec := n.in.Records[i]
		disjoint := rec.Due > to || max(rec.End, rec.Due) < from
		if disjoint {
			continue
		}
		touched++
		if n.classes[i] == bad {
			if rec.Outcome == record.OK || rec.Outcome == record.Cancelled {
				late++
			} else {
				lost++
			}
		}
	}
	require.Equal(t, [3]int{touched, lost, late}, [3]int{r.Touched, r.Lost, r.Late})
}

// checkOrder is what must hold of any fault whatever happened.
func checkOrder(t *testing.T, r Recovery) {
	t.Helper()
	if r.Recovered != 0 {
		require.GreaterOrEqual(t, r.Recovered, r.Impact)
		require.GreaterOrEqual(t, *r.TTR, 0.0)
		if r.Recovered < r.Cleared {
			require.Zero(t, *r.Residual)
			if r.Mitigated != 0 { // never, where a pause of the load hid the calm until after cleared
				require.Equal(t, r.Recovered, r.Mitigated)
			}
		}
	}
	require.GreaterOrEqual(t, r.OutOfSLO, 0.0)
	require.LessOrEqual(t, r.Lost+r.Late, r.Touched)
}
