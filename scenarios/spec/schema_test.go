package spec

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("schema.json")
	require.NoError(t, err)
	return s
}

func instance(t *testing.T, text []byte) any {
	t.Helper()
	data, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	require.NoError(t, err)
	return v
}

func TestSchemaAcceptsWhatParseAccepts(t *testing.T) {
	files, err := filepath.Glob("../library/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, schema(t).Validate(instance(t, data)), file)
	}
	assert.NoError(t, schema(t).Validate(instance(t, []byte(base))))
}

func TestSchemaSeesMistakes(t *testing.T) {
	s := schema(t)
	for _, name := range []string{"another format", "no rate", "misspelt key", "rate without unit", "unknown process", "prompt of zero",
		"name in capitals", "no phases", "objective above one", "gate without a comparison", "negative seed", "no injection"} {
		for _, m := range mistakes() {
			if m[0] == name {
				text := strings.Replace(base, m[1], m[2], 1)
				assert.Error(t, s.Validate(instance(t, []byte(text))), name)
			}
		}
	}
}

// The schema and the format have the same keys, so neither can be forgotten.
func TestSchemaHasEveryKey(t *testing.T) {
	same(t, "", reflect.TypeFor[file](), schema(t))
}

func same(t *testing.T, path string, typ reflect.Type, s *jsonschema.Schema) {
	for s.Ref != nil {
		s = s.Ref
	}
	if typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
		if inner, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && typ.Kind() == reflect.Map {
			s = inner
		}
		same(t, path, typ.Elem(), s)
		return
	}
	for _, option := range s.AnyOf {
		if option.Properties != nil {
			s = option
		}
	}
	switch {
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
		items, ok := s.Items2020, s.Items2020 != nil
		require.True(t, ok, path)
		same(t, path+"[]", typ.Elem(), items)
	case typ.Kind() == reflect.Struct:
		var want, got []string
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("yaml")
			want = append(want, key)
			if inner, ok := s.Properties[key]; ok {
				same(t, path+"."+key, typ.Field(i).Type, inner)
			}
		}
		for key := range s.Properties {
			got = append(got, key)
		}
		assert.ElementsMatch(t, want, got, "keys of %q", path)
		assert.Equal(t, false, s.AdditionalProperties, "%q is strict", path)
	}
}
