package options

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Object reads the options that people write: durations as "30s", rates as "50/s", names in camelCase.
// Every mistake is noted and answered with a harmless value, so that reading goes on and all
// mistakes come at once, from Mistakes. A null is as good as absent.
type Object struct {
	path string // "client."; "" at the top
	tree map[string]any
	read map[string]bool
	top  *top
}

type top struct {
	wrong []error
	all   []*Object // for keys that nobody read
}

// Read parses a JSON object.
func Read(raw []byte) (*Object, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // seeds are 64 bits wide
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("the options are no JSON object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the options' JSON object")
	}
	o := &Object{tree: tree, top: &top{}}
	return o.child("", tree), nil
}

func (o *Object) child(path string, tree map[string]any) *Object {
	c := &Object{path: path, tree: tree, read: map[string]bool{}, top: o.top}
	o.top.all = append(o.top.all, c)
	return c
}

// Mistakes is everything that is wrong: what was found while reading, and keys that nobody read.
func (o *Object) Mistakes() []error {
	wrong := slices.Clone(o.top.wrong)
	for _, one := range o.top.all {
		for _, key := range slices.Sorted(maps.Keys(one.tree)) {
			if !one.read[key] {
				known := slices.Sorted(maps.Keys(one.read))
				wrong = append(wrong, fmt.Errorf("%s%s is no option: there is %s", one.path, key, strings.Join(known, ", ")))
			}
		}
	}
	return wrong
}

// Wrong notes a mistake in key: the text follows its name.
func (o *Object) Wrong(key, format string, args ...any) {
	o.top.wrong = append(o.top.wrong, fmt.Errorf("%s%s %s", o.path, key, fmt.Sprintf(format, args...)))
}

// get is the value of key and whether there is one.
func (o *Object) get(key string) (any, bool) {
	o.read[key] = true
	v, ok := o.tree[key]
	return v, ok && v != nil
}

// Has reports whether key is set.
func (o *Object) Has(key string) bool {
	_, ok := o.get(key)
	return ok
}

// Raw takes keys that something else decodes, as one JSON object.
func (o *Object) Raw(keys ...string) []byte {
	some := map[string]any{}
	for _, key := range keys {
		if v, ok := o.get(key); ok {
			some[key] = v
		}
	}
	raw, err := json.Marshal(some)
	if err != nil {
		return []byte("{}") // what was decoded can be encoded
	}
	return raw
}

// Text is a string.
func (o *Object) Text(key string) string {
	v, ok := o.get(key)
	if !ok {
		return ""
	}
	text, ok := v.(string)
	if !ok {
		o.Wrong(key, "is %s: write a text", show(v))
	}
	return text
}

// Flag is a boolean.
func (o *Object) Flag(key string, otherwise bool) bool {
	v, ok := o.get(key)
	if !ok {
		return otherwise
	}
	flag, ok := v.(bool)
	if !ok {
		o.Wrong(key, "is %s: write true or false", show(v))
		return otherwise
	}
	return flag
}

// Number is a number.
func (o *Object) Number(key string, otherwise float64) float64 {
	v, ok := o.get(key)
	if !ok {
		return otherwise
	}
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	o.Wrong(key, "is %s: write a number", show(v))
	return otherwise
}

// Whole is a whole number that fits 63 bits.
func (o *Object) Whole(key string, otherwise int64) int64 {
	v, ok := o.get(key)
	if !ok {
		return otherwise
	}
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	o.Wrong(key, "is %s: write a whole number", show(v))
	return otherwise
}

// Duration is a text such as "1m30s", or a number of milliseconds, as everywhere in k6. A wrong one
// is answered with a second, so that no bound complains once more.
func (o *Object) Duration(key string, otherwise time.Duration) time.Duration {
	v, ok := o.get(key)
	if !ok {
		return otherwise
	}
	d, err := duration(v)
	if err != nil {
		o.Wrong(key, "is %s: write a duration such as \"30s\" or \"500ms\", or milliseconds as a number", show(v))
		return time.Second
	}
	return d
}

// Rate is a text such as "50/s" or "300/m", or a number a second.
func (o *Object) Rate(key string) float64 {
	v, ok := o.get(key)
	if !ok {
		return 0
	}
	r, err := rate(v)
	if err != nil {
		o.Wrong(key, "is %s: write a rate such as \"50/s\" or \"300/m\"", show(v))
		return 1
	}
	return r
}

// Texts is an object of strings.
func (o *Object) Texts(key string) map[string]string {
	free := o.Free(key)
	if free == nil {
		return nil
	}
	texts := make(map[string]string, len(free))
	for _, k := range slices.Sorted(maps.Keys(free)) {
		switch v := free[k].(type) {
		case string:
			texts[k] = v
		case json.Number:
			texts[k] = v.String()
		default:
			o.Wrong(key+"."+k, "is %s: write a text", show(v))
		}
	}
	return texts
}

// Free is an object whose keys belong to the user.
func (o *Object) Free(key string) map[string]any {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	tree, ok := v.(map[string]any)
	if !ok {
		o.Wrong(key, "is %s: write an object", show(v))
	}
	return tree
}

// Object is the object at key; an empty one if there is none.
func (o *Object) Object(key string) *Object { return o.child(o.path+key+".", o.Free(key)) }

// List is a list of objects.
func (o *Object) List(key string) []*Object {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		o.Wrong(key, "is %s: write a list", show(v))
		return nil
	}
	out := make([]*Object, 0, len(list))
	for i, one := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		tree, ok := one.(map[string]any)
		if !ok {
			o.Wrong(at, "is %s: write an object", show(one))
			continue
		}
		out = append(out, o.child(o.path+at+".", tree))
	}
	return out
}

// TextList is a list of strings.
func (o *Object) TextList(key string) []string {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	list, isList := v.([]any)
	var out []string
	for _, one := range list {
		text, isText := one.(string)
		isList = isList && isText
		out = append(out, text)
	}
	if !isList {
		o.Wrong(key, "is %s: write a list of texts", show(v))
		return nil
	}
	return out
}

// IsNumber reports whether key holds a number.
func (o *Object) IsNumber(key string) bool {
	_, ok := o.tree[key].(json.Number)
	return ok
}

// IsObject reports whether key holds an object.
func (o *Object) IsObject(key string) bool {
	_, ok := o.tree[key].(map[string]any)
	return ok
}
