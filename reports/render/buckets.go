package render

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// maxBuckets bounds the columns of a chart; a longer run has several seconds to a column.
const maxBuckets = 240

// bucket is a column of the charts: one second, or several of a long run. Counts are sums;
// percentiles are the worst second's, so that no peak is averaged away.
type bucket struct {
	slo.Second
	Length int // seconds
}

// buckets puts the seconds of a run into at most maxBuckets columns without gaps.
func buckets(series []slo.Second, end float64) []bucket {
	length := max(1, int(math.Ceil(end/maxBuckets)))
	n := int(math.Ceil(end / float64(length)))
	out := make([]bucket, n)
	for i := range out {
		out[i] = bucket{Second: slo.Second{At: i * length}, Length: length}
	}
	for _, s := range series {
		i := s.At / length
		if s.At < 0 || i >= n {
			continue
		}
		b := &out[i]
		b.Due += s.Due
		b.Good += s.Good
		b.Bad += s.Bad
		b.Tokens += s.Tokens
		b.TTFTP50, b.TTFTP99 = max(b.TTFTP50, s.TTFTP50), max(b.TTFTP99, s.TTFTP99)
		b.E2EP50, b.E2EP99 = max(b.E2EP50, s.E2EP50), max(b.E2EP99, s.E2EP99)
		b.ITLP50, b.ITLP99 = max(b.ITLP50, s.ITLP50), max(b.ITLP99, s.ITLP99)
	}
	return out
}

// curve reads one value of every bucket at the middle of its time; 0 means there was none.
func curve(all []bucket, value func(bucket) float64) []point {
	out := make([]point, len(all))
	for i, b := range all {
		v := value(b)
		if v <= 0 {
			v = math.NaN()
		}
		out[i] = point{T: float64(b.At) + float64(b.Length)/2, V: v}
	}
	return out
}

// lane is one kind of event over time.
type lane struct {
	Kind   event.Kind
	Total  int
	Counts map[int]int // by bucket
}

// maxLanes bounds the kinds that get a lane of their own.
const maxLanes = 10

// lanes counts what the system did, by kind and bucket, in order of first appearance. The fault's own
// stamps are drawn as lines already and are left out.
func lanes(r result.Result, length int) []lane {
	byKind := map[event.Kind]*lane{}
	first := map[event.Kind]event.Time{}
	for _, e := range r.Events {
		if strings.HasPrefix(string(e.Kind), "fault.") {
			continue
		}
		l := byKind[e.Kind]
		if l == nil {
			l = &lane{Kind: e.Kind, Counts: map[int]int{}}
			byKind[e.Kind], first[e.Kind] = l, e.At
		}
		l.Total++
		l.Counts[int(math.Floor(e.At.Sub(r.Start).Seconds()/float64(length)))]++
		first[e.Kind] = min(first[e.Kind], e.At)
	}
	kinds := slices.SortedFunc(maps.Keys(byKind), func(a, b event.Kind) int {
		return cmp.Or(cmp.Compare(first[a], first[b]), cmp.Compare(a, b))
	})
	var out []lane
	for i, k := range kinds {
		if i < maxLanes-1 || len(kinds) <= maxLanes {
			out = append(out, *byKind[k])
			continue
		}
		if i == maxLanes-1 {
			out = append(out, lane{Kind: "other", Counts: map[int]int{}})
		}
		last := &out[maxLanes-1]
		last.Total += byKind[k].Total
		for b, n := range byKind[k].Counts {
			last.Counts[b] += n
		}
	}
	return out
}
