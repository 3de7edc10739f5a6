package slo

import (
	"fmt"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/reports/record"
)

// Calibrated are the guards on what the load generator measured of itself before the run. The run is
// client-limited past any of them. An error is allowed up to the smaller of its own limit and a share
// of the tightest limit it could spoil: 5 ms are nothing beside a TTFT limit of 1 s and a quarter of one of 20 ms.
type Calibrated struct {
	TTFTErrorP99 time.Duration `json:"client_ttft_error_p99_ns,omitempty"` // of a first chunk's stamp
	GapErrorP99  time.Duration `json:"client_gap_error_p99_ns,omitempty"`  // of a gap between two chunks
	ErrorRel     float64       `json:"client_error_relative,omitempty"`    // of the tightest limit on TTFT or on gaps
	Headroom     float64       `json:"headroom,omitempty"`                 // least chunks/s that can be read ÷ asked for
}

// Defaults, chosen from calibrations of a two-core machine (docs/accuracy.md): with four busy threads a
// core the p99 errors lay between 0.7 and 15 ms and the head-room of 130 requests/s of 64 tokens at 7 or
// more; with eight a core the worst tenth lay above 23 ms, and the least head-room at 2.3.
const (
	DefaultTTFTErrorP99 = 20 * time.Millisecond // as long as an idle timer may be late
	DefaultGapErrorP99  = 20 * time.Millisecond // the same
	DefaultErrorRel     = 0.1                   // gates that leave less than a tenth are no gates
	DefaultHeadroom     = 2                     // past half of what can be read, chunks wait for each other
)

func (c *Calibrated) fill() {
	fill(&c.TTFTErrorP99, DefaultTTFTErrorP99)
	fill(&c.GapErrorP99, DefaultGapErrorP99)
	fill(&c.ErrorRel, DefaultErrorRel)
	fill(&c.Headroom, DefaultHeadroom)
}

// calibrated measures the calibration against its guards; nothing without one, or where it failed (then
// that is a problem of the run).
func (s *Spec) calibrated(c *record.Calibration) []GuardResult {
	if c == nil || c.Failed != "" {
		return nil
	}
	g := &s.Guards.Calibrated
	ttft, gap := s.ErrorLimits()
	all := []GuardResult{
		over99("client-limited", "client TTFT error p99", c.TTFTError.P99, ttft),
		over99("client-limited", "client gap error p99", c.GapError.P99, gap),
		{Word: "client-limited", Name: "client head-room", Got: c.Headroom, Limit: g.Headroom, Unit: UnitFactor,
			Tripped: c.Headroom < g.Headroom},
	}
	if !c.HeadroomKnown() {
		return all[:2]
	}
	return all
}

// UnitFactor is the unit of a guard whose number must be at least its limit, not at most.
const UnitFactor = "x"

// ErrorLimits are the limits that the guards on the client's errors apply to this spec, defaults filled in.
func (s *Spec) ErrorLimits() (ttft, gap time.Duration) {
	g := &s.Guards.Calibrated
	return g.errorLimit(g.TTFTErrorP99, s.tightest(s.Limits.TTFT, "ttft")), g.errorLimit(g.GapErrorP99, s.tightest(s.Limits.Gap, "itl"))
}

func (c *Calibrated) errorLimit(own, tightest time.Duration) time.Duration {
	if tightest <= 0 {
		return own
	}
	return min(own, time.Duration(c.ErrorRel*float64(tightest)))
}

// tightest is the shortest upper limit on a metric, per request or gated; 0 = none. TPOT is not looked
// at for gaps: it averages a whole answer, and its error is that of two stamps over all its gaps.
func (s *Spec) tightest(limit time.Duration, metric string) time.Duration {
	for _, g := range s.Gates {
		if g.Metric != metric || !strings.HasPrefix(g.Op, "<") {
			continue
		}
		if v := time.Duration(g.Value * float64(time.Second)); v > 0 && (limit == 0 || v < limit) {
			limit = v
		}
	}
	return limit
}

// headroomText is the head-room's guard as a sentence.
func (g *GuardResult) headroomText() string {
	return fmt.Sprintf("The load generator can read %s times the chunks that the plan asks for, and below %s times the numbers cannot be trusted; lower the rate or give it more cores.",
		trim(g.Got, precision(g.Got)), trim(g.Limit, 1))
}
