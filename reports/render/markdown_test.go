package render

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func markdownText(t *testing.T, r result.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Markdown(&b, r))
	return b.String()
}

func TestMarkdown(t *testing.T) {
	for name, r := range fixtures() {
		golden(t, name+".md", markdownText(t, r))
	}
}

// seen is the page a forge makes of the text: its tags, and the words a reader sees outside of code.
func seen(t *testing.T, text string) (tags map[string]int, words string) {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	var page bytes.Buffer
	require.NoError(t, md.Convert([]byte(text), &page))
	tags = map[string]int{}
	var b strings.Builder
	code := 0
	z := nethtml.NewTokenizer(&page)
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return tags, b.String()
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			tok := z.Token()
			tags[tok.Data]++
			if tok.Data == "code" {
				code++
			}
		case nethtml.EndTagToken:
			if z.Token().Data == "code" {
				code--
			}
		case nethtml.CommentToken:
			tags["comment"]++
		case nethtml.TextToken:
			if code == 0 {
				b.WriteString(z.Token().Data)
			}
		}
	}
}

// reference is what a forge turns into a mention or a cross-reference.
var reference = regexp.MustCompile(`(?:^|[^\p{L}\p{N}])[@#!~$&^][\p{L}\p{N}_"]`)

func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `</details><h1>x</h1>`, `<!-- x`, `-->`, `&lt;b&gt;`,
		`[x](https://evil.example)`, `![x](https://evil.example/x.png)`, `[x]: https://evil.example`, `https://evil.example`, `www.evil.example`,
		`mail@evil.example`, `@team please look`, `fixes #1`, `org/repo#1`, `!12`, `~label`, `$1 $x$`, `/close`, `/label ~x`,
		"a | b | c", "|", `\|`, "x\n\n# heading", "\n/close\n", "```\nx", "`", "``````", "~~~", "**bold**", "__bold__", "*x*", "_x_", "~~x~~", "- [ ] x", "1. x",
		"    code", "===", "\u202egnp", "\x1b[2J", "<https://evil.example>", "$(rm -rf /)", "'; rm -rf / #", "xmpp:a@b.example/x", "ftp://evil.example",
	}
}

func TestHostileNamesStayTextInMarkdown(t *testing.T) {
	for _, fixture := range []func() result.Result{absorbed, broken, doubtful} {
		harmless := fixture()
		poison(reflect.ValueOf(&harmless).Elem(), "word")
		want, _ := seen(t, markdownText(t, harmless))
		for _, text := range hostile() {
			r := fixture()
			poison(reflect.ValueOf(&r).Elem(), text)
			raw := markdownText(t, r)
			tags, words := seen(t, raw)
			assert.Equal(t, want, tags, "%q changes the page", text)
			assert.Empty(t, reference.FindString(words), "%q refers to something", text)
			for line := range strings.Lines(raw) {
				assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "/"), "%q may be a quick action: %s", text, line)
			}
			assert.NotContains(t, raw, "\x1b")
			assert.NotContains(t, raw, "\u202e")
		}
	}
}

// Negative control: without the escaping the same texts do change the page or refer to something.
func TestHostileNamesAreHostile(t *testing.T) {
	want, _ := seen(t, "| a | word |\n|---|---|\n| b | word |\n")
	caught := 0
	for _, text := range hostile() {
		tags, words := seen(t, fmt.Sprintf("| a | %s |\n|---|---|\n| b | %s |\n", text, text))
		if !reflect.DeepEqual(want, tags) || reference.MatchString(words) {
			caught++
		}
	}
	assert.Greater(t, caught, 20)
}

