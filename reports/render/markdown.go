package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Bounds of a comment. GitHub takes 65,536 characters; what does not fit is in report.html.
const (
	maxComment  = 60_000 // bytes
	maxTables   = 36_000 // of them, gates and faults together
	maxCell     = 160    // characters of one cell, before escaping
	maxSentence = 400    // the same of a sentence
	maxSummary  = 8      // sentences of the summary
)

// Markdown writes a result as a comment for a pull request: verdict and summary first, then gates,
// faults and what to do next; the rest is folded. What came from files and servers stays text.
func Markdown(w io.Writer, r result.Result) error {
	m := &comment{}
	m.head(r)
	m.gates(r.Judgement.Gates)
	m.faults(r.Judgement.Faults)
	m.unsaid(r)
	m.next(r)
	m.details(r)
	_, err := io.WriteString(w, m.b.String())
	return err
}

// comment grows line by line; every line of it begins with words of ours.
type comment struct{ b strings.Builder }

func (m *comment) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

// cell is escaped text that fits a table.
func cell(s string) string { return plain(cut(clean(s), maxCell)) }

func sentence(s string) string { return plain(cut(clean(s), maxSentence)) }

// sign is a verdict as a mark and a word.
func sign(v slo.Verdict) string {
	switch verdict(v) {
	case slo.Pass:
		return "✅ pass"
	case slo.Fail:
		return "❌ fail"
	}
	return "⚠️ unknown"
}

func (m *comment) head(r result.Result) {
	v := verdict(r.Judgement.Verdict)
	icon, _, _ := strings.Cut(sign(v), " ")
	m.line("<!-- brownout report -->")
	m.line("## %s brownout: %s – %s", icon, cell(r.Scenario.Name), strings.ToUpper(string(v)))
	m.line("")
	var said []string
	for _, s := range r.Summary[:min(len(r.Summary), maxSummary)] {
		said = append(said, sentence(s))
	}
	if len(said) == 0 {
		said = append(said, "No summary was written.")
	}
	m.line("**Result:** %s", strings.Join(said, " "))
	whole := strings.Join(r.Summary, " ")
	var reasons []string
	for _, reason := range r.Judgement.Reasons {
		if reason.Word != "gate" && reason.Word != "samples" && !strings.Contains(whole, reason.Text) && len(reasons) < 10 {
			reasons = append(reasons, fmt.Sprintf("- **Reason** (%s): %s", cell(reason.Word), sentence(reason.Text)))
		}
	}
	if v != slo.Pass && len(reasons) > 0 {
		m.line("")
		m.line("%s", strings.Join(reasons, "\n"))
	}
}

// table writes rows as long as they fit under limit, and says how many did not.
func (m *comment) table(head string, columns int, rows []string, limit int) {
	m.line("")
	m.line("%s", head)
	m.line("|%s", strings.Repeat("---|", columns))
	for i, row := range rows {
		if m.b.Len()+len(row) > limit {
			m.line("")
			m.line("… and %s, in `report.html`.", words(len(rows)-i, "more row", "more rows"))
			return
		}
		m.line("%s", row)
	}
}

func (m *comment) gates(gates []slo.GateResult) {
	m.line("")
	m.line("### Gates")
	if len(gates) == 0 {
		m.line("")
		m.line("The scenario has no gates.")
		return
	}
	if len(gates) > 30 { // where not all may fit, what needs attention comes first
		rank := map[slo.Verdict]int{slo.Fail: 0, slo.Unknown: 1, slo.Pass: 2}
		gates = slices.Clone(gates)
		slices.SortStableFunc(gates, func(a, b slo.GateResult) int { return rank[verdict(a.Verdict)] - rank[verdict(b.Verdict)] })
	}
	rows := make([]string, 0, len(gates))
	for _, g := range gates {
		got, limit := gateNumbers(g)
		why := ""
		if verdict(g.Verdict) != slo.Pass {
			why = sentence(g.Why)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", sign(g.Verdict), cell(g.Scope), cell(gateText(g.Gate)),
			plain(got), plain(limit), count(g.N), why))
	}
	m.table("| | Scope | Gate | Observed | Limit | Samples | Why |", 7, rows, maxTables*2/3)
}

func (m *comment) faults(faults []slo.Recovery) {
	if len(faults) == 0 {
		return
	}
	m.line("")
	m.line("### Faults")
	rows, proofs := make([]string, 0, len(faults)), []string(nil)
	for _, f := range faults {
		row := fmt.Sprintf("| %s | %s |", cell(faultName(f)), stateWord(f.State))
		for _, s := range spans(f) {
			value := s.Value
			if s.Known && !s.Resolved {
				value += " (not resolved)"
			}
			row += " " + value + " |"
		}
		row += fmt.Sprintf(" %s | %s | %s | %s / %s |", count(f.Touched), count(f.Lost), count(f.Late), count(f.Resumed), count(f.Retried))
		rows = append(rows, row)
		proofs = append(proofs, proof(f))
	}
	m.table("| Fault | Story | TTD | TTM | TTR | Residual | Touched | Lost | Late | Resumed / retried |", 10, rows, maxTables)
	m.line("")
	for _, p := range proofs {
		if m.b.Len()+len(p) > maxTables {
			break
		}
		m.line("%s", p)
	}
}

