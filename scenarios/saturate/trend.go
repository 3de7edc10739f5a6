package saturate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Limits of growth. Past saturation more requests come than leave, whatever the limits still say: the
// queue only had no time yet.
const (
	pileUp   = 0.05 // of the arrivals, beyond one standard deviation of their Poisson count
	slowdown = 2.0  // median of the last third over the first, and
	slowPart = 0.1  // by more than this part of the limit
)

// trendOf measures the requests in [at, at+length) from start.
func trendOf(records []record.Record, start event.Time, at, length time.Duration) saturation.Trend {
	from := start.Add(at)
	third := length / 3
	var t saturation.Trend
	var open [3]float64 // seconds of open requests, by third
	var latency [3][]float64
	for i := range records {
		r := &records[i]
		if r.Due == 0 {
			continue
		}
		until := r.End
		if until == 0 {
			until = from.Add(length)
		}
		for k := range open {
			a, b := from.Add(time.Duration(k)*third), from.Add(time.Duration(k+1)*third)
			open[k] += max(0, min(until, b).Sub(max(r.Due, a)).Seconds())
		}
		if r.Due < from || r.Due >= from.Add(length) {
			continue
		}
		t.Due++
		if d, ok := speed(r); ok {
			k := min(2, int(r.Due.Sub(from)/third))
			latency[k] = append(latency[k], d.Seconds())
		}
	}
	// The middles of both thirds are two thirds of the phase apart.
	t.PiledUp = (open[2] - open[0]) / third.Seconds() * 1.5
	t.First, t.Last = median(latency[0]), median(latency[2])
	return t
}

func speed(r *record.Record) (time.Duration, bool) {
	if r.Outcome != record.OK && r.Outcome != record.Degraded {
		return 0, false
	}
	if r.Streaming {
		return r.TTFT()
	}
	return r.E2E()
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// grows says why the load of a probe cannot last, or nothing. limits are the scenario's.
func grows(t saturation.Trend, limits slo.Limits, streams bool) string {
	if most := pileUp*float64(t.Due) + math.Sqrt(float64(t.Due)); t.PiledUp > most {
		return fmt.Sprintf("%.0f of %d requests piled up, %.0f may", t.PiledUp, t.Due, most)
	}
	limit, what := limits.TTFT, "ttft"
	if !streams {
		limit, what = limits.E2E, "e2e"
	}
	if limit <= 0 {
		limit = time.Second
	}
	if t.First > 0 && t.Last > slowdown*t.First && t.Last-t.First > slowPart*limit.Seconds() {
		return fmt.Sprintf("the median %s grew from %.3g s to %.3g s", what, t.First, t.Last)
	}
	return ""
}
