package series

import (
	"cmp"
	"slices"
)

// wait is how long one trial took to recover, or, where over is false, was watched in vain.
type wait struct {
	seconds float64
	over    bool
}

// Bound is a number of seconds, or what is all that is known of one: it is longer.
type Bound struct {
	Seconds float64 `json:"s"`
	Above   bool    `json:"above,omitempty"`
}

// quantile is the time by which the share p of all waits is over, by the product-limit estimate of the
// survival function (Kaplan and Meier 1958): S(t) = Π over times tᵢ ≤ t at which a wait was over of
// (1 − dᵢ/nᵢ), dᵢ being over at tᵢ and nᵢ not over before it. A wait that was given up at tᵢ counts among nᵢ.
//
// Where S is exactly 1 − p over a stretch, it is the middle of the stretch, as R's survfit has it; without
// censored waits and p = ½ that is the usual sample median. Where S never comes down to 1 − p, the
// quantile is above the longest wait.
func quantile(waits []wait, p float64) Bound {
	sorted := byLength(waits)
	const even = 1e-9 // S is a product of fractions
	survival := 1.0
	for i := 0; i < len(sorted); {
		t, over, here := sorted[i].seconds, 0, i
		for ; i < len(sorted) && sorted[i].seconds == t; i++ {
			if sorted[i].over {
				over++
			}
		}
		if over == 0 {
			continue
		}
		survival *= 1 - float64(over)/float64(len(sorted)-here)
		switch {
		case survival < 1-p-even:
			return Bound{Seconds: t}
		case survival <= 1-p+even:
			return flat(t, sorted[i:])
		}
	}
	if len(sorted) == 0 {
		return Bound{}
	}
	return Bound{Seconds: sorted[len(sorted)-1].seconds, Above: true}
}

// flat is the middle of a stretch of the curve that begins at t, before the waits of rest. Where no wait is
// seen to be over any more the next one was over no sooner than the first of them was given up.
func flat(t float64, rest []wait) Bound {
	if len(rest) == 0 {
		return Bound{Seconds: t}
	}
	for _, w := range rest {
		if w.over {
			return Bound{Seconds: (t + w.seconds) / 2}
		}
	}
	return Bound{Seconds: (t + rest[0].seconds) / 2, Above: true}
}

// byLength sorts; of two of the same length the one that was over comes first.
func byLength(waits []wait) []wait {
	sorted := slices.Clone(waits)
	slices.SortFunc(sorted, func(a, b wait) int {
		if c := cmp.Compare(a.seconds, b.seconds); c != 0 || a.over == b.over {
			return c
		}
		if a.over {
			return -1
		}
		return 1
	})
	return sorted
}
