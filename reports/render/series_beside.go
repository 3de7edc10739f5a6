package render

import (
	"fmt"
	"strconv"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// besideTable is the variants next to each other, in words.
type besideTable struct {
	Heads []string // the variants' names
	Rows  []besideRow
	Notes []string
}

type besideRow struct {
	Name  string
	Cells []string
}

// newBeside is nil where there are not two variants to compare.
func newBeside(s *series.Series) *besideTable {
	rows := s.Beside()
	if len(rows) == 0 {
		return nil
	}
	b := &besideTable{}
	doubtful := false
	for i := range s.Variants {
		b.Heads = append(b.Heads, s.Variants[i].Name)
		doubtful = doubtful || s.Variants[i].Doubtful()
	}
	for _, r := range rows {
		row := besideRow{Name: r.Name}
		for i, c := range r.Values {
			text := besideCell(r, c)
			if text != none && s.Variants[i].Doubtful() {
				text += " ?"
			}
			row.Cells = append(row.Cells, text)
		}
		b.Rows = append(b.Rows, row)
	}
	b.Notes = append(b.Notes, "Percentiles count failures as ∞; × is the ratio to "+s.Variants[0].Name+".")
	if doubtful {
		b.Notes = append(b.Notes, "? no trial of this variant can be trusted: the machine was too busy, or another guard tripped.")
	}
	if s.Scenario.Published != "" {
		b.Notes = append(b.Notes, "Published for another system: "+s.Scenario.Published)
	}
	return b
}

func besideCell(r series.Row, c series.Cell) string {
	if c.Value == nil {
		return none
	}
	var text string
	switch {
	case r.Share:
		text = share(*c.Value)
	case r.Seconds && *c.Value == slo.Infinite:
		text = "∞"
	case r.Seconds:
		text = seconds(*c.Value)
	default:
		text = plainNumber(*c.Value)
	}
	if c.Ratio != nil && !r.Share {
		text += " ×" + times(*c.Ratio)
	}
	return text
}

// times is a ratio to two digits: "0.38", "2.5", "120".
func times(r float64) string {
	if r >= 9.95 {
		return count(int(r + 0.5))
	}
	return strconv.FormatFloat(r, 'g', 2, 64)
}

// plainNumber is a count or a rate.
func plainNumber(v float64) string {
	if v == float64(int(v)) {
		return count(int(v))
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// beside writes the table, as many variants at a time as the terminal is wide; the first one comes with each.
func (t *terminal) beside(s *series.Series) {
	b := newBeside(s)
	if b == nil {
		return
	}
	t.heading("Side by side" + t.paint(dim, "   medians of the trials"))
	for from := 1; from < len(b.Heads); {
		from = t.besidePart(b, from)
	}
	for _, n := range b.Notes {
		t.wrap("  ", t.paint(dim, clean(n)))
	}
}

// besidePart writes the first variant and those from the given one on that fit; it returns the next.
func (t *terminal) besidePart(b *besideTable, from int) int {
	pick := []int{0}
	table := func(pick []int) [][]string {
		rows := make([][]string, 1+len(b.Rows))
		for k := range rows {
			rows[k] = make([]string, 1, 1+len(pick))
		}
		for _, i := range pick {
			rows[0] = append(rows[0], cut(clean(b.Heads[i]), 24))
		}
		for k, r := range b.Rows {
			rows[k+1][0] = r.Name
			for _, i := range pick {
				rows[k+1] = append(rows[k+1], r.Cells[i])
			}
		}
		return rows
	}
	wide := func(pick []int) int {
		sum := 0
		for _, w := range columns(nil, table(pick)) {
			sum += 2 + w
		}
		return sum
	}
	for next := from; next < len(b.Heads) && (next == from || wide(append(pick, next)) <= t.width); next++ {
		pick = append(pick, next)
	}
	rows := table(pick)
	widths := columns(nil, rows)
	for i, row := range rows {
		line := "  " + left(row[0], widths[0])
		for k, cell := range row[1:] {
			line += "  " + right(cell, widths[k+1])
		}
		if i == 0 {
			line = t.paint(dim, line)
		}
		t.line(line)
	}
	return pick[len(pick)-1] + 1
}

// beside writes the table for a pull request.
func (m *comment) beside(s *series.Series) {
	b := newBeside(s)
	if b == nil {
		return
	}
	m.line("")
	m.line("### Side by side")
	head := "| Median of the trials |"
	for _, h := range b.Heads {
		head += " " + cell(h) + " |"
	}
	rows := make([]string, 0, len(b.Rows))
	for _, r := range b.Rows {
		row := "| " + cell(r.Name) + " |"
		for _, c := range r.Cells {
			row += fmt.Sprintf(" %s |", plain(c))
		}
		rows = append(rows, row)
	}
	m.table(head, len(b.Heads)+1, rows, maxTables)
	for _, n := range b.Notes {
		m.line("")
		m.line("%s", sentence(n))
	}
}
