package render

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	junit "github.com/joshdk/go-junit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// tried is one trial; ttr 0 is absorbed, below 0 not recovered while it was watched.
func tried(k int, v slo.Verdict, ttr float64) series.Trial {
	f := series.Fault{Fault: "gpu.oom on gpu=n2/g1 for 7s reserve=99.5%", Kind: "gpu.oom", Targets: []string{"n2/g1"}, State: slo.Absorbed, TTD: new(0.09), Burn: new(0.0)}
	switch {
	case ttr > 0:
		f.State, f.Felt, f.TTR, f.TTM, f.Residual = slo.Recovered, true, new(ttr), new(ttr*0.8), new(0.0)
		f.OutOfSLO, f.Lost, f.Late, f.Burn = ttr, 40, 2, new(ttr/1000)
	case ttr < 0:
		f.State, f.Felt, f.Observed, f.OutOfSLO, f.Lost, f.Burn = slo.Censored, true, -ttr, -ttr, 900, new(0.02)
	}
	t := series.Trial{Number: k, Seed: uint64(k), Order: 2*k - 1, Delay: time.Duration(7*k) * time.Millisecond, Dir: fmt.Sprintf("2026-gpu-oom-%04d", k),
		Started: zero0(), Seconds: 47.2, Verdict: v, Trusted: true, Due: 5544, Good: 5500, Goodput: 0.992, TTFTP99: new(0.231), Faults: []series.Fault{f},
		Gates: []series.Gate{{Scope: "fault", Text: "goodput >= 99%", Verdict: v, Why: "goodput >= 99%: 98.1 % of requests in phase fault were good."}}}
	t.Figures = &series.Figures{Sent: 154, Completed: 153.9, Good: 152.8, Lost: 3, TTFTP50: new(0.044), TTFTP99: new(0.231), E2EP50: new(0.61), E2EP99: new(0.93), E2EWhole: new(0.61), TTR: f.TTR}
	if v == slo.Fail {
		t.Figures = &series.Figures{Sent: 154, Completed: 121.2, Good: 119.5, Lost: 1180, TTFTP50: new(0.051), TTFTP99: new(-1.0), E2EP50: new(0.7), E2EP99: new(-1.0), E2EWhole: new(0.66), TTR: f.TTR}
		t.ExitCode, t.TTFTP99 = 99, new(-1.0)
		t.Reasons = []slo.Reason{{Word: "gate", Text: t.Gates[0].Why}}
	}
	return t
}

func zero0() time.Time { return time.Date(2026, 11, 21, 11, 48, 1, 0, time.UTC) }

func trialsOf(v slo.Verdict, ttr ...float64) (out []series.Trial) {
	for i, one := range ttr {
		out = append(out, tried(i+1, v, one))
	}
	return out
}

// plenty is a series with something of everything.
func plenty() series.Series {
	full := trialsOf(slo.Pass, 0, 0, 0.41, 0, 0, 0.38, 0, 0, 0.44, 0, 0, 0)
	busy := &full[4]
	busy.Verdict, busy.Trusted, busy.ExitCode = slo.Unknown, false, 3
	busy.Reasons = []slo.Reason{{Word: "client-limited", Text: "The send lag p99 was 300 ms, and above 100 ms the numbers cannot be trusted."}}
	busy.Repeated = []series.Try{{Dir: "2026-gpu-oom-aaaa", Reasons: busy.Reasons}, {Dir: "2026-gpu-oom-bbbb", Reasons: busy.Reasons}}
	s := series.Series{Version: series.Version, Run: "20261121T114801-gpu-oom-7f3a", Started: zero0(), Seconds: 1312, Tool: "brownout test", Planned: 12,
		Period: 50 * time.Millisecond, ExitCode: 3,
		Scenario: series.Scenario{Name: "gpu-oom", File: "gpu-oom.yaml (built-in)", Question: "When one GPU of six runs out of memory under load, which users notice?", Published: "420 → 1,050 requests/s (asynchronous instead of synchronous handling).", Digest: "sha256:0123", Seed: 1,
			Gates: []slo.Gate{{Scope: "trials", Metric: series.Mean, Op: "<=", Value: 3, Text: "mttr <= 3s"}}},
		Variants: []series.Variant{
			{Name: "full", Role: series.Tested, Digest: "sha256:0123", Trials: full},
			{Name: "none", Role: series.Control, Set: []string{"target.refserver.resilience=none"}, Digest: "sha256:4567",
				Trials: trialsOf(slo.Fail, 8.2, 8.9, 9.4, -14, 8.8, 8.1, 10.2, 9.9, 8.4, -14, 8.6, 9)},
		}}
	s.Judge()
	return s
}

