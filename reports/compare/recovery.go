package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/brownout-dev/brownout/reports/slo"
)

// recoveryTrials is how many runs a side the recovery numbers need to be judged: a run gives one of each,
// and with four a side no rank test reaches 5 % twice over.
const recoveryTrials = 5

// compareRecovery compares ttr and out_of_slo of each fault, one value a run: medians, a permutation of whole
// runs on the sum of ranks (Wilcoxon 1945), the interval of the shift by order statistics of all pairwise
// differences (Hodges and Lehmann 1963). An absorbed fault has a ttr of zero here, a censored one infinity:
// ranks take both. With fewer runs the numbers are shown and not judged.
func compareRecovery(a, b Side, c Config) []Metric {
	out := []Metric{}
	for i, f := range a.Trials[0].Faults {
		for _, what := range []struct {
			name string
			of   func(Recovery) (float64, bool)
		}{
			{"ttr", timeToRecover},
			{"out_of_slo", func(r Recovery) (float64, bool) { return r.OutOfSLO, r.State != slo.Unproven }},
		} {
			va, vb := faultValues(a, i, what.of), faultValues(b, i, what.of)
			if len(va) == 0 || len(vb) == 0 {
				continue
			}
			rng := rand.New(rand.NewPCG(c.Seed, uint64(i)<<40|uint64(len(out))))
			out = append(out, weighRecovery(f.Fault, what.name, va, vb, c, rng))
		}
	}
	return out
}

func timeToRecover(r Recovery) (float64, bool) {
	switch {
	case r.State == slo.Absorbed:
		return 0, true
	case r.State == slo.Censored:
		return math.Inf(1), true
	case r.TTR != nil:
		return *r.TTR, true
	}
	return 0, false
}

func faultValues(s Side, fault int, of func(Recovery) (float64, bool)) (out []float64) {
	for _, t := range s.Trials {
		if fault < len(t.Faults) {
			if v, ok := of(t.Faults[fault]); ok {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return out
}

func weighRecovery(fault, name string, va, vb []float64, c Config, rng *rand.Rand) Metric {
	ma, mb := median(va), median(vb)
	m := Metric{Scope: fault, Name: name, NA: len(va), NB: len(vb), A: finite(ma), B: finite(mb), PBlocks: 1, PRuns: 1, P: 1}
	m.Effect = c.Min.Recovery
	if !math.IsInf(ma, 1) {
		m.Effect = max(m.Effect, c.Min.Relative*ma)
	}
	switch {
	case math.IsInf(ma, 1) && math.IsInf(mb, 1):
	case math.IsInf(mb, 1):
		m.worse = math.Inf(1)
	case math.IsInf(ma, 1):
		m.worse = math.Inf(-1)
	default:
		m.Difference = mb - ma
		m.worse = m.Difference
	}
	if min(len(va), len(vb)) < recoveryTrials {
		m.Shown, m.Answer = true, Unknown
		m.Why, m.NeedRuns = "it takes five runs a side", recoveryTrials
	} else {
		m.PRuns = rankP(va, vb, c.Permutations, rng)
		m.PBlocks, m.P = m.PRuns, m.PRuns
		m.noiseKnown = true // the ranks carry it
		m.Low, m.High = shiftInterval(va, vb)
	}
	return m
}

func finite(v float64) float64 {
	if math.IsInf(v, 1) {
		return slo.Infinite
	}
	return v
}

// median is the lower one of an even number: infinity has no middle.
func median(sorted []float64) float64 { return sorted[(len(sorted)-1)/2] }

// rankP is the two-sided permutation p-value of the sum of ranks; ties share the mean of theirs.
func rankP(va, vb []float64, rounds int, rng *rand.Rand) float64 {
	all := slices.Concat(va, vb)
	slices.Sort(all)
	rank := func(v float64) float64 {
		first, _ := slices.BinarySearch(all, v)
		last := first
		for last < len(all) && all[last] == v {
			last++
		}
		return float64(first+last-1)/2 + 1
	}
	ranks := make([]float64, 0, len(all))
	for _, v := range slices.Concat(va, vb) {
		ranks = append(ranks, rank(v))
	}
	expected := float64(len(va)) * float64(len(all)+1) / 2
	off := func() float64 {
		s := -expected
		for _, r := range ranks[:len(va)] {
			s += r
		}
		return math.Abs(s)
	}
	observed, extreme := off(), 0
	for range rounds {
		rng.Shuffle(len(ranks), func(i, j int) { ranks[i], ranks[j] = ranks[j], ranks[i] })
		if off() >= observed-1e-9 {
			extreme++
		}
	}
	return float64(1+extreme) / float64(1+rounds)
}

// shiftInterval is the 95 % interval of b − a by order statistics of the pairwise differences, with the
// normal approximation of the rank sum (Hollander and Wolfe, section 4.3); nil where infinity is in it.
func shiftInterval(va, vb []float64) (low, high *float64) {
	var d []float64
	for _, x := range va {
		for _, y := range vb {
			if math.IsInf(x, 1) && math.IsInf(y, 1) {
				d = append(d, 0)
			} else {
				d = append(d, y-x)
			}
		}
	}
	slices.Sort(d)
	na, nb := float64(len(va)), float64(len(vb))
	k := int(math.Floor(na*nb/2 - 1.959964*math.Sqrt(na*nb*(na+nb+1)/12)))
	k = max(k, 0)
	lo, hi := d[k], d[len(d)-1-k]
	if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return nil, nil
	}
	return &lo, &hi
}
