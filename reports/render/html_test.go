package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func fixtures() map[string]result.Result {
	return map[string]result.Result{"pass": absorbed(), "fail": broken(), "unknown": doubtful()}
}

// TestKeepPages writes the pages where a person or a browser can look at them: BROWNOUT_PAGES=folder go test.
func TestKeepPages(t *testing.T) {
	dir := os.Getenv("BROWNOUT_PAGES")
	if dir == "" {
		t.Skip("BROWNOUT_PAGES names no folder")
	}
	for name, r := range fixtures() {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".html"), []byte(render(t, r)), 0o600))
	}
}

func render(t *testing.T, r result.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, HTML(&b, r))
	return b.String()
}

// element is one start tag with its text, if it has nothing but text.
type element struct {
	tag   string
	attrs map[string]string
	text  string
}

// parse reads a page, and fails where tags are not balanced.
func parse(t *testing.T, page string) []element {
	t.Helper()
	all, err := scan(page)
	require.NoError(t, err)
	return all
}

func scan(page string) ([]element, error) {
	void := map[string]bool{"meta": true, "input": true, "link": true, "br": true, "img": true, "base": true}
	z := html.NewTokenizer(strings.NewReader(page))
	var all []element
	var open []string
	last := -1
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				return nil, z.Err()
			}
			if len(open) > 0 {
				return nil, errors.New("never closed: " + strings.Join(open, " "))
			}
			return all, nil
		case html.StartTagToken:
			tok := z.Token()
			e := element{tag: tok.Data, attrs: map[string]string{}}
			for _, a := range tok.Attr {
				e.attrs[a.Key] = a.Val
			}
			all = append(all, e)
			last = len(all) - 1
			if !void[tok.Data] {
				open = append(open, tok.Data)
			}
		case html.SelfClosingTagToken:
			tok := z.Token()
			e := element{tag: tok.Data, attrs: map[string]string{}}
			for _, a := range tok.Attr {
				e.attrs[a.Key] = a.Val
			}
			all, last = append(all, e), -1
		case html.TextToken:
			if last >= 0 {
				all[last].text = string(z.Raw())
				last = -1
			}
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				return nil, errors.New("closes what is not open: " + tok.Data + " in " + strings.Join(open, " "))
			}
			open, last = open[:len(open)-1], -1
		}
	}
}

// loads lists what a page would fetch or run beyond its own two blocks of style and script.
func loads(all []element) []string {
	var out []string
	scripts := 0
	for _, e := range all {
		switch e.tag {
		case "script":
			scripts++
		case "link", "img", "iframe", "object", "embed", "base", "audio", "video", "source", "image", "use", "form":
			out = append(out, "<"+e.tag+">")
		}
		for k, v := range e.attrs {
			value := strings.ToLower(v)
			switch {
			case strings.HasPrefix(k, "on"), k == "style", k == "srcset", k == "src", k == "action", k == "formaction":
				out = append(out, e.tag+" "+k)
			case strings.HasSuffix(k, "href") && !strings.HasPrefix(v, "#"):
				out = append(out, e.tag+" "+k+" "+v)
			case strings.Contains(value, "url("):
				out = append(out, e.tag+" "+k+" "+v)
			}
		}
		if e.tag == "style" && regexp.MustCompile(`(?i)url\(|@import|https?:`).MatchString(e.text) {
			out = append(out, "style loads")
		}
		if e.tag == "script" && e.attrs["type"] == "" && regexp.MustCompile(`fetch\(|XMLHttp|import\(|innerHTML|https?:|eval`).MatchString(e.text) {
			out = append(out, "script loads")
		}
	}
	if scripts != 2 {
		out = append(out, "other scripts")
	}
	return out
}

func TestHTMLIsWholeAndOffline(t *testing.T) {
	for name, r := range fixtures() {
		t.Run(name, func(t *testing.T) {
			page := render(t, r)
			all := parse(t, page)
			require.Empty(t, loads(all))

			ids := map[string]int{}
			var svg, titles int
			for _, e := range all {
				if id := e.attrs["id"]; id != "" {
					ids[id]++
				}
				if e.tag == "svg" && e.attrs["role"] == "img" {
					svg++
				}
				if e.tag == "desc" && e.text != "" {
					titles++
				}
				if e.tag == "th" {
					require.NotEmpty(t, e.attrs["scope"], "every heading of a table says what it heads")
				}
			}
			for id, n := range ids {
				require.Equal(t, 1, n, "id %s", id)
			}
			for _, section := range []string{"timeline", "gates", "phases", "recovery", "outcomes", "events", "journal", "trust", "run"} {
				require.Contains(t, ids, section)
			}
			require.Equal(t, 18, svg, "six charts at three widths")
			require.Equal(t, svg, titles)
			for _, want := range []string{">" + string(r.Judgement.Verdict) + "<", r.Scenario.Name, "One GPU runs out of memory under load.", r.Run, "gpu.oom on n2/g1"} {
				require.Contains(t, page, want)
			}
			require.NotContains(t, page, "ZgotmplZ", "the template engine let every value through")
			require.NotContains(t, page, "NaN")
			require.NotContains(t, page, ">-0 s<")
		})
	}
}