func TestMarkdownFitsAComment(t *testing.T) {
	r := broken()
	for len(r.Judgement.Gates) < 500 {
		r.Judgement.Gates = append(r.Judgement.Gates, r.Judgement.Gates...)
	}
	for len(r.Judgement.Faults) < 100 {
		r.Judgement.Faults = append(r.Judgement.Faults, r.Judgement.Faults...)
	}
	for len(r.Judgement.Phases) < 100 {
		r.Judgement.Phases = append(r.Judgement.Phases, r.Judgement.Phases...)
	}
	for len(r.Judgement.Guards) < 100 {
		r.Judgement.Guards = append(r.Judgement.Guards, r.Judgement.Guards...)
	}
	for range 500 {
		r.Judgement.Reasons = append(r.Judgement.Reasons, slo.Reason{})
		r.Summary = append(r.Summary, "")
	}
	for _, name := range []string{"x", strings.Repeat("@a<|", 5000)} {
		poison(reflect.ValueOf(&r).Elem(), name)
		got := markdownText(t, r)
		assert.Less(t, len(got), 65536)
		assert.Contains(t, got, "more rows")
		assert.Contains(t, got, "</details>\n")
	}
}

func TestMarkdownOfNothing(t *testing.T) {
	got := markdownText(t, result.Result{})
	assert.Contains(t, got, "UNKNOWN")
	assert.Contains(t, got, "The scenario has no gates.")
}

func TestAdvice(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*result.Result)
		says   string
	}{
		"not well to begin with": {func(r *result.Result) { r.Judgement.Gates[0].Verdict = slo.Fail }, "A gate on before failed before anything was injected"},
		"nobody noticed":         {func(r *result.Result) { r.Judgement.Faults[0].TTD = nil }, "Nothing in the service noticed gpu.oom on n2/g1"},
		"never recovered":        {func(r *result.Result) { r.Judgement.Faults[0].State = slo.Censored }, "was not recovered from"},
		"lost":                   {func(*result.Result) {}, "231 requests were lost"},
		"starved":                {func(r *result.Result) { *r = doubtful() }, "The load generator was starved"},
		"unproven":               {func(r *result.Result) { *r = doubtful() }, "could not be proven"},
		"a word of tomorrow": {func(r *result.Result) {
			*r = doubtful()
			r.Judgement.Reasons = []slo.Reason{{Word: "eclipse", Text: "It was dark."}}
		}, "eclipse: It was dark."},
		"near a limit": {func(r *result.Result) { *r = absorbed(); r.Judgement.Guards[0].Got = 0.049 }, "came near its limit"},
		"all well":     {func(r *result.Result) { *r = absorbed() }, "Nothing: every gate holds"},
	} {
		r := broken()
		tc.change(&r)
		assert.Contains(t, strings.Join(advice(r), "\n"), tc.says, name)
	}
	r := broken()
	r.Judgement.Faults[0].Planned = time.Second
	assert.NotContains(t, strings.Join(advice(r), "\n"), "begin with")
}

func TestAgain(t *testing.T) {
	r := broken()
	assert.Equal(t, "brownout run gpu-oom-none --seed 42 --set load.rate=130", again(r))
	r.Scenario.File, r.Scenario.Set = "my tests/it's.yaml", []string{"a=$(x)"}
	r.Target.Kind, r.Target.URL = "foreign", "https://llm.example:8443"
	assert.Equal(t, `brownout run 'my tests/it'\''s.yaml' --seed 42 --set 'a=$(x)' --target https://llm.example:8443`, again(r))
	r.Scenario = result.Scenario{Name: "steady", Seed: 7}
	r.Target = result.Target{Kind: "foreign", URL: "http://h", KeyEnv: "KEY", Headers: map[string]string{"X-B": "env:B", "X-A": "1"},
		CAFile: "ca.pem", ExtraBody: map[string]any{"temperature": 0}, MaxRate: 50}
	assert.Equal(t, `brownout run steady --seed 7 --target http://h --key-env KEY --header X-A=1 --header X-B=env:B --ca-file ca.pem --body '{"temperature":0}' --max-rate 50/s`, again(r))
}

func TestTokensBy(t *testing.T) {
	assert.Empty(t, tokensBy(result.TokenSources{}))
	assert.Equal(t, "by the server's usage", tokensBy(result.TokenSources{Usage: 3}))
	assert.Contains(t, tokensBy(result.TokenSources{Chunks: 3}), "estimate: no answer carried usage")
	assert.Contains(t, tokensBy(result.TokenSources{Usage: 1200, Chunks: 3}), "in 3 of 1,203 answers")
}
