package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Compile reads a JSON Schema (2020-12).
func Compile(text []byte) (*jsonschema.Schema, error) {
	const name = "schema.json"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// Check says what is wrong with a file: larger than most bytes, no JSON, another version, against the
// schema. The version comes first: of a file from another version nothing else need fit.
func Check(text []byte, most int, version string, schema *jsonschema.Schema) error {
	if len(text) > most {
		return fmt.Errorf("it is larger than %d MiB", most>>20)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
			return fmt.Errorf("line %d is not JSON: %w", line, err)
		}
		return fmt.Errorf("it is not JSON: %w", err)
	}
	if top, ok := doc.(map[string]any); ok && top["version"] != nil && top["version"] != version {
		return fmt.Errorf("its version is %.40q, and this program reads %q", fmt.Sprint(top["version"]), version)
	}
	return Validate(schema, doc)
}

// Validate returns the first thing that is wrong with doc, a decoded JSON document, as "where: what".
func Validate(schema *jsonschema.Schema, doc any) error {
	err := schema.Validate(doc)
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	for len(wrong.Causes) > 0 {
		wrong = wrong.Causes[0]
	}
	return fmt.Errorf("%s %s", where(wrong.InstanceLocation), what(wrong.ErrorKind))
}

// where writes a location the way one would in a query: judgement.gates[2].op.
func where(path []string) string {
	if len(path) == 0 {
		return "the file"
	}
	var b strings.Builder
	for i, p := range path {
		switch {
		case p != "" && strings.Trim(p, "0123456789") == "":
			b.WriteString("[" + p + "]")
		case i > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	return b.String()
}

// what says which rule was broken, in words.
func what(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return fmt.Sprintf("is %s where %s belongs", k.Got, strings.Join(k.Want, " or "))
	case *kind.Required:
		return "lacks " + strings.Join(k.Missing, ", ")
	case *kind.Enum:
		return fmt.Sprintf("is %q, which is none of %v", fmt.Sprint(k.Got), k.Want)
	case *kind.Const:
		return fmt.Sprintf("is %q instead of %q", fmt.Sprint(k.Got), fmt.Sprint(k.Want))
	case *kind.AdditionalProperties:
		return "has fields that the schema does not know: " + strings.Join(k.Properties, ", ")
	}
	return "breaks the rule " + strings.Join(k.KeywordPath(), "/")
}
