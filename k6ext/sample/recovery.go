package sample

import (
	"strings"
	"time"

	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/k6ext/recovery"
)

// Recoveries are the samples of a test's faults; a Label that is a *metrics.TagSet gives their tags.
// An absorbed fault has no time to recovery, which is not one of zero; and one that was not seen to
// recover has none either, which is why thresholds need the rate beside it.
func (m *Metrics) Recoveries(faults []recovery.Recovery, now time.Time) metrics.Samples {
	var out metrics.Samples
	for i := range faults {
		f := &faults[i]
		tags, ok := f.Label.(*metrics.TagSet)
		if !ok {
			continue
		}
		tags = tags.With("fault", f.Kind).With("state", string(f.State))
		if len(f.Targets) > 0 {
			tags = tags.With("target", strings.Join(f.Targets, ","))
		}
		add := func(metric *metrics.Metric, v float64) {
			out = append(out, metrics.Sample{TimeSeries: metrics.TimeSeries{Metric: metric, Tags: tags}, Time: now, Value: v})
		}
		seconds := func(metric *metrics.Metric, s *float64) {
			if s != nil {
				add(metric, *s*1000)
			}
		}
		unrecovered := 0.0
		if f.Unrecovered() {
			unrecovered = 1
		}
		add(m.Faults, 1)
		add(m.Unrecovered, unrecovered)
		seconds(m.TTR, f.TTR)
		seconds(m.TTM, f.TTM)
		seconds(m.Residual, f.Residual)
		if f.Effective != 0 {
			seconds(m.OutOfSLO, &f.OutOfSLO)
		}
	}
	return out
}
