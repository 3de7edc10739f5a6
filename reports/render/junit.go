package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// JUnit writes a result as JUnit XML, in the part of the format that both Ant's and Jenkins' schemas
// accept: one suite, one case a gate and one a group of guards. A gate that fails is a failure; what
// cannot be told is an error. A suite without either is a pass, and only a pass.
func JUnit(w io.Writer, r result.Result) error {
	s := newSuite(r)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitFile{Suites: []suite{s}}); err != nil {
		return fmt.Errorf("the JUnit report of run %s cannot be written: %w", r.Run, err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitFile has no attributes of its own: Ant's schema allows none.
type junitFile struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Package    string     `xml:"package,attr"`
	ID         int        `xml:"id,attr"`
	Timestamp  string     `xml:"timestamp,attr"` // UTC, without a zone: the schema has none
	Hostname   string     `xml:"hostname,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Time       string     `xml:"time,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testCase `xml:"testcase"`
	Out        string     `xml:"system-out"`
	Err        string     `xml:"system-err"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testCase struct {
	Name    string  `xml:"name,attr"`
	Class   string  `xml:"classname,attr"`
	Time    string  `xml:"time,attr"`
	Error   *defect `xml:"error,omitempty"`
	Failure *defect `xml:"failure,omitempty"`
}

type defect struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func newSuite(r result.Result) suite {
	s := suite{Name: token(r.Scenario.Name), Package: "brownout", Hostname: "localhost",
		Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Time: strconv.FormatFloat(max(r.Seconds, 0), 'f', 3, 64),
		Out: clean(strings.Join(r.Summary, " "))}
	for _, p := range []property{
		{"verdict", string(verdict(r.Judgement.Verdict))}, {"exit_code", strconv.Itoa(r.ExitCode)}, {"run", r.Run},
		{"seed", strconv.FormatUint(r.Scenario.Seed, 10)}, {"digest", r.Scenario.Digest}, {"file", r.Scenario.File},
		{"target", r.Target.URL}, {"model", r.Target.Model}, {"resilience", r.Target.Resilience}, {"tool", r.Tool},
	} {
		p.Value = clean(p.Value)
		s.Properties = append(s.Properties, p)
	}
	s.Cases = slices.Concat(gateCases(r), guardCases(r))
	s.count()
	if v := verdict(r.Judgement.Verdict); v != slo.Pass && s.Failures+s.Errors == 0 {
		s.Cases = append(s.Cases, lone(r, v))
		s.count()
	}
	return s
}

// lone carries a verdict that no gate and no guard explains.
func lone(r result.Result, v slo.Verdict) testCase {
	c := testCase{Name: "verdict", Class: class(r, "verdict"), Time: "0"}
	d := newDefect(string(v), clean(strings.Join(r.Summary, " ")), "")
	if v == slo.Fail {
		c.Failure = d
	} else {
		c.Error = d
	}
	return c
}

func (s *suite) count() {
	s.Tests, s.Failures, s.Errors = len(s.Cases), 0, 0
	for _, c := range s.Cases {
		if c.Failure != nil {
			s.Failures++
		}
		if c.Error != nil {
			s.Errors++
		}
	}
}

func gateCases(r result.Result) []testCase {
	out := make([]testCase, 0, len(r.Judgement.Gates))
	times := map[string]int{}
	trusted := verdict(r.Judgement.Verdict) != slo.Unknown
	for _, g := range r.Judgement.Gates {
		name := token(g.Place() + ": " + gateText(g.Gate))
		if times[name]++; times[name] > 1 {
			name += fmt.Sprintf(" (%d)", times[name]) // consumers take cases of one name for one case
		}
		got, limit := gateNumbers(g)
		details := fmt.Sprintf("observed %s, wanted %s, %s", got, limit, words(g.N, "sample", "samples"))
		if g.File != "" {
			details += fmt.Sprintf(" (%s:%d)", clean(g.File), g.Line)
		}
		c := testCase{Name: name, Class: class(r, "gates"), Time: "0"}
		switch v := verdict(g.Verdict); {
		case v == slo.Fail && trusted:
			c.Failure = newDefect("gate", g.Why, details)
		case v == slo.Fail:
			c.Error = newDefect("untrusted", "The gate did not hold, but this run cannot be trusted: "+g.Why, details)
		case v == slo.Unknown:
			c.Error = newDefect("unknown", g.Why, details)
		}
		out = append(out, c)
	}
	return out
}

// guardCases makes one case of all guards with one word, and of problems met on the way.
func guardCases(r result.Result) []testCase {
	var order []string
	wrong, measured := map[string][]string{}, map[string][]string{}
	add := func(word string) {
		if !slices.Contains(order, word) {
			order = append(order, word)
		}
	}
	for _, g := range r.Judgement.Guards {
		add(g.Word)
		text := clean(g.Name) + ": " + guardNumber(g.Got, g.Unit) + ", limit " + bare(guardNumber(g.Limit, g.Unit))
		measured[g.Word] = append(measured[g.Word], text)
		if g.Tripped {
			wrong[g.Word] = append(wrong[g.Word], text)
		}
	}
	said := map[string][]string{}
	for _, reason := range r.Judgement.Reasons {
		if reason.Word == "gate" || reason.Word == "samples" {
			continue // the gates' own cases say it
		}
		add(reason.Word)
		said[reason.Word] = append(said[reason.Word], reason.Text)
	}
	out := make([]testCase, 0, len(order))
	for _, word := range order {
		c := testCase{Name: token(word), Class: class(r, "guards"), Time: "0"}
		why := said[word]
		if len(why) == 0 {
			why = wrong[word]
		}
		if len(why) > 0 {
			c.Error = newDefect(word, strings.Join(why, " "), strings.Join(measured[word], "\n"))
		}
		out = append(out, c)
	}
	return out
}

func newDefect(kind, message, details string) *defect {
	message = clean(message)
	d := &defect{Type: token(kind), Message: message, Text: message}
	if details != "" {
		d.Text += "\n" + details
	}
	return d
}

func class(r result.Result, part string) string {
	return "brownout." + strings.ReplaceAll(token(r.Scenario.Name), ".", "_") + "." + part
}

// token is text as the schema wants names: not empty, without outer or doubled spaces.
func token(s string) string {
	if s = strings.Join(strings.Fields(clean(s)), " "); s == "" {
		return none
	}
	return s
}
