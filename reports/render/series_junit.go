package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// SeriesJUnit writes a series as JUnit XML: a suite a variant, a case a gate of every trial, one a trial,
// and one a gate over trials. In a control a gate that does not hold is right, and only the trial's own
// case is judged.
func SeriesJUnit(w io.Writer, s series.Series) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	var file junitFile
	for i, v := range s.Variants {
		file.Suites = append(file.Suites, variantSuite(s, v, i))
	}
	if v := verdict(s.Verdict); v != slo.Pass && len(file.Suites) > 0 {
		told := false
		for _, one := range file.Suites {
			told = told || one.Failures+one.Errors > 0
		}
		if first := &file.Suites[0]; !told { // a verdict that no trial explains: the series was stopped
			first.Cases = append(first.Cases, seriesCase(s, v))
			first.count()
		}
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(file); err != nil {
		return fmt.Errorf("the JUnit report of series %s cannot be written: %w", s.Run, err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seriesCase(s series.Series, v slo.Verdict) testCase {
	c := testCase{Name: "verdict", Class: variantClass(s, "series"), Time: "0"}
	d := newDefect(string(v), strings.Join(s.Summary, " "), "")
	if v == slo.Fail {
		c.Failure = d
	} else {
		c.Error = d
	}
	return c
}

func variantClass(s series.Series, part string) string {
	return "brownout." + strings.ReplaceAll(token(s.Scenario.Name), ".", "_") + "." + token(part)
}

func variantSuite(s series.Series, v series.Variant, id int) suite {
	out := suite{Name: token(s.Scenario.Name + " " + v.Name), Package: "brownout", ID: id, Hostname: "localhost",
		Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"), Out: clean(strings.Join(s.Summary, " "))}
	for _, p := range []property{{"verdict", string(verdict(s.Verdict))}, {"run", s.Run}, {"role", string(v.Role)}, {"digest", v.Digest},
		{"set", strings.Join(v.Set, " ")}, {"repeats", strconv.Itoa(s.Repeats)}, {"tool", s.Tool}} {
		p.Value = clean(p.Value)
		out.Properties = append(out.Properties, p)
	}
	total := 0.0
	for _, t := range v.Trials {
		total += t.Seconds
		out.Cases = append(out.Cases, trialCases(s, v, t)...)
	}
	for _, g := range v.Gates {
		c := testCase{Name: token("all trials: " + g.Text), Class: variantClass(s, v.Name), Time: "0"}
		switch verdict(g.Verdict) {
		case slo.Fail:
			c.Failure = newDefect("gate", g.Why, "")
		case slo.Unknown:
			c.Error = newDefect("unknown", g.Why, "")
		case slo.Pass:
		}
		out.Cases = append(out.Cases, c)
	}
	out.Time = strconv.FormatFloat(max(total, 0), 'f', 3, 64)
	out.count()
	return out
}

// trialCases are a trial's own case and, where it is under test, one a gate.
func trialCases(s series.Series, v series.Variant, t series.Trial) []testCase {
	class := variantClass(s, v.Name)
	name := fmt.Sprintf("trial %d (seed %d)", t.Number, t.Seed)
	own := testCase{Name: name, Class: class, Time: strconv.FormatFloat(max(t.Seconds, 0), 'f', 3, 64)}
	texts := make([]string, 0, len(t.Reasons))
	for _, r := range t.Reasons {
		texts = append(texts, r.Text)
	}
	why, details := strings.Join(texts, " "), "see "+clean(t.Dir)
	if v.Role != series.Beside {
		switch rightWay(v.Role, t.Verdict) {
		case slo.Unknown:
			own.Error = newDefect("unknown", why, details)
		case slo.Fail:
			if v.Role == series.Control {
				why = "The control passed, where it must fail: the scenario proves nothing."
			}
			own.Failure = newDefect("trial", why, details)
		case slo.Pass:
		}
	}
	cases := []testCase{own}
	if v.Role != series.Tested {
		return cases
	}
	times := map[string]int{}
	for _, g := range t.Gates {
		text := token(fmt.Sprintf("%s %s: %s", name, g.Scope, g.Text))
		if times[text]++; times[text] > 1 {
			text += fmt.Sprintf(" (%d)", times[text])
		}
		c := testCase{Name: text, Class: class, Time: "0"}
		switch {
		case verdict(g.Verdict) == slo.Fail && t.Trusted:
			c.Failure = newDefect("gate", g.Why, details)
		case verdict(g.Verdict) == slo.Fail:
			c.Error = newDefect("untrusted", "The gate did not hold, but this trial cannot be trusted: "+g.Why, details)
		case verdict(g.Verdict) == slo.Unknown:
			c.Error = newDefect("unknown", g.Why, details)
		}
		cases = append(cases, c)
	}
	return cases
}