// hostileSeries has names that try to be more than names.
func hostileSeries() series.Series {
	s := plenty()
	nasty := "<script>alert(1)</script> \x1b[31m @team ]](javascript:x)"
	s.Scenario.Name, s.Scenario.Question, s.Scenario.Published, s.Tool = nasty, nasty, nasty, nasty
	s.Variants[0].Name, s.Variants[1].Set = nasty, []string{nasty}
	s.Variants[0].Trials[0].Faults[0].Kind = nasty
	s.Variants[1].Trials[0].Reasons = []slo.Reason{{Word: "gate", Text: nasty}}
	s.Judge()
	return s
}

func drawn(t *testing.T, draw func(io.Writer, series.Series) error, s series.Series) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, draw(&b, s))
	return b.String()
}

func onTerminal(w io.Writer, s series.Series) error {
	return SeriesTerminal(w, s, TerminalOptions{Width: 100, Report: "brownout-out/x/report.html"})
}

func TestSeriesTerminal(t *testing.T) {
	text := drawn(t, onTerminal, plenty())
	golden(t, "series.txt", text)
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, width(strings.TrimRight(line, "\n")), 100, line)
	}
	assert.NotContains(t, drawn(t, onTerminal, hostileSeries()), "\x1b")
}

func TestSeriesMarkdown(t *testing.T) {
	golden(t, "series.md", drawn(t, SeriesMarkdown, plenty()))
	tags, _ := seen(t, drawn(t, SeriesMarkdown, hostileSeries()))
	assert.Zero(t, tags["script"]+tags["a"])
}

// A series of the longest kind still fits a comment.
func TestSeriesMarkdownIsBounded(t *testing.T) {
	s := plenty()
	for len(s.Variants[0].Trials) < 1000 {
		s.Variants[0].Trials = append(s.Variants[0].Trials, tried(len(s.Variants[0].Trials)+1, slo.Fail, 3))
	}
	s.Judge()
	text := drawn(t, SeriesMarkdown, s)
	assert.Less(t, len(text), maxComment)
	assert.Contains(t, text, "more rows, in `report.html`")
	assert.Contains(t, text, "### Variant none")
}

