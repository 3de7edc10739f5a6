package result

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/jsonfile"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
)

// filled is a result in which no field of any type has its zero value.
func filled() Result {
	var r Result
	fill(reflect.ValueOf(&r).Elem())
	r.Version = Version
	return r
}

func fill(v reflect.Value) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 21, 11, 48, 1, 0, time.UTC)))
		return
	case reflect.TypeFor[slo.Verdict]():
		v.SetString(string(slo.Fail))
		return
	case reflect.TypeFor[slo.RecoveryState]():
		v.SetString(string(slo.Censored))
		return
	case reflect.TypeFor[record.Outcome]():
		v.SetUint(uint64(record.RateLimited))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") == "-" {
				continue
			}
			if fill(v.Field(i)); v.Type().Field(i).Name == "Op" {
				v.Field(i).SetString(">=")
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e)
		v.SetMapIndex(reflect.ValueOf("key"), e)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Interface:
		v.Set(reflect.ValueOf("any"))
	case reflect.String:
		v.SetString("word")
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1_795_261_681_000_000_001) // beyond what a float64 holds exactly
		if v.Type() == reflect.TypeFor[int]() {
			v.SetInt(7)
		}
	case reflect.Uint64:
		v.SetUint(1<<64 - 1)
	default:
		panic(fmt.Sprintf("no filling for %v", v.Type()))
	}
}

// objects lists the parts of a schema that describe an object's fields.
func objects(node any) []map[string]any {
	var out []map[string]any
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["properties"].(map[string]any); ok {
			out = append(out, node)
		}
		for _, k := range slices.Sorted(maps.Keys(node)) {
			out = append(out, objects(node[k])...)
		}
	case []any:
		for _, n := range node {
			out = append(out, objects(n)...)
		}
	}
	return out
}

// strict is the schema with every object closed, so that a field it does not describe is refused.
func strict(t *testing.T) any {
	t.Helper()
	var doc any
	require.NoError(t, json.Unmarshal(Schema(), &doc))
	for _, o := range objects(doc) {
		if len(o["properties"].(map[string]any)) > 0 {
			o["additionalProperties"] = false
		}
	}
	return doc
}

func compile(doc any) (*jsonschema.Schema, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return jsonfile.Compile(text)
}

func document(t *testing.T, r Result) any {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	var doc any
	require.NoError(t, json.Unmarshal(text, &doc))
	return doc
}

func TestSchemaDescribesEveryField(t *testing.T) {
	doc := document(t, filled())
	schema, err := compile(strict(t))
	require.NoError(t, err)
	require.NoError(t, jsonfile.Validate(schema, doc))

	// Negative control, and the other direction: without any one of its fields the closed schema
	// refuses the filled result, so the schema describes nothing that Go does not write.
	fields := 0
	for i, o := range objects(strict(t)) {
		for _, name := range slices.Sorted(maps.Keys(o["properties"].(map[string]any))) {
			fields++
			poorer := strict(t)
			target := objects(poorer)[i]
			delete(target["properties"].(map[string]any), name)
			if len(target["properties"].(map[string]any)) == 0 {
				target["additionalProperties"] = false
			}
			schema, err := compile(poorer)
			require.NoError(t, err)
			require.Error(t, jsonfile.Validate(schema, doc), "the schema describes %s, which a result never has", name)
		}
	}
	require.Greater(t, fields, 150)
}

func TestSchemaRequiresWhatGoAlwaysWrites(t *testing.T) {
	text, err := encode(Result{Version: Version, Run: "r", Scenario: Scenario{Name: "n"}, Judgement: slo.Judgement{Verdict: slo.Pass}})
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(text, &doc))
	schema, err := schemaOnce()
	require.NoError(t, err)
	for name := range doc {
		poorer := maps.Clone(doc)
		delete(poorer, name)
		require.ErrorContains(t, jsonfile.Validate(schema, poorer), "lacks "+name)
	}
	require.NotContains(t, string(text), "null", "a missing list is an empty one")
}

func TestSchemaIsOfItsDraft(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(newReader(Schema()))
	require.NoError(t, err)
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", doc.(map[string]any)["$schema"])
	_, err = compile(doc)
	require.NoError(t, err)
}
