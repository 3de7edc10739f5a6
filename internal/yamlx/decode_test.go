package yamlx

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type inner struct {
	Rate  Rate          `yaml:"rate"`
	Share Share         `yaml:"share"`
	Wait  Duration      `yaml:"wait"`
	Plain time.Duration `yaml:"plain"`
}

// either is one number or a map: a type with a short form.
type either struct {
	Mean   float64 `yaml:"mean"`
	Spread float64 `yaml:"spread"`
}

func (e *either) UnmarshalText(text []byte) error {
	var err error
	if e.Mean, err = strconv.ParseFloat(string(text), 64); err != nil {
		return errors.New("is not a size")
	}
	return nil
}

type outer struct {
	Name    string            `yaml:"name"`
	On      bool              `yaml:"on"`
	Count   int               `yaml:"count"`
	Port    uint16            `yaml:"port"`
	Ratio   float64           `yaml:"ratio"`
	Inner   inner             `yaml:"inner"`
	Maybe   *inner            `yaml:"maybe"`
	List    []inner           `yaml:"list"`
	Words   []string          `yaml:"words"`
	Headers map[string]string `yaml:"headers"`
	Free    map[string]any    `yaml:"free"`
	Either  either            `yaml:"either"`
	Hidden  string            `yaml:"-"`
	Untag   string
}

func TestDecodeAll(t *testing.T) {
	v := outer{Ratio: 7, Inner: inner{Wait: 9}}
	doc, err := Decode("f.yaml", []byte(`
# a comment
name: "123"
on: True
count: -1_000
port: 8080
inner: {rate: 90/m, share: 60%, plain: 1m30s}
maybe:
  share: 0.25
list:
  - rate: 130/s
  - {wait: 500ms}
words: [goodput >= 99%, "p99 ttft <= 1s"]
headers:
  x.y: "1"
  authorization: Bearer x
free: {a: 1, b: [true, 1.5, text, ~], c: {d: "2"}}
either: 512
untag: >-
  folded
  text
`), &v)
	require.NoError(t, err)
	assert.Equal(t, outer{
		Name: "123", On: true, Count: -1000, Port: 8080, Ratio: 7,
		Inner: inner{Rate: 1.5, Share: 0.6, Wait: 9, Plain: 90 * time.Second},
		Maybe: &inner{Share: 0.25},
		List:  []inner{{Rate: 130}, {Wait: Duration(500 * time.Millisecond)}},
		Words: []string{"goodput >= 99%", "p99 ttft <= 1s"}, Headers: map[string]string{"x.y": "1", "authorization": "Bearer x"},
		Free:   map[string]any{"a": int64(1), "b": []any{true, 1.5, "text", nil}, "c": map[string]any{"d": "2"}},
		Either: either{Mean: 512}, Untag: "folded text",
	}, v)

	for path, want := range map[string]string{
		"name": "f.yaml:3:7", "inner.share": "f.yaml:7:28", "maybe": "f.yaml:8:1", "maybe.share": "f.yaml:9:10",
		"list[1].wait": "f.yaml:12:12", "words[1]": "f.yaml:13:25", `headers["x.y"]`: "f.yaml:15:8",
		"inner.nothing": "f.yaml:7:1", "list[7].rate": "f.yaml:10:1", "nothing.at.all": "f.yaml:3:1", "": "f.yaml:3:1", "bad..path": "f.yaml:3:1",
	} {
		assert.Equal(t, want, doc.Pos(path).String(), path)
	}
	assert.True(t, doc.Has("inner.share"))
	assert.False(t, doc.Has("inner.wait"))
}

func TestDecodeShortOrLongForm(t *testing.T) {
	var v outer
	_, err := Decode("f", []byte("either: {mean: 3, spread: 1}"), &v)
	require.NoError(t, err)
	assert.Equal(t, either{Mean: 3, Spread: 1}, v.Either)
}

func TestEmptyFileIsAnEmptyMap(t *testing.T) {
	for _, text := range []string{"", "\n", "# only words\n", "---\n", "\ufeff", "null", "\ufeffname: x"} {
		v := outer{Count: 3}
		doc, err := Decode("f", []byte(text), &v)
		require.NoError(t, err, "%q", text)
		assert.Equal(t, 3, v.Count, "defaults stay")
		assert.Equal(t, "f", doc.Pos("x").File)
	}
}