// unsaid tells what faults cost and what the load means for N − 1, where a long list of reasons pushed
// it out of the summary's first sentences.
func (m *comment) unsaid(r result.Result) {
	if len(r.Summary) <= maxSummary {
		return
	}
	rest := strings.Join(r.Summary[maxSummary:], " ")
	said := make([]string, 0, len(r.Judgement.Faults)+1)
	for _, f := range r.Judgement.Faults {
		if f.Burn != nil {
			said = append(said, f.Burn.Sentence())
		}
	}
	said = append(said, slo.Capacity{Rate: r.Load.Rate, All: r.Load.Saturation, Minus1: minus1(r.Load), Replicas: r.Target.Replicas}.Sentence())
	for _, s := range said[:min(len(said), 10)] {
		if s != "" && strings.Contains(rest, s) {
			m.line("")
			m.line("%s", sentence(s))
		}
	}
}

// minus1 is what is left without one replica, requests/s.
func minus1(l result.LoadInfo) float64 {
	if l.ShareNMinus1 <= 0 {
		return 0
	}
	return l.Rate / l.ShareNMinus1
}

func stateWord(s slo.RecoveryState) string {
	switch s {
	case slo.Absorbed, slo.Recovered:
		return string(s)
	case slo.Censored:
		return "not recovered"
	}
	return "unproven"
}

func proof(f slo.Recovery) string {
	p := fmt.Sprintf("- **%s**: %s", cell(faultName(f)), sentence(ending(f)))
	if f.Evidence != "" {
		p += " Proof: " + sentence(strings.TrimSuffix(f.Evidence, ".")) + "."
	}
	if f.Gone != "" {
		p += " Gone: " + sentence(strings.TrimSuffix(f.Gone, ".")) + "."
	}
	return p
}

func (m *comment) next(r result.Result) {
	m.line("")
	m.line("### What to do next")
	m.line("")
	all := advice(r)
	for _, s := range all[:min(len(all), 12)] {
		m.line("- %s", sentence(s))
	}
}

func (m *comment) details(r result.Result) {
	m.line("")
	m.line("<details><summary>Phases, outcomes, guards, and how to run it again</summary>")
	rows := make([]string, 0, len(r.Judgement.Phases)+1)
	for _, p := range append(slices.Clone(r.Judgement.Phases), r.Judgement.Run) {
		name := cell(p.Name)
		if len(rows) == len(r.Judgement.Phases) {
			name = "**all judged**"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |", name, count(p.Due), goodput(p),
			short(p.TTFT, "p50"), short(p.TTFT, "p99"), short(p.ITL, "p99"), short(p.E2E, "p99"), rate(p.OutputRate)))
	}
	m.table("| Phase | Requests | Goodput | TTFT p50 | TTFT p99 | ITL p99 | E2E p99 | Tokens/s |", 8, rows, maxComment-16_000)
	m.line("")
	m.line("Percentiles count failures as ∞, as gates do.")
	rows = nil
	for _, o := range newOutcomes(r).Rows {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", cell(o.Word), count(o.Total), share(o.Share)))
	}
	m.table("| Outcome | Requests | Share |", 3, rows, maxComment-12_000)
	rows = nil
	for _, g := range r.Judgement.Guards {
		state := "ok"
		switch {
		case g.Tripped:
			state = "**tripped**"
		case guardNear(g):
			state = "near its limit"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s |", state, cell(g.Word), cell(g.Name), guardCell(g.Got, g.Unit), guardCell(g.Limit, g.Unit)))
	}
	m.table("| Guard | Word | What | Measured | Limit |", 5, rows, maxComment-8_000)
	m.line("")
	m.line("Run it again:")
	m.line("")
	m.line("%s", fenced("sh", cut(again(r), 2000)))
	m.line("| | |")
	m.line("|---|---|")
	facts := []fact{
		{"Question", r.Scenario.Question}, {"Run", r.Run}, {"Started", r.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"Took", seconds(r.Seconds)}, {"Target", strings.TrimSpace(r.Target.Kind + " " + r.Target.URL)}, {"Model", r.Target.Model},
		{"Tokens counted", tokensBy(r.Target.Tokens)}, {"Seed", fmt.Sprint(r.Scenario.Seed)}, {"Scenario digest", r.Scenario.Digest}, {"Made by", r.Tool},
	}
	for _, f := range append(facts, spoken(r.Target)...) {
		if f.Value != "" {
			m.line("| %s | %s |", f.Name, cell(f.Value))
		}
	}
	m.line("")
	m.line("</details>")
}

func guardCell(v float64, unit string) string { return plain(bare(cut(guardNumber(v, unit), 40))) }
