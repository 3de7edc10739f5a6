package result

import (
	"bytes"
	_ "embed"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/brownout-dev/brownout/internal/jsonfile"
)

//go:embed schema.json
var schemaText []byte

// Schema is the JSON Schema (2020-12) of a result file, for other tools.
func Schema() []byte { return bytes.Clone(schemaText) }

// schemaOnce compiles the embedded schema when the first file is read or written.
var schemaOnce = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonfile.Compile(schemaText)
})
