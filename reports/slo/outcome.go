package slo

import (
	"slices"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

// class is what a request counts as.
type class uint8

const (
	good     class = iota
	bad            // failed or past a limit
	expected       // an outcome the SLO asks for (a flooder's 429): right, but no sample of latency
	excluded       // unfinished inside every limit when the drain ended: nobody knows
	planned        // cancelled by the plan inside every limit: neither good nor bad
)

// counted reports whether the request is in the denominator of shares.
func (c class) counted() bool { return c == good || c == bad || c == expected }

// classify says what the request counts as and, for a bad one, when it hurt. The stamp of the load
// generator is taken where there is one: only it saw the gaps. Without one the limits are applied here,
// so a generator that does not stamp cannot make late requests good.
func (s *Spec) classify(r *record.Record) (c class, harmed event.Time) {
	limits, wanted := s.promised(r)
	mayDegrade := s.DegradedIsGood || slices.Contains(wanted, record.Degraded)
	served := r.Outcome == record.OK || (r.Outcome == record.Degraded && mayDegrade)
	if !served && r.Outcome != record.Degraded && slices.Contains(wanted, r.Outcome) {
		return expected, 0
	}
	harmed = r.Harmed
	if harmed == 0 {
		harmed, _ = limits.Harm(r, 0)
	}
	switch {
	case harmed != 0:
		return bad, harmed
	case served:
		return good, 0
	case r.Outcome == record.Cancelled:
		return planned, 0
	case r.Outcome == record.Unfinished:
		return excluded, 0
	default:
		return bad, over(r) // degraded, where that is not good
	}
}
