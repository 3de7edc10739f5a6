package series

import (
	"slices"

	"github.com/brownout-dev/brownout/reports/slo"
)

// percentileTrials is how many felt trials a percentile of TTR needs: below, it would be the longest wait
// by another name.
const percentileTrials = 10

// Recoveries is one fault over the trials of a variant. Seconds.
//
// Each trial is one of: absorbed, recovered, censored (felt, and not over when we stopped looking), unseen
// (not felt as far as the run shows, which is not far enough to call it absorbed), unproven, distrusted.
// Only the first three are in shares; only recovered and censored ones, which users felt, are in times.
type Recoveries struct {
	Fault      string `json:"fault"` // as planned in the first trial
	Kind       string `json:"kind"`
	Trials     int    `json:"trials"`
	Absorbed   int    `json:"absorbed"` // apart: not a TTR of zero
	Recovered  int    `json:"recovered"`
	Censored   int    `json:"censored"`
	Unseen     int    `json:"unseen"`
	Unproven   int    `json:"unproven"`
	Distrusted int    `json:"distrusted"`

	AbsorbedShare *Share `json:"absorbed_share,omitempty"`
	// MTTR is the mean TTR of the recovered ones. Where some are censored it says nothing about all.
	MTTR *float64 `json:"mttr_s,omitempty"`
	// AtLeast is the mean with each censored one as long as it was watched: the true mean is above it.
	AtLeast     *float64 `json:"mttr_above_s,omitempty"`
	Median      *Bound   `json:"ttr_median,omitempty"`       // Kaplan-Meier
	MedianRange *Range   `json:"ttr_median_range,omitempty"` // by order statistics; absent below 6
	P90         *Bound   `json:"ttr_p90,omitempty"`          // Kaplan-Meier; absent below 10
	Longest     *Bound   `json:"ttr_max,omitempty"`

	TTD      Numbers `json:"ttd"`
	TTM      Numbers `json:"ttm"`
	Residual Numbers `json:"residual"`
	OutOfSLO Numbers `json:"out_of_slo"`    // of those that users felt
	Burned   Numbers `json:"budget_burned"` // shares of the error budget; absorbed ones included
	Relapsed int     `json:"relapsed"`      // trials
	Relapses int     `json:"relapses_max"`
}

// Share is k of n with its Clopper-Pearson bounds at 95 %.
type Share struct {
	Got   float64 `json:"got"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// Numbers is a few numbers in short; all zero without any.
type Numbers struct {
	N      int     `json:"n"`
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func newNumbers(values []float64) Numbers {
	n := len(values)
	if n == 0 {
		return Numbers{}
	}
	sorted, sum := slices.Sorted(slices.Values(values)), 0.0
	for _, v := range sorted {
		sum += v
	}
	return Numbers{N: n, Mean: sum / float64(n), Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// recoveries takes the i-th fault of every trial together.
func recoveries(trials []Trial, i int) Recoveries {
	r := Recoveries{Trials: len(trials)}
	var waits []wait
	var ttr, watched, ttd, ttm, residual, out, burned []float64
	for k := range trials {
		t := &trials[k]
		if i >= len(t.Faults) {
			r.Unproven++
			continue
		}
		f := &t.Faults[i]
		if r.Kind == "" {
			r.Fault, r.Kind = f.Fault, f.Kind
		}
		if !r.tally(t.Trusted, f) {
			continue
		}
		ttd, burned = known(ttd, f.TTD), known(burned, f.Burn)
		if f.State == slo.Absorbed {
			continue
		}
		ttm, residual = known(ttm, f.TTM), known(residual, f.Residual)
		out = append(out, f.OutOfSLO)
		if r.Relapses = max(r.Relapses, f.Relapses); f.Relapses > 0 {
			r.Relapsed++
		}
		w := wait{seconds: f.Observed}
		if f.TTR != nil {
			w = wait{seconds: *f.TTR, over: true}
			ttr = append(ttr, w.seconds)
		}
		waits, watched = append(waits, w), append(watched, w.seconds)
	}
	r.TTD, r.TTM, r.Residual = newNumbers(ttd), newNumbers(ttm), newNumbers(residual)
	r.OutOfSLO, r.Burned = newNumbers(out), newNumbers(burned)
	if n := r.Absorbed + r.Felt(); n > 0 {
		s := Share{Got: float64(r.Absorbed) / float64(n)}
		s.Lower, s.Upper = slo.ClopperPearson(r.Absorbed, n, slo.Confidence)
		r.AbsorbedShare = &s
	}
	r.times(waits, ttr, watched)
	return r
}

// Felt is the trials whose users felt the fault.
func (r *Recoveries) Felt() int { return r.Recovered + r.Censored }

// tally counts the trial, and reports whether its numbers count.
func (r *Recoveries) tally(trusted bool, f *Fault) bool {
	switch {
	case !trusted:
		r.Distrusted++
	case f.State == slo.Absorbed:
		r.Absorbed++
		return true
	case f.State == slo.Recovered && f.TTR != nil:
		r.Recovered++
		return true
	case f.State == slo.Censored && f.Felt:
		r.Censored++
		return true
	case f.State == slo.Censored:
		r.Unseen++
	default:
		r.Unproven++
	}
	return false
}

func (r *Recoveries) times(waits []wait, ttr, watched []float64) {
	if len(waits) == 0 {
		return
	}
	if len(ttr) > 0 {
		r.MTTR = new(newNumbers(ttr).Mean)
	}
	if r.Censored > 0 {
		r.AtLeast = new(newNumbers(watched).Mean)
	}
	r.Median, r.MedianRange = new(quantile(waits, 0.5)), medianRange(waits)
	if len(waits) >= percentileTrials {
		r.P90 = new(quantile(waits, 0.9))
	}
	r.Longest = &Bound{Seconds: newNumbers(watched).Max, Above: r.Censored > 0}
}

func known(list []float64, v *float64) []float64 {
	if v == nil {
		return list
	}
	return append(list, *v)
}
