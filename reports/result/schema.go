package result

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

//go:embed schema.json
var schemaText []byte

// Schema is the JSON Schema (2020-12) of a result file, for other tools.
func Schema() []byte { return bytes.Clone(schemaText) }

// schemaOnce compiles the embedded schema when the first file is read or written.
var schemaOnce = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	return compile(doc)
})

func compile(doc any) (*jsonschema.Schema, error) {
	const name = "result.schema.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// validate returns the first thing that is wrong with doc, as "where: what".
func validate(schema *jsonschema.Schema, doc any) error {
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
