package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// TerminalOptions says what the terminal can do.
type TerminalOptions struct {
	Color  bool   // ANSI colours; false writes none
	Width  int    // columns [80], at least 60
	Report string // where the full report lies; empty leaves the line out
}

// Terminal writes a result as plain text, verdict first. Names from the result cannot steer the terminal.
func Terminal(w io.Writer, r result.Result, opt TerminalOptions) error {
	if opt.Width == 0 {
		opt.Width = 80
	}
	opt.Width = min(max(opt.Width, 60), 160)
	t := &terminal{w: bufio.NewWriter(w), color: opt.Color, width: opt.Width}
	t.headline(r)
	t.gates(r.Judgement.Gates)
	t.phases(r)
	t.recoveries(r)
	t.guards(r.Judgement.Guards)
	if opt.Report != "" {
		t.line("")
		t.line("  Report  " + t.paint(bold, clean(opt.Report)))
	}
	return t.w.Flush()
}

// terminal writes lines; the first error sticks in w and comes out of its Flush.
type terminal struct {
	w     *bufio.Writer
	color bool
	width int
}

// ANSI select-graphic-rendition codes.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (t *terminal) paint(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *terminal) line(s string) { fmt.Fprintln(t.w, strings.TrimRight(s, " ")) }

func (t *terminal) verdict(v slo.Verdict, s string) string {
	switch v {
	case slo.Pass:
		return t.paint(green, s)
	case slo.Fail:
		return t.paint(red, s)
	}
	return t.paint(yellow, s)
}

func (t *terminal) headline(r result.Result) {
	v := verdict(r.Judgement.Verdict)
	rule := t.verdict(v, strings.Repeat("━", t.width))
	word := strings.Join(strings.Split(strings.ToUpper(string(v)), ""), " ")
	t.line(rule)
	t.line("  " + t.verdict(v, t.paint(bold, mark(v)+"  "+word)) + "    " + t.paint(bold, clean(r.Scenario.Name)) +
		t.paint(dim, fmt.Sprintf("   seed %d · %s", r.Scenario.Seed, seconds(r.Seconds))))
	t.line(rule)
	for _, s := range r.Summary {
		t.wrap("  ", clean(s))
	}
	said := strings.Join(r.Summary, " ")
	for i := range r.Judgement.Gates {
		said += " " + r.Judgement.Gates[i].Why // shown with its gate
	}
	for _, reason := range r.Judgement.Reasons {
		if v != slo.Pass && !strings.Contains(said, reason.Text) {
			t.wrap("  ", mark(v)+" "+clean(reason.Text))
		}
	}
}

