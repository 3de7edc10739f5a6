package compare

import (
	"math"
	"slices"
)

// item is one value, or w equal ones, of one unit.
type item struct {
	value  float64
	unit   int
	weight int
}

// field is all values of one metric with the unit (a stretch of one run) each belongs to. It answers
// quantiles of any choice of units without sorting again.
type field struct {
	items []item  // sorted by value
	cap   float64 // stands for +∞: above every finite value
	units int
	count []int   // values a unit
	cells []int   // first item of each cell; one more at the end
	below [][]int // per cell: values before it, by unit
}

// cells of about this many are enough: bisection over them costs as much as the walk inside one.
const fieldCells = 256

// newField takes the items over; +∞ becomes a value twice the largest finite one. A test on ranks does not
// mind, and differences stay numbers.
func newField(items []item, units int) *field {
	f := &field{items: items, units: units, count: make([]int, units)}
	for _, it := range items {
		if !math.IsInf(it.value, 1) {
			f.cap = max(f.cap, it.value)
		}
		f.count[it.unit] += it.weight
	}
	f.cap = max(2*f.cap, 1)
	for i := range items {
		if math.IsInf(items[i].value, 1) {
			items[i].value = f.cap
		}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	size := max(1, (len(items)+fieldCells-1)/fieldCells)
	sum := make([]int, units)
	for i := 0; i < len(items); i += size {
		f.cells = append(f.cells, i)
		f.below = append(f.below, slices.Clone(sum))
		for _, it := range items[i:min(i+size, len(items))] {
			sum[it.unit] += it.weight
		}
	}
	f.cells = append(f.cells, len(items))
	return f
}

// of is how many values a choice has; times says how often each unit is in it.
func (f *field) of(times []int) int { return dot(f.count, times) }

// quantile is the nearest-rank quantile ⌈q·n⌉ of a choice of units; ok is false when it is empty.
func (f *field) quantile(q float64, times []int) (v float64, ok bool) {
	n := f.of(times)
	if n == 0 {
		return 0, false
	}
	rank := min(n, max(1, int(math.Ceil(q*float64(n)-1e-9))))
	lo, hi := 0, len(f.below) // the last cell with fewer than rank values before it
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; dot(f.below[mid], times) < rank {
			lo = mid
		} else {
			hi = mid
		}
	}
	seen := dot(f.below[lo], times)
	for _, it := range f.items[f.cells[lo]:f.cells[lo+1]] {
		if seen += it.weight * times[it.unit]; seen >= rank {
			return it.value, true
		}
	}
	return f.cap, true // not reached: the ranks before the next cell are all in this one
}

func dot(a, b []int) int {
	s := 0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
