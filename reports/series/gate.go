package series

import (
	"fmt"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Metrics of gates over trials.
const (
	Absorption = "absorbed"   // share of trials that absorbed the fault
	Mean       = "mttr"       // seconds
	Median     = "median ttr" // seconds
)

// gates judges every gate over the variant's trials, for the worst of its faults.
func (v *Variant) gates(all []slo.Gate) {
	for _, g := range all {
		r := slo.GateResult{Gate: g, Verdict: slo.Unknown, Missing: true, Why: g.Text + ": no fault was injected, so there is nothing to recover from."}
		for i := range v.Faults {
			one := v.Faults[i].gate(g)
			if i == 0 || badness(one.Verdict) > badness(r.Verdict) {
				r = one
			}
		}
		v.Gates = append(v.Gates, r)
	}
}

func badness(v slo.Verdict) int {
	switch v {
	case slo.Pass:
		return 0
	case slo.Fail:
		return 2
	case slo.Unknown:
	}
	return 1
}

// gate judges one fault. What is estimated is compared by its bounds at 95 %, as percentile gates are:
// pass and fail only where both are on one side. A mean is compared as it is; where some trials never
// recovered it can break a limit, but not keep one.
func (r *Recoveries) gate(g slo.Gate) slo.GateResult {
	out := slo.GateResult{Gate: g, Verdict: slo.Unknown, Missing: true, N: r.Absorbed + r.Felt()}
	if out.N == 0 {
		out.Why = fmt.Sprintf("%s: no trial says anything about %s.", g.Text, r.Kind)
		return out
	}
	switch g.Metric {
	case Absorption:
		r.absorption(&out)
		return out
	case Mean, Median:
	default:
		out.Why = fmt.Sprintf("%s: there is no metric %q over trials; write mttr, median ttr or absorbed.", g.Text, g.Metric)
		return out
	}
	if out.N = r.Felt(); out.N == 0 {
		out.Verdict, out.Why = slo.Pass, fmt.Sprintf("%s: %s was absorbed in every trial.", g.Text, r.Kind)
		return out
	}
	if g.Metric == Mean {
		r.mean(&out)
	} else {
		r.median(&out)
	}
	return out
}

func (r *Recoveries) absorption(out *slo.GateResult) {
	s := r.AbsorbedShare
	out.Got, out.Missing, out.Share, out.Lower, out.Upper = s.Got, false, s.Got, s.Lower, s.Upper
	out.Verdict = bounded(s.Lower >= out.Value, s.Upper < out.Value)
	out.Why = fmt.Sprintf("%s: %s was absorbed in %d of %d trials, which is %s to %s at 95 %% confidence.",
		out.Text, r.Kind, r.Absorbed, out.N, slo.Percent(s.Lower), slo.Percent(s.Upper))
	if out.Verdict == slo.Unknown && r.Felt() == 0 {
		out.Why += fmt.Sprintf(" That takes %d trials.", slo.SamplesNeeded(out.Value, 0))
	}
}

func (r *Recoveries) mean(out *slo.GateResult) {
	switch {
	case r.Censored > 0:
		out.Got, out.Missing = *r.AtLeast, false
		out.Verdict = bounded(false, *r.AtLeast > out.Value)
		out.Why = fmt.Sprintf("%s: %d of %d felt trials did not recover from %s while we looked, so the mean is above %s.",
			out.Text, r.Censored, out.N, r.Kind, slo.Seconds(*r.AtLeast))
	default:
		out.Got, out.Missing = *r.MTTR, false
		out.Verdict = bounded(*r.MTTR <= out.Value, *r.MTTR > out.Value)
		out.Why = fmt.Sprintf("%s: the mean over %d felt trials of %s is %s.", out.Text, out.N, r.Kind, slo.Seconds(*r.MTTR))
	}
}

func (r *Recoveries) median(out *slo.GateResult) {
	out.Got, out.Missing = r.Median.Seconds, false
	if r.MedianRange == nil {
		out.Why = fmt.Sprintf("%s: %d felt trials of %s are too few to bound a median; 6 are needed.", out.Text, out.N, r.Kind)
		return
	}
	m := r.MedianRange
	out.Verdict = bounded(m.Upper.Seconds <= out.Value && !m.Upper.Above, m.Lower > out.Value)
	out.Why = fmt.Sprintf("%s: the median over %d felt trials of %s is between %s and %s at %s confidence.",
		out.Text, out.N, r.Kind, slo.Seconds(m.Lower), m.Upper, slo.Percent(m.Confidence))
}

func bounded(pass, fail bool) slo.Verdict {
	switch {
	case pass:
		return slo.Pass
	case fail:
		return slo.Fail
	}
	return slo.Unknown
}
