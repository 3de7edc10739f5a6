package yamlx

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const settings = `
name: x
settings:
  router: {resumes: 0, first_token: 1h}
  cluster:
    addresses:
      - 127.0.0.1:1
      - "a, b"
    nested: [{k: [1, "2"]}, {}]
  preset: "8"
  "a.b": null
  empty: {}
`

func TestLeaves(t *testing.T) {
	var v map[string]any
	doc, err := Decode("x.yaml", []byte(settings), &v)
	require.NoError(t, err)
	var got []string
	for _, l := range doc.Leaves("settings") {
		got = append(got, l.Assignment())
	}
	assert.Equal(t, []string{
		"router.resumes=0", "router.first_token=1h", `cluster.addresses=["127.0.0.1:1", "a, b"]`,
		`cluster.nested=[{k: [1, "2"]}, {}]`, `preset="8"`, `["a.b"]=null`,
	}, got)
	for _, path := range []string{"nothing", "name", "settings.router.resumes", "settings.none"} {
		assert.Empty(t, doc.Leaves(path), path)
	}
}

// What Leaves takes apart, Set puts together again.
func TestLeavesAreAssignments(t *testing.T) {
	var v map[string]any
	doc, err := Decode("x.yaml", []byte(settings), &v)
	require.NoError(t, err)
	var assignments []string
	for _, l := range doc.Leaves("settings") {
		assignments = append(assignments, l.Assignment())
	}
	data, err := Set("y.yaml", nil, assignments)
	require.NoError(t, err)
	var back map[string]any
	_, err = Decode("y.yaml", data, &back)
	require.NoError(t, err)
	want := v["settings"].(map[string]any)
	delete(want, "empty") // nothing is set in it
	assert.Equal(t, want, back)
}

// Whatever the file, its leaves put together again are the same leaves; keys that a path cannot carry
// (with "=" or blanks) are left out.
func FuzzLeaves(f *testing.F) {
	for _, seed := range []string{settings, "a: 1", "a: {b: [x, {c: ~}], d: {}}", "a: \"1\"\nb: |\n  x\n  y\n", "- a", "a.b: [[], {}]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v map[string]any
		doc, err := Decode("f", data, &v)
		if err != nil {
			return
		}
		var want []string
		for _, l := range doc.Leaves("") {
			if !strings.ContainsAny(l.Path, "= \t\n\r") {
				want = append(want, l.Assignment())
			}
		}
		text, err := Set("g", nil, want)
		if err != nil {
			t.Fatalf("%q: leaves %q do not go together: %v", data, want, err)
		}
		again, err := Decode("g", text, &v)
		if err != nil {
			t.Fatalf("%q: leaves %q became %q: %v", data, want, text, err)
		}
		var got []string
		for _, l := range again.Leaves("") {
			got = append(got, l.Assignment())
		}
		if !slices.Equal(want, got) {
			t.Fatalf("%q: leaves %q came back as %q", data, want, got)
		}
	})
}
