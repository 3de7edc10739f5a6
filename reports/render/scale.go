package render

import "math"

// scale maps a value onto a coordinate: value lo at pixel from, hi at pixel to.
type scale struct {
	lo, hi   float64
	from, to float64
	log      bool
}

func (s scale) at(v float64) float64 {
	v = min(max(v, s.lo), s.hi)
	share := (v - s.lo) / (s.hi - s.lo)
	if s.log {
		share = math.Log(v/s.lo) / math.Log(s.hi/s.lo)
	}
	return s.from + share*(s.to-s.from)
}

// niceStep is the smallest round step that cuts length into at most n parts.
func niceStep(length float64, n int) float64 {
	raw := length / float64(max(n, 1))
	if raw <= 0 || math.IsInf(raw, 0) || math.IsNaN(raw) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// timeStep is niceStep for clocks: seconds, then parts of minutes and hours.
func timeStep(length float64, n int) float64 {
	for _, step := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 12 * 3600} {
		if step*float64(n) >= length {
			return step
		}
	}
	return 24 * 3600
}

// ticks lists the multiples of step in [lo, hi].
func ticks(lo, hi, step float64) []float64 {
	var out []float64
	const most = 100
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi*(1+1e-9) && len(out) < most; i++ {
		out = append(out, i*step+0) // + 0 turns −0, which would be written "-0", into 0
	}
	return out
}

// logTicks lists 1, 2, 5 (or 1 alone, over more than three decades) times the powers of ten in [lo, hi].
func logTicks(lo, hi float64) []float64 {
	factors := []float64{1, 2, 5}
	switch decades := math.Log10(hi / lo); {
	case decades > 3:
		factors = factors[:1]
	case decades > 1.5:
		factors = []float64{1, 3}
	}
	var out []float64
	for exp := math.Floor(math.Log10(lo)); exp <= math.Ceil(math.Log10(hi)); exp++ {
		for _, f := range factors {
			if v := f * math.Pow(10, exp); v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				out = append(out, v)
			}
		}
	}
	return out
}

// latencyScale fits values of seconds; where they spread over more than a factor of 15 it is logarithmic.
func latencyScale(values []float64, from, to float64) scale {
	lo, hi := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if hi == 0 {
		return scale{lo: 0, hi: 1, from: from, to: to}
	}
	if hi/lo > 15 {
		return scale{lo: lo * 0.8, hi: hi * 1.25, from: from, to: to, log: true}
	}
	step := niceStep(hi*1.08, 4)
	return scale{lo: 0, hi: math.Ceil(hi*1.08/step) * step, from: from, to: to}
}

func (s scale) ticks(n int) []float64 {
	if s.log {
		return logTicks(s.lo, s.hi)
	}
	return ticks(s.lo, s.hi, niceStep(s.hi-s.lo, n))
}
