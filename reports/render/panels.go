package render

import (
	"fmt"
	"math"
	"time"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// panel is one chart, drawn once for each screen width, with its heading and legend.
type panel struct {
	ID, Title, Note string
	Legend          []legend
	Views           []chart
}

// legend explains one class of marks.
type legend struct{ Class, Text string }

// screen is a width that charts are drawn for; all panels of one share the time axis.
type screen struct {
	Size        string
	W           float64
	Left, Right float64
	TimeTicks   int
}

func screens() []screen {
	return []screen{
		{Size: "s", W: 360, Left: 50, Right: 8, TimeTicks: 5},
		{Size: "m", W: 680, Left: 58, Right: 12, TimeTicks: 9},
		{Size: "l", W: 1080, Left: 62, Right: 14, TimeTicks: 13},
	}
}

// drawer holds what all panels of a report share.
type drawer struct {
	r    result.Result
	end  float64 // seconds
	all  []bucket
	acts []lane
}

func newDrawer(r result.Result) drawer {
	end := horizon(r)
	d := drawer{r: r, end: end, all: buckets(r.Judgement.Series, end)}
	d.acts = lanes(r, d.all[0].Length)
	return d
}

// panels are the charts of a report, the timeline first. A metric that was not measured has none.
func (d drawer) panels() []panel {
	out := []panel{d.timeline()}
	limits := d.r.Spec.Limits
	for _, l := range []latency{
		{id: "ttft", title: "Time to first token", p50: func(b bucket) float64 { return b.TTFTP50 }, p99: func(b bucket) float64 { return b.TTFTP99 }, limit: limits.TTFT, limitName: "limit"},
		{id: "itl", title: "Gap between tokens", p50: func(b bucket) float64 { return b.ITLP50 }, p99: func(b bucket) float64 { return b.ITLP99 }, limit: limits.Gap, limitName: "longest gap allowed"},
		{id: "e2e", title: "Whole answer", p50: func(b bucket) float64 { return b.E2EP50 }, p99: func(b bucket) float64 { return b.E2EP99 }, limit: limits.E2E, limitName: "limit"},
	} {
		if p, ok := d.latency(l); ok {
			out = append(out, p)
		}
	}
	out = append(out, d.requests())
	if len(d.acts) > 0 {
		out = append(out, d.protection())
	}
	return out
}

// begin starts a chart with room for a plot of height h from y = top.
func (d drawer) begin(s screen, id, title, desc string, top, h float64) (*chart, scale) {
	const axis = 22
	c := &chart{ID: id + "-" + s.Size, Size: s.Size, Title: title, Desc: desc, W: s.W, H: top + h + axis, L: s.Left, R: s.W - s.Right}
	x := scale{lo: 0, hi: d.end, from: c.L, to: c.R}
	for i, p := range d.r.Judgement.Phases {
		if i%2 == 1 {
			c.rect("band", x.at(p.At.Seconds()), top, x.at((p.At+p.For).Seconds())-x.at(p.At.Seconds()), h, "")
		}
	}
	for _, f := range d.r.Judgement.Faults {
		if from, to, ok := d.faultSpan(f); ok {
			c.rect("fault", x.at(from), top, max(x.at(to)-x.at(from), 1.5), h, "")
		}
	}
	for _, t := range ticks(0, d.end, timeStep(d.end, s.TimeTicks)) {
		c.line("tick", x.at(t), top+h, x.at(t), top+h+4)
		c.text("time", x.at(t), top+h+16, axisTime(t, d.end))
	}
	return c, x
}

// axisTime writes an instant of the run: seconds, or minutes and seconds where it is long.
func axisTime(t, end float64) string {
	switch {
	case end <= 180:
		return fmt.Sprintf("%.0f s", t)
	case end <= 7200:
		return fmt.Sprintf("%d:%02d", int(t)/60, int(t)%60)
	}
	return fmt.Sprintf("%d:%02d h", int(t)/3600, int(t)/60%60)
}

// faultSpan is when a fault had its effect; without proof, when it was asked for.
func (d drawer) faultSpan(f slo.Recovery) (from, to float64, ok bool) {
	begin := f.Effective
	if begin == 0 {
		begin = f.Armed
	}
	if begin == 0 {
		return 0, 0, false
	}
	from, to = begin.Sub(d.r.Start).Seconds(), d.end
	if f.Cleared != 0 {
		to = f.Cleared.Sub(d.r.Start).Seconds()
	}
	return from, max(from, to), true
}

// axisY draws the horizontal grid and its numbers.
func (c *chart) axisY(y scale, marks []float64, format func(float64) string) {
	for _, v := range marks {
		c.line("grid", c.L, y.at(v), c.R, y.at(v))
		c.text("value", c.L-7, y.at(v)+3.8, bare(format(v)))
	}
}

// stampLines repeats the timeline's lines in another panel.
func (d drawer) stampLines(c *chart, x scale, top, bottom float64) {
	for _, l := range d.stampLabels(x) {
		c.line("stamp "+l.class, l.X, top, l.X, bottom)
	}
}

// latency is one metric's panel.
type latency struct {
	id, title string
	p50, p99  func(bucket) float64
	limit     time.Duration
	limitName string
}

func (d drawer) latency(l latency) (panel, bool) {
	p50, p99 := curve(d.all, l.p50), curve(d.all, l.p99)
	var values []float64
	for _, p := range append(append([]point(nil), p50...), p99...) {
		if !math.IsNaN(p.V) {
			values = append(values, p.V)
		}
	}
	if len(values) == 0 {
		return panel{}, false
	}
	p := panel{ID: l.id, Title: l.title, Note: "completed requests, by the second they were due in", Legend: []legend{{"p50", "p50"}, {"p99", "p99"}}}
	if l.id == "itl" {
		p.Note = "every gap, by the second it ended in"
	}
	if d.all[0].Length > 1 {
		p.Note += fmt.Sprintf("; each point is the worst of %d s", d.all[0].Length)
	}
	if l.limit > 0 {
		values = append(values, l.limit.Seconds())
		p.Legend = append(p.Legend, legend{"limit", l.limitName + " " + bare(seconds(l.limit.Seconds()))})
	}
	const top, h = 8.0, 120.0
	if latencyScale(values, 0, 1).log {
		p.Note += "; logarithmic scale"
	}
	for _, s := range screens() {
		c, x := d.begin(s, l.id, l.title, "p50 and p99 over the run.", top, h)
		y := latencyScale(values, top+h, top)
		c.axisY(y, y.ticks(4), seconds)
		d.stampLines(c, x, top, top+h)
		if l.limit > 0 {
			c.line("limit", c.L, y.at(l.limit.Seconds()), c.R, y.at(l.limit.Seconds()))
		}
		c.path("curve p99", polyline(p99, x, y))
		c.path("curve p50", polyline(p50, x, y))
		p.Views = append(p.Views, *c)
	}
	return p, true
}

// requests stacks what was due by what became of it.
func (d drawer) requests() panel {
	p := panel{ID: "requests", Title: "Requests due", Note: "each second, by what became of them",
		Legend: []legend{{"good", "good"}, {"bad", "failed or past a limit"}}}
	most := 0.0
	for _, b := range d.all {
		most = max(most, float64(b.Due)/float64(b.Length))
	}
	const top, h = 8.0, 96.0
	step := niceStep(max(most, 1)*1.05, 3)
	for _, s := range screens() {
		c, x := d.begin(s, "requests", p.Title, "Good and not good requests a second, stacked.", top, h)
		y := scale{lo: 0, hi: math.Ceil(max(most, 1)*1.05/step) * step, from: top + h, to: top}
		c.axisY(y, y.ticks(3), rate)
		gap := 1.0
		if x.at(float64(d.all[0].Length))-x.at(0) < 4 {
			gap = 0
		}
		for _, b := range d.all {
			left, right := x.at(float64(b.At)), x.at(float64(b.At+b.Length))
			good, due := float64(b.Good)/float64(b.Length), float64(b.Due)/float64(b.Length)
			if b.Good > 0 {
				c.rect("good", left, y.at(good), right-left-gap, y.at(0)-y.at(good), "")
			}
			if b.Due > b.Good {
				c.rect("bad", left, y.at(due), right-left-gap, y.at(good)-y.at(due), "")
			}
		}
		d.stampLines(c, x, top, top+h)
		p.Views = append(p.Views, *c)
	}
	return p
}

// protection draws what the system did about it, one lane a kind.
func (d drawer) protection() panel {
	p := panel{ID: "protection", Title: "What the system did", Note: "events by kind; larger means more in that second"}
	const top, row = 4.0, 29.0
	h := row * float64(len(d.acts))
	for _, s := range screens() {
		c, x := d.begin(s, "protection", p.Title, "Protective events over time, one lane a kind.", top, h)
		d.stampLines(c, x, top, top+h)
		for i, l := range d.acts {
			y := top + row*float64(i)
			c.line("grid", c.L, y+row, c.R, y+row)
			c.text("lane", c.L+6, y+12, eventWords(l.Kind)+" × "+count(l.Total))
			for b := range d.all {
				n := l.Counts[b]
				if n == 0 {
					continue
				}
				at := (float64(b) + 0.5) * float64(d.all[0].Length)
				radius := min(2.4+1.3*math.Log2(float64(n)), 7)
				c.circle("act", x.at(at), y+20, radius, fmt.Sprintf("%s: %d at %s", eventWords(l.Kind), n, axisTime(float64(b*d.all[0].Length), d.end)))
			}
		}
		p.Views = append(p.Views, *c)
	}
	return p
}
