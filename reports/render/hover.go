package render

import (
	"fmt"
	"math"
)

// hover is what the page's script shows beside the pointer: one row a column of the charts, already
// in words, so that script and drawing cannot disagree about a number.
type hover struct {
	End  float64    `json:"end"` // seconds on the time axis
	Rows []hoverRow `json:"rows"`
}

type hoverRow struct {
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Head    string  `json:"head"`
	Phase   string  `json:"phase"`
	Good    string  `json:"good"`
	SLI     string  `json:"sli"`
	TTFT    string  `json:"ttft"`
	ITL     string  `json:"itl"`
	E2E     string  `json:"e2e"`
	Tokens  string  `json:"tokens"`
	Actions string  `json:"acts"`
}

func (d drawer) hover() hover {
	out := hover{End: d.end, Rows: make([]hoverRow, 0, len(d.all))}
	sli := d.sli()
	for i, b := range d.all {
		row := hoverRow{
			From: float64(b.At), To: float64(b.At + b.Length), Head: fmt.Sprintf("%d–%d s", b.At, b.At+b.Length),
			Phase: d.phaseAt(float64(b.At) + float64(b.Length)/2), Good: none, SLI: d.sliAt(sli, float64(b.At+b.Length)),
			TTFT: both(b.TTFTP50, b.TTFTP99), ITL: both(b.ITLP50, b.ITLP99), E2E: both(b.E2EP50, b.E2EP99),
			Tokens: rate(float64(b.Tokens) / float64(b.Length)),
		}
		if b.Due > 0 {
			row.Good = fmt.Sprintf("%s of %s", count(b.Good), count(b.Due))
		}
		for _, l := range d.acts {
			if n := l.Counts[i]; n > 0 {
				if row.Actions != "" {
					row.Actions += ", "
				}
				row.Actions += eventWords(l.Kind) + " × " + count(n)
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// both writes p50 / p99; an absent percentile is 0.
func both(p50, p99 float64) string {
	one := func(v float64) string {
		if v <= 0 {
			return none
		}
		return seconds(v)
	}
	if p50 <= 0 && p99 <= 0 {
		return none
	}
	return one(p50) + " / " + one(p99)
}

func (d drawer) phaseAt(t float64) string {
	for _, p := range d.r.Judgement.Phases {
		if t >= p.At.Seconds() && t < (p.At+p.For).Seconds() {
			return p.Name
		}
	}
	return "drain"
}

// sliAt is the SLI of the last window that ended by t.
func (d drawer) sliAt(sli []point, t float64) string {
	last := math.NaN()
	for _, p := range sli {
		if p.T > t {
			break
		}
		last = p.V
	}
	if t > d.planned() {
		return none
	}
	return share(last)
}
