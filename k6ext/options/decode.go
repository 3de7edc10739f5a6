// Package options reads the JSON options of our executors: strictly, and with durations as
// nanoseconds or as strings such as "10s".
//
// What may not live here: what the options mean.
package options

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// free names objects whose keys belong to the user and are left alone.
var freeNames = map[string]bool{"extra_body": true, "headers": true, "env": true, "tags": true}

// Decode reads raw into into. Every key that ends in "_ns" may be a duration string. Unknown keys
// are errors: a misspelt option would silently be a default.
func Decode(raw []byte, into any) error {
	var tree any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // seeds are 64 bits wide
	if err := dec.Decode(&tree); err != nil {
		return err
	}
	if err := durations(tree, ""); err != nil {
		return err
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	strict := json.NewDecoder(bytes.NewReader(plain))
	strict.DisallowUnknownFields()
	return strict.Decode(into)
}

func durations(tree any, path string) error {
	switch node := tree.(type) {
	case []any:
		for i, v := range node {
			if err := durations(v, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, v := range node {
			text, isText := v.(string)
			switch {
			case isText && strings.HasSuffix(k, "_ns"):
				d, err := time.ParseDuration(text)
				if err != nil {
					return fmt.Errorf("%s%s is %q: write nanoseconds as a number, or a duration such as \"10s\"", path, k, text)
				}
				node[k] = int64(d)
			case freeNames[k]:
			default:
				if err := durations(v, path+k+"."); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