func TestLoadsAndBalanceAreSeen(t *testing.T) {
	page := render(t, absorbed())
	for _, planted := range []string{`<img src="https://x/y.png">`, `<link rel="stylesheet" href="//x/y.css">`, `<a href="https://x">x</a>`,
		`<p onclick="x()">x</p>`, `<script src="x.js"></script>`, `<svg><rect fill="url(https://x)"></rect></svg>`, `<p style="color:red">x</p>`} {
		all, err := scan(strings.Replace(page, "<main", planted+"<main", 1))
		require.NoError(t, err)
		require.NotEmpty(t, loads(all), planted)
	}
	_, err := scan(strings.Replace(page, "</main>", "", 1))
	require.Error(t, err)
	_, err = scan(page + "<div>")
	require.Error(t, err)
}

func TestPolicyNamesExactlyWhatIsInline(t *testing.T) {
	all := parse(t, render(t, absorbed()))
	policy := ""
	for _, e := range all {
		if e.attrs["http-equiv"] == "Content-Security-Policy" {
			policy = e.attrs["content"]
		}
	}
	require.True(t, strings.HasPrefix(policy, "default-src 'none';"), policy)
	require.NotContains(t, policy, "unsafe")
	found := 0
	for _, e := range all {
		if e.tag == "style" || e.tag == "script" && e.attrs["type"] == "" {
			sum := sha256.Sum256([]byte(e.text))
			require.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
			found++
		}
	}
	require.Equal(t, 2, found)
}

// poison puts a hostile text into every string of a result.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		if v.Type().Elem().Kind() == reflect.String {
			v.SetMapIndex(reflect.ValueOf(text), reflect.ValueOf(text))
		} else if v.Type().Elem().Kind() == reflect.Int {
			v.SetMapIndex(reflect.ValueOf(text), reflect.ValueOf(3))
		}
	case reflect.String:
		v.SetString(text)
	default: // numbers harm nobody
	}
}

func TestHostileNamesStayText(t *testing.T) {
	for _, text := range []string{
		`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`,
		`</title></svg><svg onload=alert(1)>`, `--><!--<script>`, `javascript:alert(1)`, "`${alert(1)}`", `</style><style>@import "https://x"`,
	} {
		for _, fixture := range []func() result.Result{absorbed, broken} {
			r := fixture()
			poison(reflect.ValueOf(&r).Elem(), text)
			all := parse(t, render(t, r))
			require.Empty(t, loads(all), text)
		}
	}
}

func TestHoverRowsAreJSON(t *testing.T) {
	for _, e := range parse(t, render(t, broken())) {
		if e.attrs["id"] != "hover" {
			continue
		}
		var got hover
		require.NoError(t, json.Unmarshal([]byte(e.text), &got))
		require.Len(t, got.Rows, 47)
		require.Equal(t, hoverRow{From: 17, To: 18, Head: "17–18 s", Phase: "fault", Good: got.Rows[17].Good, SLI: "82.0 %", TTFT: got.Rows[17].TTFT,
			ITL: got.Rows[17].ITL, E2E: got.Rows[17].E2E, Tokens: got.Rows[17].Tokens, Actions: got.Rows[17].Actions}, got.Rows[17])
		require.Contains(t, got.Rows[17].Actions, "engine died × 1")
		require.Equal(t, "drain", got.Rows[44].Phase)
		return
	}
	require.Fail(t, "the page has no hover data")
}

func TestHTMLOfLittleOrMuch(t *testing.T) {
	t.Run("nothing", func(t *testing.T) {
		page := render(t, result.Result{})
		require.Empty(t, loads(parse(t, page)))
		require.Contains(t, page, ">unknown<")
	})
	t.Run("no such verdict", func(t *testing.T) {
		r := absorbed()
		r.Judgement.Verdict = "splendid"
		require.Contains(t, render(t, r), "<span>unknown</span>")
	})
	t.Run("an hour", func(t *testing.T) {
		r := absorbed()
		for s := range 3600 {
			r.Judgement.Series = append(r.Judgement.Series, slo.Second{At: s, Due: 1, Good: 1})
		}
		r.Seconds = 3600
		storm(&r, 40, 3600, 9000, "request.retried")
		page := render(t, r)
		parse(t, page)
		require.Less(t, len(page), 1<<20)
		require.Contains(t, page, "more events are not shown")
	})
	t.Run("broken stamps", func(t *testing.T) {
		r := broken()
		r.Judgement.Faults[0].Recovered = 1 << 62
		r.Judgement.Faults[0].Effective = 1
		require.NotContains(t, render(t, r), "NaN")
	})
}

func TestHTMLReportsAFullDisk(t *testing.T) {
	require.ErrorIs(t, HTML(full{}, absorbed()), io.ErrShortWrite)
	require.ErrorIs(t, Terminal(full{}, absorbed(), TerminalOptions{}), io.ErrShortWrite)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestHTMLSaysHowTheRateWasWritten(t *testing.T) {
	require.Equal(t, " (written as 60% of saturation)", written(result.LoadInfo{Written: "60%"}))
	require.Empty(t, written(result.LoadInfo{Rate: 154}))
}
