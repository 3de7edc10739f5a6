package compare

import (
	"math"

	"github.com/brownout-dev/brownout/reports/result"
)

// measure is one number of a choice of units; higher is worse. ok is false when the choice has no data.
type measure interface {
	of(times []int) (v float64, ok bool)
	samples(times []int) int
	infinite(v float64) bool
}

// kind is a metric that is compared.
type kind struct {
	name     string
	q        float64 // 0: a share
	need     int     // samples a side
	absolute func(MinEffect) float64
	relative bool
	items    func(b *result.BlockSamples, unit int, add func(item))
}

// kinds are p50 and p99 of the four latencies, and goodput, in the order of reports. A p99 of fewer than
// 100 values would be the maximum by another name.
func kinds() []kind {
	var out []kind
	for _, m := range []struct {
		name     string
		items    func(b *result.BlockSamples, unit int, add func(item))
		absolute func(MinEffect) float64
	}{
		{"ttft", func(b *result.BlockSamples, u int, add func(item)) { latencies(b.TTFT, b.NoToken, u, add) }, MinEffect.request},
		{"tpot", func(b *result.BlockSamples, u int, add func(item)) { latencies(b.TPOT, b.NoToken, u, add) }, MinEffect.token},
		{"itl", gaps, MinEffect.token},
		{"e2e", func(b *result.BlockSamples, u int, add func(item)) { latencies(b.E2E, b.Failed, u, add) }, MinEffect.request},
	} {
		out = append(out,
			kind{name: "p50 " + m.name, q: 0.5, need: 20, items: m.items, absolute: m.absolute, relative: true},
			kind{name: "p99 " + m.name, q: 0.99, need: 100, items: m.items, absolute: m.absolute, relative: true})
	}
	return append(out, kind{name: "goodput", need: 20, absolute: func(m MinEffect) float64 { return m.Share }})
}

func latencies(list []int, failed, unit int, add func(item)) {
	for _, v := range result.Values(list) {
		add(item{value: v, unit: unit, weight: 1})
	}
	if failed > 0 {
		add(item{value: math.Inf(1), unit: unit, weight: failed})
	}
}

func gaps(b *result.BlockSamples, unit int, add func(item)) {
	values, counts := result.GapCounts(b.Gaps)
	for i, v := range values {
		add(item{value: v, unit: unit, weight: counts[i]})
	}
}

// percentile is a quantile as a measure.
type percentile struct {
	*field
	q float64
}

func (p percentile) of(times []int) (float64, bool) { return p.quantile(p.q, times) }
func (p percentile) samples(times []int) int        { return p.field.of(times) }
func (p percentile) infinite(v float64) bool        { return v >= p.cap }

// badShare is 1 − goodput as a measure.
type badShare struct{ good, judged []int }

func (s badShare) of(times []int) (float64, bool) {
	judged := dot(s.judged, times)
	if judged == 0 {
		return 0, false
	}
	return 1 - float64(dot(s.good, times))/float64(judged), true
}

func (s badShare) samples(times []int) int { return dot(s.judged, times) }
func (badShare) infinite(float64) bool     { return false }

// measure builds the metric over the units of a plan.
func (k kind) measure(p *plan) measure {
	if k.q == 0 {
		s := badShare{make([]int, len(p.units)), make([]int, len(p.units))}
		p.each(func(b *result.BlockSamples, u int) {
			s.good[u] += b.Good
			s.judged[u] += b.Judged
		})
		return s
	}
	var items []item
	p.each(func(b *result.BlockSamples, u int) {
		k.items(b, u, func(it item) { items = append(items, it) })
	})
	return percentile{newField(items, len(p.units)), k.q}
}
