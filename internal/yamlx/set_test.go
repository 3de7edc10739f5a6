package yamlx

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const scenario = `# why
load:
  arrivals: {process: poisson, rate: 130/s}   # open loop
faults:
  - {at: fault+1s, inject: "gpu.oom on gpu=n2/g1 for 10s"}
name: "42"
`

func TestSet(t *testing.T) {
	for _, row := range []struct {
		assignments []string
		want        string
	}{
		{nil, scenario},
		{[]string{"load.arrivals.rate=5/m"}, `
load:
  arrivals:
    process: poisson
    rate: 5/m
faults:
  -
    at: fault+1s
    inject: gpu.oom on gpu=n2/g1 for 10s
name: "42"
`},
		{[]string{"load.arrivals={rate: 7/s}", "faults[0].at=3s", `faults[1]={at: 4s, inject: "x: y"}`, "slo.gates.fault=[goodput >= 99%, 'p99 ttft <= 1s']", "name=x", `h["a.b"]=true`, "e="}, `
load:
  arrivals:
    rate: 7/s
faults:
  -
    at: 3s
    inject: gpu.oom on gpu=n2/g1 for 10s
  -
    at: 4s
    inject: "x: y"
name: x
slo:
  gates:
    fault:
      - goodput >= 99%
      - p99 ttft <= 1s
h:
  a.b: true
e: null
`},
		{[]string{"faults=[]", "load={}", "a=1", "a=2"}, "load: {}\nfaults: []\nname: \"42\"\na: 2\n"},
	} {
		got, err := Set("f", []byte(scenario), row.assignments)
		require.NoError(t, err)
		assert.Equal(t, strings.TrimPrefix(row.want, "\n"), string(got), "%q", row.assignments)
		again, err := Set("f", got, []string{"z=1"})
		require.NoError(t, err)
		assert.Equal(t, strings.TrimPrefix(stripped(t, row.want), "\n")+"z: 1\n", string(again), "emitting is stable")
	}
}

// stripped is text as emit writes it.
func stripped(t *testing.T, text string) string {
	root, problems := parse("f", []byte(text))
	require.Empty(t, problems)
	return string(emit(root))
}

func TestSetProblems(t *testing.T) {
	for assignment, want := range map[string]string{
		"load":                           `--set load: this is not an assignment; write key.key=value`,
		"=3":                             `--set =3: this is not an assignment; write key.key=value`,
		"a..b=3":                         `--set a..b=3: this is not an assignment; write key.key=value`,
		"a[x]=3":                         `--set a[x]=3: this is not an assignment; write key.key=value`,
		"name.first=3":                   `--set name.first=3: name is "42" and has no keys; set the whole of it`,
		"faults.at=3":                    `--set faults.at=3: faults is a list and has no keys; set the whole of it`,
		"faults[5].at=3s":                `--set faults[5].at=3s: faults has only 1 items; use an index up to 1`,
		"load[0]=3":                      `--set load[0]=3: load is not a list; use key.key=value`,
		"load=[":                         `--set load=[: this is not YAML: sequence end token ']' not found; check indentation, quotes and brackets`,
		"load=&a x":                      `--set load=&a x: anchors and aliases are not read; write the value out`,
		"load=a\n---\nb":                 "--set load=a\n---\nb: a second document begins here; keep one document a file",
		strings.Repeat("a.", 70) + "a=1": "the path has more than 64 parts; shorten it",
	} {
		_, err := Set("f", []byte(scenario), []string{assignment})
		require.Error(t, err, assignment)
		assert.Contains(t, err.Error(), want)
	}
}

func TestLoadNamesTheAssignment(t *testing.T) {
	var v struct {
		Load   struct{ Rate Rate } `yaml:"load"`
		Faults any                 `yaml:"faults"`
		Name   string              `yaml:"name"`
	}
	doc, err := Load("f.yaml", []byte("load: {rate: 1/s}\nname: 3\n"), []string{"load.rate=fast", "laod.rate=3/s", "x[=1"}, &v)
	require.Error(t, err)
	assert.Equal(t, strings.Join([]string{
		`--set x[=1: this is not an assignment; write key.key=value`,
		`--set laod.rate=3/s: laod: there is no key "laod" here; did you mean "load"?`,
		`--set load.rate=fast: load.rate: "fast" is not a rate; write for example 130/s`,
		`f.yaml:2:7: name: "3" is not a text; put it in quotes if it is meant`,
	}, "\n"), err.Error())
	assert.Equal(t, "f.yaml:2:7", doc.Pos("name").String(), "positions are the file's own")
}

func TestEffectiveAndDigest(t *testing.T) {
	var v any
	digest := func(text string, set ...string) string {
		doc, err := Load("f", []byte(text), set, &v)
		require.NoError(t, err)
		if len(set) == 0 {
			assert.Equal(t, text, string(doc.Effective()))
		}
		return doc.Digest()
	}
	base := digest("a: 1\nb: {c: x, d: [1, 2]}\n")
	assert.Equal(t, base, digest("# words\nb:\n  d:\n  - 1\n  - 2\n  c: \"x\"\na: 1"), "order and layout")
	assert.Equal(t, base, digest("a: 0\nb: {c: x, d: [1]}", "a=1", "b.d[1]=2"), "overrides count as written")
	assert.NotEqual(t, base, digest("a: 1\nb: {c: x, d: [2, 1]}"), "the order of lists counts")
	assert.NotEqual(t, base, digest("a: \"1\"\nb: {c: x, d: [1, 2]}"), "a text is not a number")
	assert.Len(t, base, 64)
}
