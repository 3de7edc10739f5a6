package compare

import (
	"math"

	"github.com/brownout-dev/brownout/reports/result"
)

// minBlocks is how many blocks a phase keeps at least: fewer cannot be exchanged in enough ways.
const minBlocks = 6

// maxBlocks bounds the work of an hour-long phase.
const maxBlocks = 600

// blockLength is how many seconds stay together: twice the time after which seconds are about independent,
// (1+r)/(1−r) with r their correlation with the second before (the integrated autocorrelation time of an
// AR(1) process, Sokal 1997), where r is more than noise; twice, for the ends of neighbours still correlate. Paired plans look at the difference of the sides.
func blockLength(k kind, runs []run, phases []string, paired bool) int {
	p := newPlan(runs, phases, paired, 1)
	series := p.series(k)
	num, den, n, shortest, longest := 0.0, 0.0, 0, math.MaxInt, 0
	for _, s := range series {
		shortest, longest = min(shortest, len(s)), max(longest, len(s))
		mean := 0.0
		for _, v := range s {
			mean += v / float64(len(s))
		}
		for i, v := range s {
			den += (v - mean) * (v - mean)
			if i > 0 {
				num += (v - mean) * (s[i-1] - mean)
				n++
			}
		}
	}
	length := 1
	if den > 0 && n > 0 {
		r := num/den + float64(len(series))/float64(n) // a mean taken from the data pulls r down by 1/n
		if r > 2/math.Sqrt(float64(n)) {
			r = min(r, 0.95)
			length = int(math.Ceil(2 * (1 + r) / (1 - r)))
		}
	}
	length = max(length, longest/maxBlocks)
	return max(1, min(length, shortest/minBlocks))
}

// series is the metric second by second, of each run, or of each pair of runs their difference.
func (p *plan) series(k kind) [][]float64 {
	value := make([]float64, len(p.units))
	known := make([]bool, len(p.units))
	p.each(func(b *result.BlockSamples, u int) { value[u], known[u] = k.second(b) })
	of := map[[2]int][]float64{} // by run and phase
	if !p.paired {
		for i, u := range p.units {
			if known[i] {
				of[[2]int{u.run, u.phase}] = append(of[[2]int{u.run, u.phase}], value[i])
			}
		}
	} else {
		for _, units := range p.strata {
			var sum [2]float64
			var n [2]int
			for _, u := range units {
				if known[u] {
					sum[p.runs[p.units[u].run].side] += value[u]
					n[p.runs[p.units[u].run].side]++
				}
			}
			if n[0] > 0 && n[1] > 0 {
				first := p.units[units[0]]
				key := [2]int{first.run, first.phase}
				of[key] = append(of[key], sum[1]/float64(n[1])-sum[0]/float64(n[0]))
			}
		}
	}
	var out [][]float64
	for i := range p.runs {
		for f := range p.phases {
			if s := of[[2]int{i, f}]; len(s) > 2 {
				out = append(out, s)
			}
		}
	}
	return out
}

// second is one second's mean over what did not fail, or its share of bad requests.
func (k kind) second(b *result.BlockSamples) (float64, bool) {
	if k.q == 0 {
		return 1 - float64(b.Good)/float64(max(b.Judged, 1)), b.Judged > 0
	}
	sum, n := 0.0, 0
	k.items(b, 0, func(it item) {
		if !math.IsInf(it.value, 1) {
			sum += it.value * float64(it.weight)
			n += it.weight
		}
	})
	return sum / float64(max(n, 1)), n > 0
}
