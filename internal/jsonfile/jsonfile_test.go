package jsonfile

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const schema = `{"type": "object", "required": ["version", "list"], "properties": {
  "version": {"const": "x/v1"}, "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "number"}}}}}}`

func TestCheck(t *testing.T) {
	s, err := Compile([]byte(schema))
	require.NoError(t, err)
	for text, want := range map[string]string{
		`{"version": "x/v1", "list": []}`:           "",
		`{"version": "x/v2", "list": 3}`:            `its version is "x/v2", and this program reads "x/v1"`,
		`{"version": "x/v1"}`:                       "the file lacks list",
		`{"version": "x/v1", "list": [{"n": "a"}]}`: "list[0].n is string where number belongs",
		"{\n\"version\" 3}":                         "line 2 is not JSON",
		`{"version": "x/v1", "list": [], "p": "0123456789 0123456789 0123456789 0123456789 0123456789"}`: "it is larger",
	} {
		err := Check([]byte(text), 80, "x/v1", s)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
	_, err = Compile([]byte(`{"type": 3}`))
	assert.Error(t, err)
}

type inner struct {
	Values []float64
	Map    map[string]float64
	Far    *float64
}

func TestNormal(t *testing.T) {
	in := struct{ List []inner }{[]inner{{}}}
	out, err := Normal(in)
	require.NoError(t, err)
	assert.NotNil(t, out.List[0].Values)
	assert.NotNil(t, out.List[0].Map)
	assert.Nil(t, in.List[0].Values, "the caller's value stays")
	in.List[0].Values = []float64{1, math.NaN()}
	_, err = Normal(in)
	require.ErrorContains(t, err, "List[0].Values[1] is NaN")
	in.List[0].Values, in.List[0].Far = nil, new(math.Inf(1))
	_, err = Normal(in)
	assert.ErrorContains(t, err, "List[0].Far is +Inf")
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f.json")
	for _, text := range []string{"old and longer", "new"} {
		require.NoError(t, Replace(path, []byte(text)))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file is left")
	assert.Error(t, Replace(filepath.Join(dir, "nowhere", "f.json"), nil))
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.json")
	require.NoError(t, os.WriteFile(file, []byte("12345"), 0o600))
	for _, path := range []string{dir, file} {
		text, at, read, err := Find(path, "x.json", 3)
		require.NoError(t, err)
		assert.Equal(t, []any{"1234", file, true}, []any{string(text), at, read}, "one byte more than allowed, to be seen")
	}
	_, at, read, err := Find(t.TempDir(), "x.json", 3)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.False(t, read)
	assert.Contains(t, at, "x.json")
}
