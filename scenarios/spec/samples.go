package spec

import "github.com/brownout-dev/brownout/reports/slo"

// maxCounted is beyond what misses is asked for: from there on the bounds lie within 0.02 % of the share
// itself, and the judge's arithmetic takes time that grows with the root of n.
const maxCounted = 1_000_000

// misses is the most of n samples that may lie past a percentile gate's limit (p as a share, 0.99) so that
// the gate still passes, by the judge's own arithmetic; −1 when not even none of them may.
func misses(n int, p float64) int {
	passes := func(k int) bool {
		lower, _ := slo.ClopperPearson(n-k, n, slo.Confidence)
		return lower >= p
	}
	low, high := -1, n // a sample of which everything is past the limit never passes
	for high-low > 1 {
		mid := low + (high-low)/2
		if passes(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
