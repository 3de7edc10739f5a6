package render

import (
	"fmt"

	"github.com/brownout-dev/brownout/reports/result"
)

// calibrated says what the load generator measured of itself before the run; "" where it did not. That it
// failed to is among the reasons of the verdict.
func calibrated(r result.Result) string {
	c := r.Client.Calibration
	if c == nil || c.Failed != "" {
		return ""
	}
	text := fmt.Sprintf("The load generator measured a known stream first: TTFT error p99 %s, gap error p99 %s",
		seconds(c.TTFTError.P99), seconds(c.GapError.P99))
	if c.HeadroomKnown() {
		text += ", head-room " + factor(c.Headroom)
	}
	return text + "."
}

// calibratedFact is the same with everything that is known.
func calibratedFact(r result.Result) string {
	c := r.Client.Calibration
	switch {
	case c == nil:
		return ""
	case c.Failed != "":
		return "no: " + c.Failed
	}
	reads := fmt.Sprintf("reads %s chunks/s", rate(c.ChunksPerSecond))
	if c.HeadroomKnown() {
		reads += fmt.Sprintf(" of %s asked for, head-room %s", rate(c.Asked), factor(c.Headroom))
	}
	return fmt.Sprintf("on %s of a known stream, at most %s at a time: TTFT error %s (p50), %s (p99), %s (max); gap error %s (p50), %s (p99), %s (max); %s; took %s",
		words(c.Streams, "copy", "copies"), count(c.Concurrent), seconds(c.TTFTError.P50), seconds(c.TTFTError.P99), seconds(c.TTFTError.Max),
		seconds(c.GapError.P50), seconds(c.GapError.P99), seconds(c.GapError.Max), reads, seconds(c.Seconds))
}

// injectorFact says what the fault machinery costs while no fault is on; "" where there is none.
func injectorFact(r result.Result) string {
	i := r.Injector
	if i == nil {
		return ""
	}
	text := "with no fault on: not in the path of requests"
	if i.InPath {
		text = "with no fault on: in the path of requests"
		if i.AddedTTFT != nil {
			text += fmt.Sprintf(", adds %s (p50), %s (p99) to a TTFT", seconds(i.AddedTTFT.P50), seconds(i.AddedTTFT.P99))
		}
		if i.AddedGap != nil {
			text += fmt.Sprintf(", %s (p50), %s (p99) to a gap", seconds(i.AddedGap.P50), seconds(i.AddedGap.P99))
		}
	}
	if i.IdleCores != nil {
		text += "; its process takes " + share(*i.IdleCores) + " of a core"
	}
	return text + fmt.Sprintf("; a call of its API takes %s (p50), %s (p99)", seconds(i.Call.P50), seconds(i.Call.P99))
}

// factor writes how many times.
func factor(v float64) string { return rate(v) + "x" }
