// Package saturate finds the highest rate at which a target keeps its SLO. The search decides from the
// probes so far what to probe next and when enough is known; the rest of the package turns a rate into a
// scenario, a finished run into a probe, and carries the probes out one after another.
//
// What may not live here: sending load, judging single runs, files and their schema (reports/saturation).
package saturate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Bounds of a search.
const (
	growth    = 2.0  // from one rate to the next while nothing fails
	lowest    = 0.05 // requests/s: below it no probe of bearable length says anything
	tries     = 3    // of one rate: an unknown is repeated twice
	precision = 1.10 // highest over lowest rate of the interval at which the search is content
	fewest    = 6    // probes before it may be: growth is cheap and shows what a quiet target is like
	certainty = 0.97 // of the credible interval; see posterior
	claimed   = 0.95 // what is said of it: a search stops when the interval looks narrow, and that costs certainty
)

// Config bounds a search. Every field is above zero.
type Config struct {
	From   float64       // first rate, requests/s
	Max    float64       // never more than this
	Probes int           // at most, repeats included
	Time   time.Duration // no probe begins later
}

// Probe is one finished probe as the search sees it.
type Probe struct {
	Rate    float64     // requests/s that were due
	Verdict slo.Verdict // pass: inside the SLO
	Word    string      // of an unknown: "client-limited", "simulator-limited" …
}

// Status says how a search ended.
type Status string

// Ends of a search.
const (
	Found      Status = "found"      // the interval is as narrow as asked for
	AtLeast    Status = "at-least"   // no rate failed: the maximum, or what could be measured, was reached first
	AtMost     Status = "at-most"    // no rate passed
	Unfinished Status = "unfinished" // bracketed, but probes, time or trust ran out first: the interval is wide
	Nothing    Status = "nothing"    // not one probe could be judged
)

// Decision is what a search makes of the probes so far.
type Decision struct {
	Done bool
	Next float64 // the rate to probe, when not done
	Why  string  // "first", "grow", "shrink", "repeat", "below", "narrow"; done: one sentence

	Status Status // when done
	Estimate
}

// Estimate is where the highest rate inside the SLO lies, in requests/s; zero = not known.
type Estimate struct{ Best, Low, High float64 }

// Next decides from the probes so far, oldest first, of a search that has lasted for elapsed. It is a
// pure function. A probe that cannot be judged sends the search below it while nothing has failed yet; else it is repeated at most
// twice, and after that no rate as high is tried. Rates grow (or shrink) by a
// factor of two until both a pass and a fail are known; then each probe is where an answer tells most,
// the posterior median. In logarithms that bisects, and once the bracket is as narrow as the noise it
// probes its edges again and again: a fail below an earlier pass draws the next probe to itself, and
// answers that contradict each other widen the interval.
func (c Config) Next(done []Probe, elapsed time.Duration) Decision {
	high, low := edges(done)
	failed := !math.IsInf(low, 1)
	d := Decision{Estimate: estimate(done, high > 0, failed)}
	n := len(done)
	if n > 0 && done[n-1].Verdict == slo.Unknown {
		wall := done[n-1].Rate
		switch {
		case !failed && wall > high*precision && high > 0:
			d.Next, d.Why = math.Sqrt(high*wall), "below" // a rate that can be judged tells more than the same one again
		case unknowns(done) < tries:
			d.Next, d.Why = wall, "repeat"
		default:
			return d.end(c, high > 0, failed, fmt.Sprintf("a probe at %.4g/s could not be judged %d times (%s)", done[n-1].Rate, tries, done[n-1].Word))
		}
	} else {
		wall := ceiling(done)
		switch {
		case n == 0:
			d.Next, d.Why = c.From, "first"
		case !failed && high*growth < wall:
			d.Next, d.Why = high*growth, "grow"
		case !failed && high*precision < wall:
			d.Next, d.Why = math.Sqrt(high*wall), "below"
		case !failed:
			return d.end(c, true, false, fmt.Sprintf("probes at %.4g/s and more could not be judged (%s)", wall, word(done)))
		case high == 0:
			d.Next, d.Why = low/growth, "shrink"
		default:
			d.Next, d.Why = d.Best, "narrow"
		}
	}
	switch {
	case high > 0 && failed && d.High <= d.Low*precision && len(done) >= fewest:
		return d.end(c, true, true, "")
	case !failed && high >= c.Max*0.97: // the drawn arrivals of a probe are not exactly as many as asked for
		return d.end(c, true, false, fmt.Sprintf("%.4g/s is the highest rate allowed", c.Max))
	case d.Next < lowest:
		return d.end(c, false, true, fmt.Sprintf("no rate down to %.4g/s holds", low))
	case len(done) >= c.Probes:
		return d.end(c, high > 0, failed, fmt.Sprintf("%d probes were made", len(done)))
	case elapsed >= c.Time:
		return d.end(c, high > 0, failed, fmt.Sprintf("the search was given %v", c.Time))
	}
	d.Next = min(d.Next, c.Max)
	return d
}

// edges are the highest rate that passed (0: none) and the lowest that failed (infinite: none). Where
// answers contradict each other the first is above the second.
func edges(done []Probe) (pass, fail float64) {
	fail = math.Inf(1)
	for _, p := range done {
		switch p.Verdict {
		case slo.Pass:
			pass = max(pass, p.Rate)
		case slo.Fail:
			fail = min(fail, p.Rate)
		case slo.Unknown:
		}
	}
	return pass, fail
}

// ceiling is the lowest rate above every pass that was given up as not to be judged; infinite without one.
func ceiling(done []Probe) float64 {
	wall := math.Inf(1)
	for i := range done {
		if unknowns(done[:i+1]) >= tries {
			wall = min(wall, done[i].Rate)
		}
	}
	return wall
}

// word is why the newest probe that could not be judged could not.
func word(done []Probe) string {
	for _, p := range slices.Backward(done) {
		if p.Verdict == slo.Unknown {
			return p.Word
		}
	}
	return ""
}

// unknowns counts the newest probes that could not be judged, without a judged one between them.
func unknowns(done []Probe) int {
	n := 0
	for i := len(done) - 1; i >= 0 && done[i].Verdict == slo.Unknown; i-- {
		n++
	}
	return n
}

// end closes the search for a reason; none when it found what it looked for.
func (d Decision) end(c Config, passed, failed bool, why string) Decision {
	d.Done, d.Next, d.Why = true, 0, why
	switch {
	case !passed && !failed:
		d.Status = Nothing
	case !failed:
		d.Status = AtLeast
	case !passed:
		d.Status = AtMost
	case why == "":
		d.Status, d.Why = Found, "the interval is narrow enough"
	default:
		d.Status = Unfinished
	}
	d.Best, d.High = min(d.Best, c.Max), min(d.High, c.Max)
	return d
}
