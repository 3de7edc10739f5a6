package render

import (
	"io"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/compare"
)

// ComparisonMarkdown writes a comparison as a comment for a pull request: the answer, then what changed, the
// rest folded. What came from files stays text.
func ComparisonMarkdown(w io.Writer, c compare.Comparison) error {
	m := &comment{}
	icon, _, _ := strings.Cut(sign(c.Answer), " ")
	m.line("<!-- brownout comparison -->")
	m.line("## %s brownout: %s compared with %s – %s", icon, cell(c.B.Scenario), cell(c.A.Name), strings.ToUpper(string(verdict(c.Answer))))
	m.line("")
	for _, r := range c.Reasons {
		m.line("%s", sentence(r))
	}
	m.line("")
	m.line("%s", sentence(design(c)))
	for _, warning := range c.Warnings {
		m.line("")
		m.line("> ⚠️ %s", sentence(warning))
	}
	var told, rest []compare.Metric
	for _, one := range slices.Concat(c.Metrics, c.Recovery) {
		if one.Answer == compare.Same || one.Answer == compare.NotWorse || one.Shown {
			rest = append(rest, one)
		} else {
			told = append(told, one)
		}
	}
	m.metrics(told)
	if len(rest) > 0 {
		m.line("")
		m.line("<details><summary>%s without a change</summary>", words(len(rest), "metric", "metrics"))
		m.metrics(rest)
		m.line("")
		m.line("</details>")
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

func (m *comment) metrics(list []compare.Metric) {
	if len(list) == 0 {
		return
	}
	m.line("")
	m.line("| metric | where | before | now | change | answer |")
	m.line("|---|---|--:|--:|---|---|")
	for i, one := range list {
		if m.b.Len() > maxTables {
			m.line("")
			m.line("%s more do not fit here.", count(len(list)-i))
			return
		}
		answer := string(one.Answer)
		switch {
		case one.Shown:
			answer = "not judged"
		case one.Answer == compare.Worse:
			answer = "❌ worse"
		case one.Answer == compare.Better:
			answer = "✅ better"
		case one.Answer == compare.Unknown:
			answer = "⚠️ unknown, " + one.Why
		}
		m.line("| %s | %s | %s | %s | %s | %s |", cell(one.Name), cell(one.Scope), cell(metricValue(one, one.A)), cell(metricValue(one, one.B)),
			cell(changeOf(one)), cell(answer))
	}
}
