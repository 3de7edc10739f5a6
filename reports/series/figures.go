package series

import (
	"slices"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Figures are what one trial's users got, over its judged phases. Rates are requests/s. Percentiles are
// seconds with failures as infinite, written -1; absent with too few samples.
type Figures struct {
	Sent      float64  `json:"sent_per_s"`
	Completed float64  `json:"completed_per_s"` // whole answers, late ones included
	Good      float64  `json:"good_per_s"`
	Lost      int      `json:"lost"` // not answered whole
	TTFTP50   *float64 `json:"ttft_p50_s,omitempty"`
	TTFTP99   *float64 `json:"ttft_p99_s,omitempty"`
	E2EP50    *float64 `json:"e2e_p50_s,omitempty"`
	E2EP99    *float64 `json:"e2e_p99_s,omitempty"`
	// E2EWhole is the median over whole answers alone: kind to a variant that answers few.
	E2EWhole *float64 `json:"e2e_p50_completed_s,omitempty"`
	TTR      *float64 `json:"ttr_s,omitempty"` // the longest of its faults
}

func newFigures(r result.Result) Figures {
	run := &r.Judgement.Run
	seconds := run.For.Seconds()
	whole := run.Availability * float64(run.Due)
	f := Figures{
		Sent: r.Load.Delivered, Lost: max(0, run.Due-int(whole+0.5)),
		TTFTP50: percentile(run.TTFT.WithFailures, "p50"), TTFTP99: percentile(run.TTFT.WithFailures, "p99"),
		E2EP50: percentile(run.E2E.WithFailures, "p50"), E2EP99: percentile(run.E2E.WithFailures, "p99"),
		E2EWhole: percentile(run.E2E.Completed, "p50"),
	}
	if seconds > 0 {
		f.Completed, f.Good = whole/seconds, float64(run.Good)/seconds
	}
	for i := range r.Judgement.Faults {
		if ttr := r.Judgement.Faults[i].TTR; ttr != nil && (f.TTR == nil || *ttr > *f.TTR) {
			f.TTR = new(*ttr)
		}
	}
	return f
}

func percentile(of map[string]float64, name string) *float64 {
	if v, ok := of[name]; ok {
		return new(v)
	}
	return nil
}

// Row is one number of every variant, side by side.
type Row struct {
	Name    string
	Share   bool // of 1
	Seconds bool
	Values  []Cell // in the order of the variants
}

// Cell is one variant's median. Ratio is to the first variant's; nil where that means nothing.
type Cell struct {
	Value *float64
	Ratio *float64
}

// figure is one row's place in a trial.
type figure struct {
	row Row
	of  func(*Trial) *float64
}

// figures are in the order in which they are read.
func figures() []figure {
	return []figure{
		{Row{Name: "goodput", Share: true}, func(t *Trial) *float64 { return new(t.Goodput) }},
		{Row{Name: "good requests/s"}, func(t *Trial) *float64 { return new(t.Figures.Good) }},
		{Row{Name: "completed requests/s"}, func(t *Trial) *float64 { return new(t.Figures.Completed) }},
		{Row{Name: "sent requests/s"}, func(t *Trial) *float64 { return new(t.Figures.Sent) }},
		{Row{Name: "TTFT p50", Seconds: true}, func(t *Trial) *float64 { return t.Figures.TTFTP50 }},
		{Row{Name: "TTFT p99", Seconds: true}, func(t *Trial) *float64 { return t.Figures.TTFTP99 }},
		{Row{Name: "E2E p50", Seconds: true}, func(t *Trial) *float64 { return t.Figures.E2EP50 }},
		{Row{Name: "E2E p99", Seconds: true}, func(t *Trial) *float64 { return t.Figures.E2EP99 }},
		{Row{Name: "E2E p50, completed", Seconds: true}, func(t *Trial) *float64 { return t.Figures.E2EWhole }},
		{Row{Name: "lost requests"}, func(t *Trial) *float64 { return new(float64(t.Figures.Lost)) }},
		{Row{Name: "TTR", Seconds: true}, func(t *Trial) *float64 { return t.Figures.TTR }},
	}
}

// Beside is the table of the variants: what users got, medians over the trials that can be trusted, or over
// all where a variant has none of those (see Doubtful). Empty for fewer than two variants; without a row
// that no variant has a number for.
func (s *Series) Beside() []Row {
	if len(s.Variants) < 2 {
		return nil
	}
	var out []Row
	for _, f := range figures() {
		row, some := f.row, false
		for k := range s.Variants {
			c := Cell{Value: median(s.Variants[k].counted(), f.of)}
			some = some || c.Value != nil
			if k > 0 {
				c.Ratio = ratio(c.Value, row.Values[0].Value)
			}
			row.Values = append(row.Values, c)
		}
		if some {
			out = append(out, row)
		}
	}
	return out
}

// Doubtful reports whether no trial of the variant can be trusted, so that its numbers may be the machine's.
func (v *Variant) Doubtful() bool {
	return len(v.Trials) > 0 && !slices.ContainsFunc(v.Trials, func(t Trial) bool { return t.Trusted })
}

// counted are the trials whose numbers are shown.
func (v *Variant) counted() (out []*Trial) {
	for i := range v.Trials {
		if t := &v.Trials[i]; t.Figures != nil && (t.Trusted || v.Doubtful()) {
			out = append(out, t)
		}
	}
	return out
}

// median is that of the trials that have the number; infinite ones are the largest. Of an even number of
// trials it is the mean of the middle two, or infinite.
func median(trials []*Trial, of func(*Trial) *float64) *float64 {
	var values []float64
	for _, t := range trials {
		if v := of(t); v != nil {
			values = append(values, *v)
		}
	}
	n := len(values)
	if n == 0 {
		return nil
	}
	slices.SortFunc(values, func(a, b float64) int {
		switch {
		case a == b:
			return 0
		case b == slo.Infinite, a != slo.Infinite && a < b:
			return -1
		}
		return 1
	})
	low, high := values[(n-1)/2], values[n/2]
	if high == slo.Infinite {
		return new(high)
	}
	return new((low + high) / 2)
}

func ratio(v, first *float64) *float64 {
	if v == nil || first == nil || *v == slo.Infinite || *first == slo.Infinite || *first == 0 {
		return nil
	}
	return new(*v / *first)
}
