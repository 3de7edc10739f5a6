package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/brownout-dev/brownout/reports/series"
)

// SeriesTerminal writes a series as plain text: the verdict, a block a variant with a row a trial, and
// below it what the trials say together.
func SeriesTerminal(w io.Writer, s series.Series, opt TerminalOptions) error {
	if opt.Width == 0 {
		opt.Width = 80
	}
	opt.Width = min(max(opt.Width, 60), 160)
	t := &terminal{w: bufio.NewWriter(w), color: opt.Color, width: opt.Width}
	t.seriesHead(s)
	t.beside(&s)
	for _, v := range s.Variants {
		t.variant(v)
	}
	if opt.Report != "" {
		t.line("")
		t.line("  Report  " + t.paint(bold, clean(opt.Report)))
	}
	return t.w.Flush()
}

func (t *terminal) seriesHead(s series.Series) {
	v := verdict(s.Verdict)
	rule := t.verdict(v, strings.Repeat("━", t.width))
	word := strings.Join(strings.Split(strings.ToUpper(string(v)), ""), " ")
	t.line(rule)
	t.line("  " + t.verdict(v, t.paint(bold, mark(v)+"  "+word)) + "    " + t.paint(bold, clean(s.Scenario.Name)) +
		t.paint(dim, fmt.Sprintf("   %s from seed %d · %s", words(s.Planned, "trial", "trials"), s.Scenario.Seed, seconds(s.Seconds))))
	t.line(rule)
	for _, said := range s.Summary {
		t.wrap("  ", clean(said))
	}
}

func (t *terminal) variant(v series.Variant) {
	t.heading("Variant  " + clean(v.Name) + t.paint(dim, "   "+roleWords(v.Role)))
	if len(v.Set) > 0 {
		t.wrap("  ", t.paint(dim, "with "+clean(strings.Join(v.Set, ", "))))
	}
	head := []string{"trial", "", "seed", "goodput", "TTFT p99", "fault", "TTD", "TTR", "bad"}
	rows := make([][]string, 0, len(v.Trials))
	for _, trial := range v.Trials {
		r := newTrialRow(trial)
		rows = append(rows, []string{r.Place, mark(trial.Verdict) + " " + string(verdict(trial.Verdict)), fmt.Sprint(trial.Seed), share(trial.Goodput), r.TTFT,
			cut(clean(r.Faults), 24), r.TTD, r.TTR, r.Lost})
	}
	widths := columns(head, rows)
	line := func(row []string, paint func(string) string) string {
		return "  " + left(row[0], widths[0]) + "  " + paint(left(row[1], widths[1])) + "  " + right(row[2], widths[2]) + "  " + right(row[3], widths[3]) + "  " +
			right(row[4], widths[4]) + "  " + left(row[5], widths[5]) + "  " + right(row[6], widths[6]) + "  " + right(row[7], widths[7]) + "  " + right(row[8], widths[8])
	}
	t.line(t.paint(dim, line(head, func(s string) string { return s })))
	for i, row := range rows {
		t.line(line(row, func(s string) string { return t.verdict(rightWay(v.Role, v.Trials[i].Verdict), s) }))
	}
	if repeated(v) {
		t.line(t.paint(dim, "  ↻ runs given up before this one, because the machine was too busy to tell"))
	}
	for _, f := range v.Faults {
		t.line("")
		t.line("  " + t.paint(bold, clean(f.Kind)) + t.paint(dim, "  over "+words(f.Trials, "trial", "trials")))
		for _, fact := range recoveryFacts(f) {
			t.wrapFact(fact)
		}
	}
	for _, g := range v.Gates {
		t.wrap("  ", t.verdict(g.Verdict, mark(g.Verdict))+" "+clean(g.Why))
	}
}

// wrapFact writes a name and its value, further lines under the value.
func (t *terminal) wrapFact(f fact) {
	const name = 18
	t.wrapAfter("  "+left(f.Name, name), strings.Repeat(" ", name+2), f.Value)
}

// wrapAfter writes text behind first, and what does not fit behind rest.
func (t *terminal) wrapAfter(first, rest, text string) {
	line := first
	for word := range strings.SplitSeq(tie(text), " ") {
		word = strings.ReplaceAll(word, tied, " ")
		if width(line)+1+width(word) > t.width {
			t.line(line)
			line = rest
		}
		if line != first && line != rest {
			line += " "
		}
		line += word
	}
	t.line(line)
}

func repeated(v series.Variant) bool {
	for _, trial := range v.Trials {
		if len(trial.Repeated) > 0 {
			return true
		}
	}
	return false
}
