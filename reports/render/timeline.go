package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/brownout-dev/brownout/reports/slo"
)

// stampLabel is a stamp at its place on the time axis.
type stampLabel struct {
	label
	class string
}

// stampLabels places the stamps of all faults. Of many faults only begin and recovery are named, or
// the names would hide the curve.
func (d drawer) stampLabels(x scale) []stampLabel {
	const few, most = 2, 12
	faults := d.r.Judgement.Faults
	var out []stampLabel
	for i, f := range faults[:min(len(faults), most)] {
		for _, s := range happened(stamps(f, d.r.Start)) {
			if s.Word == "armed" || len(faults) > few && s.Word != "effective" && s.Word != "recovered" {
				continue
			}
			text := s.Word
			if s.Word != "effective" {
				text += " " + plus(s.Since)
			}
			if len(faults) > 1 {
				text = fmt.Sprintf("%d %s", i+1, text)
			}
			out = append(out, stampLabel{label{X: x.at(s.T), Text: text}, s.Word})
		}
	}
	slices.SortStableFunc(out, func(a, b stampLabel) int { return cmp.Compare(a.X, b.X) })
	return out
}

// timeline is the first chart: phases, faults, stamps, and the share of good requests under them.
func (d drawer) timeline() panel {
	window := d.r.Judgement.WindowNS.Seconds()
	p := panel{ID: "timeline", Title: "Goodput around the fault", Legend: []legend{{"sli", "SLI over the last " + bare(seconds(window))}}}
	sli, good := d.sli(), d.goodput()
	if len(sli) == 0 {
		p.Legend = nil
	}
	p.Legend = append(p.Legend, legend{"goodput", "goodput of the requests due in each second"})
	if d.r.Spec.Objective > 0 {
		p.Legend = append(p.Legend, legend{"limit", "objective " + bare(share(d.r.Spec.Objective))})
	}
	if len(d.r.Judgement.Faults) > 0 {
		p.Legend = append(p.Legend, legend{"fault", "fault in effect"})
	}
	if len(d.outs(d.planned())) > 0 {
		p.Legend = append(p.Legend, legend{"out", "outside the objective"})
	}
	floor := d.floor(sli, good)
	if floor > 0 {
		p.Note = "the scale starts at " + bare(share(floor))
	}
	for _, s := range screens() {
		p.Views = append(p.Views, d.timelineAt(s, floor, sli, good))
	}
	return p
}

// floor is where the scale of shares starts: at 0 unless all happens far above it.
func (d drawer) floor(sli, good []point) float64 {
	low := d.r.Spec.Objective
	for _, p := range append(append([]point(nil), sli...), good...) {
		if !math.IsNaN(p.V) {
			low = min(low, p.V)
		}
	}
	switch {
	case low >= 0.9:
		return 0.8
	case low >= 0.6:
		return 0.5
	}
	return 0
}

// sli is the SLI at the end of each window, as monitoring would have shown it.
func (d drawer) sli() []point {
	out := make([]point, 0, len(d.r.Judgement.Windows))
	for _, w := range d.r.Judgement.Windows {
		if w.Due > 0 || w.Bad > 0 {
			out = append(out, point{T: (w.At + d.r.Judgement.WindowNS).Seconds(), V: w.SLI})
		}
	}
	return out
}

// goodput is good ÷ due by the second requests were due in; seconds with none due have no value.
func (d drawer) goodput() []point {
	out := make([]point, len(d.all))
	for i, b := range d.all {
		out[i] = point{T: float64(b.At) + float64(b.Length)/2, V: math.NaN()}
		if b.Due > 0 {
			out[i].V = float64(b.Good) / float64(b.Due)
		}
	}
	return out
}