func TestSeriesJUnit(t *testing.T) {
	text := drawn(t, SeriesJUnit, plenty())
	golden(t, "series.junit.xml", text)
	suites, err := junit.Ingest([]byte(text))
	require.NoError(t, err)
	require.Len(t, suites, 2)
	assert.Equal(t, junit.Totals{Tests: 25, Passed: 24, Error: 1}, withoutTime(suites[0].Totals), "12 trials, a gate each, one gate over all")
	assert.Equal(t, junit.Totals{Tests: 12, Passed: 12}, withoutTime(suites[1].Totals), "a control that fails is right")

	bad := plenty()
	bad.Variants[0].Trials[1] = tried(2, slo.Fail, 2)
	bad.Variants[1].Trials[1] = tried(2, slo.Pass, 0)
	bad.Judge()
	suites, err = junit.Ingest([]byte(drawn(t, SeriesJUnit, bad)))
	require.NoError(t, err)
	assert.Equal(t, 2, suites[0].Totals.Failed, "the trial and its gate")
	assert.Equal(t, 1, suites[1].Totals.Failed, "the control that passed")

	stopped := plenty()
	stopped.Variants[0].Trials = trialsOf(slo.Pass, 0)
	stopped.Stopped = "The series was interrupted."
	stopped.Judge()
	suites, err = junit.Ingest([]byte(drawn(t, SeriesJUnit, stopped)))
	require.NoError(t, err)
	assert.Equal(t, 1, suites[0].Totals.Error, "green cases do not make a stopped series green")

	if _, err := exec.LookPath("xmllint"); err == nil {
		path := filepath.Join(t.TempDir(), "x.xml")
		for _, s := range []series.Series{plenty(), bad, stopped, hostileSeries()} {
			require.NoError(t, os.WriteFile(path, []byte(drawn(t, SeriesJUnit, s)), 0o600))
			out, err := exec.CommandContext(t.Context(), "xmllint", "--noout", "--schema", "testdata/junit.xsd", path).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
	}
}

func TestSeriesHTML(t *testing.T) {
	page := drawn(t, SeriesHTML, plenty())
	links, scripts := 0, 0
	for _, e := range parse(t, page) {
		switch e.tag {
		case "a":
			if strings.HasSuffix(e.attrs["href"], "/report.html") {
				links++
				assert.NotContains(t, e.attrs["href"], ":")
			}
		case "script", "link", "img", "iframe":
			scripts++
		}
	}
	assert.Equal(t, 26, links, "one a trial and one a run given up")
	assert.Zero(t, scripts, "it loads and runs nothing")
	assert.Contains(t, page, `class="limit" d="M`, "what did not recover points on")
	parse(t, drawn(t, SeriesHTML, hostileSeries()))
	assert.NotContains(t, drawn(t, SeriesHTML, hostileSeries()), "<script>")
	if dir := os.Getenv("BROWNOUT_PAGES"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "series.html"), []byte(page), 0o600))
	}
}

// What a fault cost and what the load means for N − 1 is told in every format, however many reasons come first.
func TestBudgetAndCapacityAreTold(t *testing.T) {
	r := broken()
	r.Load.Rate, r.Load.Saturation, r.Load.ShareNMinus1, r.Target.Replicas = 154, 256.6, 154/213.8, 6
	burn := &slo.Burn{Bad: 1000, Share: 0.0025, Rate: 320, Outage: 6.49, Budget: 2592, Of: slo.Budget{Target: 0.999, Window: 30 * 24 * time.Hour}, Load: 154}
	r.Judgement.Faults[0].Burn = burn
	capacity := "154 requests/s is 60 % of what 6 replicas bear and 72 % of what 5 would."
	for _, reasons := range []int{0, 12} {
		one := r
		one.Summary = []string{"Fail: 2 of 7 gates did not hold."}
		for i := range reasons {
			one.Summary = append(one.Summary, fmt.Sprintf("Reason %d.", i))
		}
		one.Summary = append(one.Summary, burn.Sentence(), capacity)
		for name, shown := range map[string]string{"terminal": text(t, one, TerminalOptions{Width: 160}), "html": render(t, one), "markdown": markdownText(t, one)} {
			flat := strings.Join(strings.Fields(shown), " ")
			assert.Contains(t, strings.ReplaceAll(flat, "&#37;", "%"), "This fault alone burned 0.2 %", name)
			assert.Contains(t, strings.ReplaceAll(flat, "&#37;", "%"), "72 % of what 5 would.", name)
			if name == "markdown" {
				assert.Equal(t, 1, strings.Count(flat, "This fault alone burned"), "once is enough")
			}
		}
	}
}

func TestEmptySeries(t *testing.T) {
	s := series.Series{Version: series.Version, Run: "r", Planned: 3, Variants: []series.Variant{{Name: "a", Role: series.Tested}}, Stopped: "The series was interrupted."}
	s.Judge()
	for _, draw := range []func(io.Writer, series.Series) error{onTerminal, SeriesMarkdown, SeriesJUnit, SeriesHTML} {
		assert.NotEmpty(t, drawn(t, draw, s))
	}
}

func TestSeriesAgain(t *testing.T) {
	assert.Equal(t, "brownout run gpu-oom --seed 1 --trials 12 --variant full --variant none", seriesAgain(plenty()))
}
