package series

import (
	"math"
	"slices"

	"github.com/brownout-dev/brownout/reports/slo"
)

// Range is an interval that holds the true value with at least Confidence, whatever the distribution.
type Range struct {
	Lower      float64 `json:"lower"`
	Upper      Bound   `json:"upper"`
	Confidence float64 `json:"confidence"` // reached: at least 95 %
}

// medianRange is the order-statistic interval of the median: the r-th shortest and the r-th longest of n
// waits hold it between them with confidence 1 − 2·P(B < r), B binomial with n and ½, for each wait is
// on either side of the median with equal chance (David and Nagaraja, Order Statistics, 3rd ed. 2003,
// section 7.1). r is the largest that keeps 95 %. Fewer than 6 waits cannot: nil.
//
// A wait that was given up is as long as it was watched for the lower end, and endless for the upper one.
func medianRange(waits []wait) *Range {
	r, confidence := medianRank(len(waits))
	if r == 0 {
		return nil
	}
	low, high := make([]float64, len(waits)), make([]float64, len(waits))
	for i, w := range waits {
		low[i], high[i] = w.seconds, w.seconds
		if !w.over {
			high[i] = math.Inf(1)
		}
	}
	slices.Sort(low)
	slices.Sort(high)
	out := Range{Lower: low[r-1], Upper: Bound{Seconds: high[len(high)-r]}, Confidence: confidence}
	if math.IsInf(out.Upper.Seconds, 1) {
		out.Upper = Bound{Seconds: low[len(low)-r], Above: true}
	}
	return &out
}

// medianRank is the largest r for which the r-th shortest and the r-th longest of n hold the median with
// 95 % confidence, and the confidence reached; 0 where none does.
func medianRank(n int) (r int, confidence float64) {
	const tail = (1 - slo.Confidence) / 2
	below := 0.0 // P(B < k+1)
	for k := 0; 2*k < n-1; k++ {
		below += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
		if below > tail {
			break
		}
		r, confidence = k+1, 1-2*below
	}
	return r, confidence
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