// wrap writes text in lines no longer than the terminal; what follows the first line is indented alike.
func (t *terminal) wrap(indent, text string) {
	line := indent
	for word := range strings.SplitSeq(tie(text), " ") {
		word = strings.ReplaceAll(word, tied, " ")
		if width(line)+1+width(word) > t.width && line != indent {
			t.line(line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	if line != indent {
		t.line(line)
	}
}

// tied holds the place of a space that no line may break at.
const tied = "\x00"

// tie keeps numbers and their units together, and leaves single spaces between all else.
func tie(text string) string {
	var b strings.Builder
	last := byte(0)
	for word := range strings.FieldsSeq(text) {
		unit, _, _ := strings.Cut(strings.TrimRight(word, ".,;:)"), "/")
		switch {
		case last == 0:
		case last >= '0' && last <= '9' && slices.Contains([]string{"%", "s", "ms", "µs", "min"}, unit):
			b.WriteString(tied)
		default:
			b.WriteByte(' ')
		}
		b.WriteString(word)
		last = word[len(word)-1]
	}
	return b.String()
}

func (t *terminal) heading(s string) {
	t.line("")
	t.line(t.paint(bold, "  "+s))
}

func (t *terminal) gates(gates []slo.GateResult) {
	if len(gates) == 0 {
		return
	}
	t.heading("Gates")
	rows := make([][]string, 0, len(gates))
	for _, g := range gates {
		got, limit := gateNumbers(g)
		rows = append(rows, []string{mark(g.Verdict), clean(g.Place()), clean(gateText(g.Gate)), got, limit})
	}
	widths := columns(nil, rows)
	widths[2] = min(widths[2], max(t.width-30-widths[1]-widths[3], 16))
	for i, g := range gates {
		row := rows[i]
		t.line("  " + t.verdict(g.Verdict, row[0]) + " " + left(row[1], widths[1]) + "  " + left(row[2], widths[2]) + "  " +
			right(row[3], widths[3]) + "  " + row[4])
		if verdict(g.Verdict) != slo.Pass && g.Why != "" {
			t.wrap("      ", clean(g.Why))
		}
	}
}

func (t *terminal) phases(r result.Result) {
	if len(r.Judgement.Phases) == 0 {
		return
	}
	t.heading("Phases")
	head := []string{"", "requests", "goodput", "TTFT p50", "TTFT p99", "ITL p99", "E2E p99", "tokens/s"}
	all := r.Judgement.Phases
	if len(all) > 1 {
		total := r.Judgement.Run
		total.Name = "all judged"
		all = append(all[:len(all):len(all)], total)
	}
	all = append(all[:len(all):len(all)], classRows(r, func(class string) string { return "· " + class })...)
	rows := make([][]string, 0, len(all))
	for _, p := range all {
		rows = append(rows, []string{cut(clean(p.Name), 14), count(p.Due), goodput(p), short(p.TTFT, "p50"), short(p.TTFT, "p99"),
			short(p.ITL, "p99"), short(p.E2E, "p99"), rate(p.OutputRate)})
	}
	widths := columns(head, rows)
	line := func(row []string) string {
		out := "  " + left(row[0], widths[0])
		for i := 1; i < len(row); i++ {
			out += "  " + right(row[i], widths[i])
		}
		return out
	}
	t.line(t.paint(dim, line(head)))
	for _, row := range rows {
		t.line(line(row))
	}
	t.line(t.paint(dim, "  percentiles count failures as ∞, as gates do"))
	if by := tokensBy(r.Target.Tokens); by != "" && (r.Target.Kind == "foreign" || r.Target.Tokens.Chunks > 0) {
		t.wrap("  ", "tokens are counted "+by)
	}
}

// goodput of a phase without requests is no number.
func goodput(p slo.PhaseResult) string {
	if p.Due == 0 {
		return none
	}
	return share(p.Goodput)
}

// short is a percentile with failures as ∞, for a narrow column.
func short(d slo.Dist, p string) string {
	if v, ok := d.WithFailures[p]; ok && v == slo.Infinite {
		return "∞"
	}
	return percentile(d.WithFailures, p)
}

func (t *terminal) recoveries(r result.Result) {
	for _, f := range r.Judgement.Faults {
		t.heading("Fault  " + clean(faultName(f)))
		line := "  "
		for i, s := range happened(stamps(f, r.Start)) {
			if s.Word == "armed" && f.Effective != 0 {
				continue
			}
			part := s.Word + " " + plus(s.Since)
			if i == 0 || s.Word == "effective" {
				part = s.Word + " at " + seconds(s.T)
			}
			if line != "  " && width(line)+3+width(part) > t.width {
				t.line(line)
				line = "    "
			}
			if strings.TrimSpace(line) != "" {
				part = " → " + part
			} else if line == "    " {
				part = "→ " + part
			}
			line += part
		}
		t.line(line)
		t.wrap("  ", clean(ending(f)))
		if len(f.Unresolved) > 0 {
			t.wrap("  ", "Not resolved, because smaller than the clock error: "+clean(strings.Join(f.Unresolved, ", "))+".")
		}
		t.wrap("  ", fmt.Sprintf("%s touched, %s lost, %s late; %s resumed, %s retried.",
			words(f.Touched, "request", "requests"), count(f.Lost), count(f.Late), count(f.Resumed), count(f.Retried)))
	}
}

func (t *terminal) guards(guards []slo.GuardResult) {
	titled := false
	for _, g := range guards {
		if !g.Tripped && !guardNear(g) {
			continue
		}
		if !titled {
			t.heading("Can this verdict be trusted?")
			titled = true
		}
		state, v := "near its limit", slo.Pass
		if g.Tripped {
			state, v = "tripped", slo.Unknown
		}
		t.wrap("  ", t.verdict(v, "! "+state)+"  "+clean(g.Name)+": "+guardNumber(g.Got, g.Unit)+", limit "+bare(guardNumber(g.Limit, g.Unit))+" ("+clean(g.Word)+")")
	}
}

// columns finds the width of each column.
func columns(head []string, rows [][]string) []int {
	var out []int
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], width(cell))
		}
	}
	return out
}

// width counts characters; the report's own text has no double-width ones.
func width(s string) int { return utf8.RuneCountInString(s) }

func left(s string, n int) string {
	s = cut(s, n)
	return s + strings.Repeat(" ", n-width(s))
}

func right(s string, n int) string { return strings.Repeat(" ", max(n-width(s), 0)) + s }

// cut shortens to n characters, the last one then being an ellipsis.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n-1, 0)]) + "…"
}
