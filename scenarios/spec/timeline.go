package spec

import (
	"bytes"
	"fmt"
	"time"
)

// columns is how wide the plan is drawn.
const columns = 72

// timeline draws phases, faults and the time in which their recovery is looked at, to scale.
func (e *explainer) timeline() {
	total := e.Length()
	column := func(at time.Duration) int {
		return min(columns, int(float64(columns)*float64(at)/float64(total)+0.5))
	}
	clock, phases := blank(), blank()
	free := 0
	for _, p := range e.Phases {
		at := column(p.At)
		phases[at] = '|'
		name := p.Name
		if p.Quiet {
			name = "(" + name + ")"
		}
		place(phases, at+1, max(0, column(p.At+p.For)-at-1), name)
		if at >= free { // a clock that would run into the one before it is left out
			mark := short(p.At)
			place(clock, at, len(mark), mark)
			free = at + len(mark) + 1
		}
	}
	phases[columns] = '|'
	if mark := short(total); columns >= free {
		clock = append(clock[:columns], mark...)
	}
	e.line("  %s", bytes.TrimRight(clock, " "))
	e.line("  %s", bytes.TrimRight(phases, " "))
	for _, f := range e.Faults {
		cleared := f.At + f.Fault.For
		held := min(cleared+e.SLO.Hold, total)
		sought := min(cleared+e.SLO.Horizon, total)
		for _, next := range e.Faults { // the judge stops looking where another fault begins
			if next.At >= cleared+e.SLO.Hold {
				sought = min(sought, next.At)
			}
		}
		row := blank()
		fill(row, column(held), column(sought), '.')
		fill(row, column(cleared), column(held), '=')
		fill(row, column(f.At), max(column(cleared), column(f.At)+1), '#')
		e.line("  %s", bytes.TrimRight(row, " "))
		when := fmt.Sprintf("at %s, gone by %s, recovery is looked for until %s", short(f.At), short(cleared), short(sought))
		for _, text := range []string{f.Fault.String(), when} {
			e.line("  %*s%s", min(column(f.At), max(0, width-2-len(text))), "", text)
		}
	}
	legend := "(phase) is warm-up and not judged"
	if len(e.Faults) > 0 {
		legend = "# fault   = recovery must hold, " + short(e.SLO.Hold) + "   . looked for recovery   " + legend
	}
	e.line("  %s", legend)
}

func blank() []byte { return bytes.Repeat([]byte{' '}, columns+1) }

func fill(row []byte, from, to int, mark byte) {
	for i := from; i < min(to, len(row)); i++ {
		row[i] = mark
	}
}

// place writes text into the row, cut to the room there is.
func place(row []byte, at, room int, text string) {
	if at < len(row) {
		copy(row[at:], text[:min(len(text), room, len(row)-at)])
	}
}