// Every row plants one mistake; the message is the contract.
func TestProblems(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"naem: x", `f:1:1: naem: there is no key "naem" here; did you mean "name"?`},
		{"inner: {raet: 1/s}", `f:1:9: inner.raet: there is no key "raet" here; did you mean "rate"?`},
		{"inner: {zzzzzz: 1/s}", `f:1:9: inner.zzzzzz: there is no key "zzzzzz" here; known are plain, rate, share, wait`},
		{"hidden: x", `f:1:1: hidden: there is no key "hidden" here; known are count, either, free, headers, inner, list, maybe, name, on, port, ratio, untag, words`},
		{"name: a\non: true\nname: b", `f:3:1: name: is written twice, first on line 1; keep one of the two`},
		{"headers: {a: x, a: y}", `f:1:17: headers.a: is written twice, first on line 1; keep one of the two`},
		{"free: {a: {b: 1, b: 2}}", `f:1:18: free.a.b: is written twice, first on line 1; keep one of the two`},
		{"name: 123", `f:1:7: name: "123" is not a text; put it in quotes if it is meant`},
		{"name: true", `f:1:7: name: "true" is not a text; put it in quotes if it is meant`},
		{"name: [a]", `f:1:1: name: a list where a text is wanted; put it in quotes if it is meant`},
		{"name:", `f:1:1: name: has no value; write one, or remove the key`},
		{"on: yes", `f:1:5: on: "yes" is not a yes or no; write true or false`},
		{"count: 1.5", `f:1:8: count: "1.5" is not a whole number; write for example 3`},
		{"count: 99999999999999999999", `f:1:8: count: "99999999999999999999" is not a whole number; write for example 3`},
		{`count: "3"`, `f:1:8: count: "3" is not a whole number; write for example 3`},
		{"port: 70000", `f:1:7: port: "70000" is not a whole number from 0 to 65535; write for example 3`},
		{"port: -1", `f:1:7: port: "-1" is not a whole number from 0 to 65535; write for example 3`},
		{"ratio: .nan", `f:1:8: ratio: ".nan" is not a number; write for example 1.5`},
		{"ratio: 1e999", `f:1:8: ratio: "1e999" is not a number; write for example 1.5`},
		{"ratio: 0x1p4", `f:1:8: ratio: "0x1p4" is not a number; write for example 1.5`},
		{"inner: 3", `f:1:8: inner: "3" where a map is wanted; write keys under it: plain, rate, share, wait`},
		{"headers: [a]", `f:1:1: headers: a list where a map is wanted; write name: value under it`},
		{"words: a", `f:1:8: words: "a" where a list is wanted; write [a, b] or one "- " line an item`},
		{"words: [a, [b]]", `f:1:12: words[1]: a list where a text is wanted; put it in quotes if it is meant`},
		{"inner: {plain: 10}", `f:1:16: inner.plain: "10" is not a duration; write for example 10s or 500ms`},
		{"inner: {wait: 10}", `f:1:15: inner.wait: "10" has no unit; write for example 10s or 10ms`},
		{"inner: {wait: -1s}", `f:1:15: inner.wait: "-1s" is negative; write for example 10s or 500ms`},
		{"inner: {wait: soon}", `f:1:15: inner.wait: "soon" is not a duration; write for example 10s or 500ms`},
		{"inner: {rate: fast}", `f:1:15: inner.rate: "fast" is not a rate; write for example 130/s`},
		{"inner: {rate: 130}", `f:1:15: inner.rate: "130" has no unit; write 130/s, /m or /h`},
		{"inner: {rate: 5/day}", `f:1:15: inner.rate: "5/day" is not a rate; write for example 130/s`},
		{"inner: {rate: -1/s}", `f:1:15: inner.rate: "-1/s" is negative; write for example 130/s`},
		{"inner: {share: most}", `f:1:16: inner.share: "most" is not a share; write for example 60% or 0.6`},
		{"inner: {share: 60}", `f:1:16: inner.share: "60" is more than the whole; write 60% if per cent are meant`},
		{"inner: {share: 120%}", `f:1:16: inner.share: "120%" is not between 0% and 100%; write for example 60% or 0.6`},
		{"either: x", `f:1:9: either: is not a size`},
		{"[a, b]", `f:1:1: a list where a map is wanted; write keys under it: `},
		{"text", `f:1:1: "text" where a map is wanted; write keys under it: `},
		{"name: a\n---\nname: b", `f:3:5: a second document begins here; keep one document a file`},
		{"name: &a x", `f:1:7: anchors and aliases are not read; write the value out`},
		{"name: *a", `f:1:7: anchors and aliases are not read; write the value out`},
		{"name: !!str x", `f:1:7: "!!str" is a tag or directive, and these are not read; remove it, or quote the text`},
		{"inner:\n  <<: x", `f:2:3: merge keys (<<) are not read; write the keys out`},
		{"? a\n: b", `f:1:1: complex keys (?) are not read; write the key as plain text`},
		{"name: 'open", `f:1:7: this is not YAML: could not find end character of single-quoted text; check indentation, quotes and brackets`},
		{"inner: {rate: 1/s", `f:1:8: this is not YAML: could not find flow mapping end token '}'; check indentation, quotes and brackets`},
		{"\tname: x", `f:1:5: this is not YAML: tab character cannot use as a map key directly; check indentation, quotes and brackets`},
		{"name: \xff", `f: the file is not UTF-8 text; save it as UTF-8`},
		{"words: " + strings.Repeat("[", 65), `f:1:72: more than 64 lists and maps lie inside one another; flatten it`},
		{strings.Repeat("- ", 65), `f:1:129: more than 64 lists and maps lie inside one another; flatten it`},
		{strings.Repeat("a", MaxSize+1), `f: the file has 1048577 bytes, and 1048576 are allowed; split it`},
		{strings.Repeat("a,", MaxTokens), ``},
		{"[" + strings.Repeat("a,", MaxTokens) + "]", `f: the file has 100002 words and signs, and 50000 are allowed; split it`},
	} {
		t.Run(strings.ToValidUTF8(row.text[:min(len(row.text), 24)], "?"), func(t *testing.T) {
			var v outer
			doc, err := Decode("f", []byte(row.text), &v)
			require.Error(t, err)
			require.NotNil(t, doc)
			problems, ok := errors.AsType[Problems](err)
			require.True(t, ok)
			if row.want != "" {
				require.Len(t, problems, 1, "%v", err)
				if strings.HasSuffix(row.want, "; ") || strings.HasSuffix(row.want, ": ") {
					assert.Contains(t, err.Error(), strings.TrimSuffix(row.want, "; "))
				} else {
					assert.Equal(t, row.want, err.Error())
				}
			}
		})
	}
}