func (d drawer) timelineAt(s screen, floor float64, sli, good []point) chart {
	const strip, bar, line, h = 20.0, 20.0, 15.0, 180.0
	x := scale{lo: 0, hi: d.end, from: s.Left, to: s.W - s.Right}
	placed := d.stampLabels(x)
	if s.Size == "s" {
		for i := range placed { // a small screen has room for the word alone
			placed[i].Text = placed[i].class
		}
	}
	labels := make([]label, len(placed))
	for i, l := range placed {
		labels[i] = l.label
	}
	rows := stagger(labels, s.W-s.Right)
	bars := len(d.faultLanes())
	labelTop := strip + 6 + float64(bars)*bar
	top := labelTop + float64(rows)*line + 8
	c, _ := d.begin(s, "timeline", "Goodput around the fault", d.describe(), top, h)

	d.phaseStrip(c, x, strip)
	d.faultBars(c, x, strip+4, bar)
	y := scale{lo: floor, hi: 1, from: top + h, to: top + 4}
	c.axisY(y, ticks(floor, 1, niceStep(1-floor, 5)), share)
	until := d.planned()
	if len(sli) > 0 {
		base := y.at(floor)
		c.path("area", steps(sli, until, x, y, &base))
		c.path("curve sli", steps(sli, until, x, y, nil))
	}
	c.path("curve goodput", polyline(good, x, y))
	if o := d.r.Spec.Objective; o > 0 {
		c.line("limit", c.L, y.at(o), c.R, y.at(o))
	}
	for _, o := range d.outs(until) {
		c.rect("out", x.at(o.T), top+h-4, max(x.at(o.V)-x.at(o.T), 2), 4, "outside the objective")
	}
	for i, l := range labels {
		class := placed[i].class
		from := labelTop + float64(l.Row)*line
		c.line("stamp "+class, l.X, from+2, l.X, top+h)
		if l.Left {
			c.text("name left "+class, l.X-5, from+12, l.Text)
		} else {
			c.text("name "+class, l.X+5, from+12, l.Text)
		}
	}
	return *c
}

// planned is the end of the last phase: after it nothing is due, and the SLI has no meaning.
func (d drawer) planned() float64 {
	var end time.Duration
	for _, p := range d.r.Judgement.Phases {
		end = max(end, p.At+p.For)
	}
	if end == 0 {
		return d.end
	}
	return min(end.Seconds(), d.end)
}

// outs joins the windows outside the objective to stretches [T, V).
func (d drawer) outs(until float64) []point {
	var out []point
	for i, w := range d.r.Judgement.Windows {
		if !w.Out {
			continue
		}
		from, to := (w.At + d.r.Judgement.WindowNS).Seconds(), until
		if i+1 < len(d.r.Judgement.Windows) {
			to = (d.r.Judgement.Windows[i+1].At + d.r.Judgement.WindowNS).Seconds()
		}
		if n := len(out); n > 0 && out[n-1].V >= from {
			out[n-1].V = to
			continue
		}
		out = append(out, point{T: from, V: to})
	}
	return out
}

func (d drawer) phaseStrip(c *chart, x scale, h float64) {
	for i, p := range d.r.Judgement.Phases {
		from, to := x.at(p.At.Seconds()), x.at((p.At + p.For).Seconds())
		class := "phase"
		if i%2 == 1 {
			class += " odd"
		}
		c.rect(class, from, 0, to-from-1, h, p.Name+": "+seconds(p.At.Seconds())+" to "+seconds((p.At+p.For).Seconds()))
		c.text("phasename", (from+to)/2, h-6, fit(p.Name, to-from-6))
	}
}

// faultLanes spreads overlapping faults over at most six lanes.
func (d drawer) faultLanes() [][]slo.Recovery {
	const most = 6
	var lanes [][]slo.Recovery
	var ends []float64
next:
	for _, f := range d.r.Judgement.Faults {
		from, to, ok := d.faultSpan(f)
		if !ok {
			continue
		}
		for i := range lanes {
			if ends[i] <= from {
				lanes[i], ends[i] = append(lanes[i], f), to
				continue next
			}
		}
		if len(lanes) < most {
			lanes, ends = append(lanes, []slo.Recovery{f}), append(ends, to)
		}
	}
	return lanes
}

func (d drawer) faultBars(c *chart, x scale, top, h float64) {
	for i, lane := range d.faultLanes() {
		for _, f := range lane {
			from, to, _ := d.faultSpan(f)
			left, right := x.at(from), max(x.at(to), x.at(from)+3)
			y, name := top+float64(i)*h, faultName(f)
			c.rect("faultbar", left, y, right-left, h-4, f.Fault.Fault)
			switch w := textWidth(name) + 10; {
			case w < right-left:
				c.text("faultname in", left+6, y+h-8, name)
			case w < c.R-right:
				c.text("faultname", right+5, y+h-8, name)
			default:
				c.text("faultname left", left-5, y+h-8, fit(name, left-c.L-10))
			}
		}
	}
}

// describe tells in words what the timeline shows.
func (d drawer) describe() string {
	text := fmt.Sprintf("Share of good requests over %s.", seconds(d.end))
	for _, f := range d.r.Judgement.Faults {
		text += " " + faultName(f) + ": "
		for _, s := range happened(stamps(f, d.r.Start)) {
			text += s.Word + " at " + seconds(s.T) + ", "
		}
		text += string(f.State) + "."
	}
	return text
}
