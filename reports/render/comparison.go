package render

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Comparison writes a comparison as plain text, answer first, one sentence a metric. Names from files cannot
// steer the terminal.
func Comparison(w io.Writer, c compare.Comparison, opt TerminalOptions) error {
	if opt.Width == 0 {
		opt.Width = 80
	}
	opt.Width = min(max(opt.Width, 60), 160)
	t := &terminal{w: bufio.NewWriter(w), color: opt.Color, width: opt.Width}
	t.heading("Comparison with " + clean(c.A.Name))
	for i, r := range c.Reasons {
		if i == 0 {
			r = strings.TrimSpace(r)
			t.wrapPainted("  ", clean(r), func(s string) string { return t.verdict(verdict(c.Answer), s) })
			continue
		}
		t.wrap("  ", clean(r))
	}
	t.line("")
	t.wrap("  ", clean(design(c)))
	for _, warning := range c.Warnings {
		t.wrap("  ", "Warning: "+clean(warning))
	}
	if len(c.Metrics)+len(c.Recovery) > 0 {
		t.heading("Metrics")
	}
	for _, m := range slices.Concat(c.Metrics, c.Recovery) {
		text := clean(metricSentence(m))
		paint := map[compare.Answer]string{compare.Worse: red, compare.Better: green, compare.Unknown: yellow}[m.Answer]
		t.wrapPainted("  ", text, func(s string) string { return t.paint(paint, s) })
	}
	return t.w.Flush()
}

// wrapPainted is wrap with colour: the lines are broken before they are painted.
func (t *terminal) wrapPainted(indent, text string, paint func(string) string) {
	var b strings.Builder
	plain := &terminal{w: bufio.NewWriter(&b), width: t.width}
	plain.wrap(indent, text)
	_ = plain.w.Flush() // a builder takes everything
	for line := range strings.Lines(b.String()) {
		t.line(paint(strings.TrimRight(line, "\n")))
	}
}

// design says what was held against what.
func design(c compare.Comparison) string {
	how := "unpaired"
	if c.Paired {
		how = "paired second by second, for the seeds are the same"
	}
	return fmt.Sprintf("%s against %s of %s, %s; differences below %s are taken for nothing.",
		words(c.B.Runs, "run", "runs"), words(c.A.Runs, "run", "runs"), c.A.Scenario, how, effects(c.Min))
}

func effects(m compare.MinEffect) string {
	return fmt.Sprintf("%s or %s (tokens %s, goodput %s-points)", bare(share(m.Relative)), bare(seconds(m.Request)), bare(seconds(m.Token)), bare(share(m.Share)))
}

// metricSentence is one metric to be read aloud:
// "p99 ttft in phase after: 46 ms → 52 ms (+13 %, 95 % interval +9 … +17 %): worse".
func metricSentence(m compare.Metric) string {
	where := " in phase " + m.Scope
	switch {
	case m.Name == "ttr" || m.Name == "out_of_slo":
		where = " of " + m.Scope
	case m.Scope == "run":
		where = " in the run"
	}
	text := fmt.Sprintf("%s%s: %s → %s", m.Name, where, metricValue(m, m.A), metricValue(m, m.B))
	if change := changeOf(m); change != "" {
		text += " (" + change + ")"
	}
	if m.Shown {
		return text + ": not judged, " + m.Why
	}
	text += ": " + string(m.Answer)
	if m.Why != "" {
		text += ", " + m.Why
	}
	return text
}

func metricValue(m compare.Metric, v float64) string {
	if m.Name == "goodput" {
		return share(v)
	}
	if v == slo.Infinite {
		return infinite
	}
	return secondsTo(v, 1)
}

// changeOf is the difference with its interval, in percent of the first side where that has a meaning.
func changeOf(m compare.Metric) string {
	one := func(v float64) string { return signed(v*100) + " points" }
	bounds := func(v float64) string { return signed(v * 100) }
	unit := " points"
	switch {
	case m.A == slo.Infinite || m.B == slo.Infinite:
		return ""
	case m.Name == "goodput":
	case m.A > 0:
		one = func(v float64) string { return signed(v/m.A*100) + " %" }
		bounds = func(v float64) string { return signed(v / m.A * 100) }
		unit = " %"
	default:
		one, bounds, unit = plus, plus, ""
	}
	text := one(m.Difference)
	if m.Low != nil && m.High != nil {
		text += fmt.Sprintf(", 95 %% interval %s … %s%s", bounds(*m.Low), bounds(*m.High), unit)
	}
	return text
}

// signed writes a number of percent: one digit behind the point below ten.
func signed(v float64) string {
	places := 0
	if math.Abs(v) < 9.95 {
		places = 1
	}
	text := fmt.Sprintf("%+.*f", places, v)
	if strings.Trim(text, "+-0.") == "" {
		return "±0"
	}
	return strings.Replace(text, "-", "−", 1)
}
