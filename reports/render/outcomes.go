package render

import (
	"maps"
	"slices"

	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
)

// outcomes is a table: one row an outcome that occurred, one column a phase.
type outcomes struct {
	Phases []string
	Rows   []outcomeRow
}

type outcomeRow struct {
	Word   string
	Counts []int
	Total  int
	Share  float64 // of all requests
	Ok     bool
}

func newOutcomes(r result.Result) outcomes {
	var out outcomes
	seen := map[string]int{}
	all := 0
	for _, p := range r.Judgement.Phases {
		out.Phases = append(out.Phases, p.Name)
		for word, n := range p.Outcomes {
			seen[word] += n
			all += n
		}
	}
	for _, word := range slices.SortedFunc(maps.Keys(seen), byOutcome) {
		if seen[word] == 0 {
			continue
		}
		row := outcomeRow{Word: word, Total: seen[word], Share: float64(seen[word]) / float64(all), Ok: word == record.OK.String()}
		for _, p := range r.Judgement.Phases {
			row.Counts = append(row.Counts, p.Outcomes[word])
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// byOutcome sorts in the order outcomes are defined in; words of a newer version come last.
func byOutcome(a, b string) int {
	rank := func(word string) int {
		if o, ok := record.ParseOutcome(word); ok {
			return int(o)
		}
		return int(record.NumOutcomes)
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	if a < b {
		return -1
	}
	return 1
}
