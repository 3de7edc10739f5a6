package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// SeriesMarkdown writes a series as a comment for a pull request.
func SeriesMarkdown(w io.Writer, s series.Series) error {
	m := &comment{}
	v := verdict(s.Verdict)
	icon, _, _ := strings.Cut(sign(v), " ")
	m.line("<!-- brownout report -->")
	m.line("## %s brownout: %s, %s – %s", icon, cell(s.Scenario.Name), words(s.Planned, "trial", "trials"), strings.ToUpper(string(v)))
	m.line("")
	most := min(len(s.Summary), 12)
	said := make([]string, 0, most)
	for _, one := range s.Summary[:most] {
		said = append(said, sentence(one))
	}
	m.line("**Result:** %s", strings.Join(said, " "))
	m.beside(&s)
	for i, one := range s.Variants {
		m.variant(one, maxTables*(i+1)/len(s.Variants))
	}
	m.line("")
	m.line("Run it again:")
	m.line("")
	m.line("%s", fenced("sh", cut(seriesAgain(s), 2000)))
	m.line("%s, made by %s. %s", cell(s.Run), cell(s.Tool), sentence(s.Scenario.Question))
	_, err := io.WriteString(w, m.b.String())
	return err
}

func (m *comment) variant(v series.Variant, limit int) {
	m.line("")
	m.line("### Variant %s", cell(v.Name))
	m.line("")
	m.line("%s%s", strings.ToUpper(roleWords(v.Role)[:1]), plain(roleWords(v.Role)[1:])+".")
	if len(v.Set) > 0 {
		m.line("With %s.", sentence(strings.Join(v.Set, ", ")))
	}
	for _, f := range v.Faults {
		rows := make([]string, 0, 12)
		for _, one := range recoveryFacts(f) {
			rows = append(rows, fmt.Sprintf("| %s | %s |", one.Name, plain(one.Value)))
		}
		m.table(fmt.Sprintf("| %s | over %s |", cell(f.Kind), words(f.Trials, "trial", "trials")), 2, rows, limit)
	}
	rows := make([]string, 0, len(v.Trials))
	for _, t := range v.Trials {
		r, why := newTrialRow(t), ""
		if len(t.Reasons) > 0 && rightWay(v.Role, t.Verdict) != slo.Pass {
			why = sentence(t.Reasons[0].Text)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %d | %s | %s | %s | %s | %s | %s | %s |", plain(r.Place), sign(t.Verdict), t.Seed, share(t.Goodput), r.TTFT,
			cell(r.Faults), cell(r.TTD), plain(r.TTR), cell(r.Lost), why))
	}
	m.table("| Trial | | Seed | Goodput | TTFT p99 | Fault | TTD | TTR | Bad | Why |", 10, rows, limit)
	for _, g := range v.Gates {
		m.line("")
		m.line("%s: %s", sign(g.Verdict), sentence(g.Why))
	}
}
