package render

import (
	"math"
	"strconv"
	"strings"
)

// chart is one drawing at one width. Its template escapes every text; nothing here makes markup.
type chart struct {
	ID     string // unique in the page
	Size   string // "s", "m", "l": which screen it is for
	Title  string
	Desc   string
	W, H   float64
	L, R   float64 // the plot's left and right edge
	Shapes []shape
}

// shape is one element of a chart: Kind says which fields count.
type shape struct {
	Kind       string // "rect", "line", "path", "text", "circle"
	Class      string
	X, Y, W, H float64 // line: W, H are the other end; circle: W is the radius
	D          string  // path
	Text       string
	Tip        string // shown by the browser itself, without any script
}

func (c *chart) rect(class string, x, y, w, h float64, tip string) {
	c.Shapes = append(c.Shapes, shape{Kind: "rect", Class: class, X: x, Y: y, W: max(w, 0), H: max(h, 0), Tip: tip})
}

func (c *chart) line(class string, x1, y1, x2, y2 float64) {
	c.Shapes = append(c.Shapes, shape{Kind: "line", Class: class, X: x1, Y: y1, W: x2, H: y2})
}

func (c *chart) text(class string, x, y float64, s string) {
	c.Shapes = append(c.Shapes, shape{Kind: "text", Class: class, X: x, Y: y, Text: s})
}

func (c *chart) circle(class string, x, y, radius float64, tip string) {
	c.Shapes = append(c.Shapes, shape{Kind: "circle", Class: class, X: x, Y: y, W: radius, Tip: tip})
}

func (c *chart) path(class, d string) {
	if d != "" {
		c.Shapes = append(c.Shapes, shape{Kind: "path", Class: class, D: d})
	}
}

// point is a value at an instant; NaN breaks the line.
type point struct{ T, V float64 }

// polyline joins points; a point with a gap on both sides becomes a dash short enough to read as a dot.
func polyline(points []point, x, y scale) string {
	var b strings.Builder
	open := false
	for i, p := range points {
		if math.IsNaN(p.V) {
			open = false
			continue
		}
		px, py := x.at(p.T), y.at(p.V)
		switch {
		case open:
			b.WriteString("L" + px1(px) + " " + px1(py))
		case i+1 == len(points) || math.IsNaN(points[i+1].V):
			b.WriteString("M" + px1(px-1) + " " + px1(py) + "h2")
		default:
			b.WriteString("M" + px1(px) + " " + px1(py))
		}
		open = true
	}
	return b.String()
}

// steps draws a value that holds until the next point, up to end; with base it closes an area down to it.
func steps(points []point, end float64, x, y scale, base *float64) string {
	if len(points) == 0 {
		return ""
	}
	var b strings.Builder
	if base != nil {
		b.WriteString("M" + px1(x.at(points[0].T)) + " " + px1(*base) + "V" + px1(y.at(points[0].V)))
	} else {
		b.WriteString("M" + px1(x.at(points[0].T)) + " " + px1(y.at(points[0].V)))
	}
	for _, p := range points[1:] {
		b.WriteString("H" + px1(x.at(p.T)) + "V" + px1(y.at(p.V)))
	}
	b.WriteString("H" + px1(x.at(end)))
	if base != nil {
		b.WriteString("V" + px1(*base) + "Z")
	}
	return b.String()
}

// px1 writes a coordinate with one place at most.
func px1(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// textWidth estimates how wide s is set at 11 px; labels are placed with it, nothing is cut by it.
func textWidth(s string) float64 { return 6.1 * float64(width(s)) }

// fit shortens s to a width in pixels; what would keep under three characters is left out.
func fit(s string, room float64) string {
	n := int(room / 6.1)
	if width(s) > n && n < 3 {
		return ""
	}
	return cut(s, n)
}

// label wants to stand at X, reading to the right, or to the left near the right edge.
type label struct {
	X    float64
	Text string
	Row  int
	Left bool // reads to the left of X
}

// stagger gives labels, sorted by X, rows such that no two overlap and no line, drawn from a label's
// row downwards at its X, runs through the text of another one that reads to the right.
func stagger(labels []label, right float64) int {
	rows := 0
	for i := range labels {
		l := &labels[i]
		w := textWidth(l.Text) + 12
		l.Left = l.X+w > right
		from, to := l.X, l.X+w
		if l.Left {
			from, to = l.X-w, l.X
		}
		for j := range i {
			o := labels[j]
			ow := textWidth(o.Text) + 12
			oFrom, oTo := o.X, o.X+ow
			if o.Left {
				oFrom, oTo = o.X-ow, o.X
			}
			if from < oTo && oFrom < to || o.X == l.X {
				l.Row = max(l.Row, o.Row+1)
			}
		}
		rows = max(rows, l.Row+1)
	}
	return rows
}
