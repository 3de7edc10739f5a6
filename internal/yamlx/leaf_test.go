package yamlx

import (
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