func TestAllProblemsAtOnceByLine(t *testing.T) {
	var v outer
	_, err := Decode("f", []byte("port: x\nnaem: a\nwords: 3\ninner: {rate: 3, wait: 4}\n"), &v)
	assert.Equal(t, strings.Join([]string{
		`f:1:7: port: "x" is not a whole number from 0 to 65535; write for example 3`,
		`f:2:1: naem: there is no key "naem" here; did you mean "name"?`,
		`f:3:8: words: "3" where a list is wanted; write [a, b] or one "- " line an item`,
		`f:4:15: inner.rate: "3" has no unit; write 3/s, /m or /h`,
		`f:4:24: inner.wait: "4" has no unit; write for example 4s or 4ms`,
	}, "\n"), err.Error())
	p, ok := errors.AsType[Problem](err)
	require.True(t, ok, "single problems can be found")
	assert.Equal(t, 1, p.Line)
}

func TestProblemsAreBounded(t *testing.T) {
	var v outer
	_, err := Decode("f", []byte(strings.Repeat("bad: 1\n", 5000)), &v)
	problems, _ := errors.AsType[Problems](err)
	assert.Len(t, problems, MaxProblems+1)
	assert.Contains(t, problems[MaxProblems].What, "more problems")
}

func TestTouches(t *testing.T) {
	ps := Problems{{Path: "load.arrivals.rate"}}
	for path, want := range map[string]bool{"load.arrivals.rate": true, "load": true, "load.arrivals.rate.x": true, "load.arrivals.rat": false, "load.arrivals.rates": false, "slo": false} {
		assert.Equal(t, want, ps.Touches(path), path)
	}
}

func TestUnitsReadBackWhatTheyWrite(t *testing.T) {
	for _, d := range []time.Duration{0, time.Nanosecond, time.Millisecond, 90 * time.Second, time.Minute, time.Hour, 25 * time.Hour, time.Hour + time.Second} {
		var back Duration
		require.NoError(t, back.UnmarshalText([]byte(Duration(d).String())))
		assert.Equal(t, d, time.Duration(back))
		assert.NotContains(t, strings.TrimPrefix(Duration(d).String(), "0s"), "m0s")
	}
	for _, s := range []Share{0, 0.005, 0.07, 0.6, 0.995, 0.9999, 1} {
		var back Share
		require.NoError(t, back.UnmarshalText([]byte(s.String())))
		assert.InDelta(t, float64(s), float64(back), 1e-12)
	}
	for text, want := range map[string]Rate{"130/s": 130, "90/m": 1.5, "90/min": 1.5, "3600/h": 1, "0.5 / s": 0.5, "2e5/s": 2e5} {
		var r, back Rate
		require.NoError(t, r.UnmarshalText([]byte(text)))
		assert.InDelta(t, float64(want), float64(r), 1e-9)
		require.NoError(t, back.UnmarshalText([]byte(r.String())))
		assert.InEpsilon(t, float64(r), float64(back), 1e-15)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"arrivals", "prompt_tokens", "output_tokens", "stream"}
	for word, want := range map[string]string{"arrival": "arrivals", "steam": "stream", "Stream": "stream", "promt_token": "prompt_tokens", "x": "", "banana": "", "straem": "stream"} {
		assert.Equal(t, want, Nearest(word, known), word)
	}
}
