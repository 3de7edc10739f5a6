package yamlx

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decoder fills Go values from the tree and goes on after every problem.
type decoder struct {
	problems Problems
}

func (d *decoder) into(v any, root *node) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		panic("yamlx: decoding into something that is not a non-nil pointer")
	}
	d.value(root, "", rv.Elem())
}

func (d *decoder) add(pos Position, path, what, mend string) {
	// One more than is shown, so that the list can say that it was cut.
	if len(d.problems) <= MaxProblems {
		d.problems = append(d.problems, Problem{Position: pos, Path: path, What: what, Mend: mend})
	}
}

// value decodes n into v, which is settable. A type that reads itself from text (encoding.TextUnmarshaler)
// does so when n is a scalar; when n is a map or list, its kind decides: so a struct may have a short form.
func (d *decoder) value(n *node, path string, v reflect.Value) {
	if n.kind == kindNull {
		switch v.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Struct, reflect.Interface:
		default:
			d.add(n.pos, path, "has no value", "write one, or remove the key")
		}
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, path, v.Elem())
		return
	}
	if n.kind == kindScalar {
		if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			d.text(n, path, text)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, path, v)
	case reflect.Map:
		d.mapping(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	case reflect.Interface:
		v.Set(reflect.ValueOf(d.free(n, path)))
	default:
		d.scalar(n, path, v)
	}
}

func (d *decoder) text(n *node, path string, into encoding.TextUnmarshaler) {
	err := into.UnmarshalText([]byte(n.text))
	if err == nil {
		return
	}
	if w, ok := errors.AsType[Wrong](err); ok {
		d.add(n.pos, path, w.What, w.Mend)
		return
	}
	d.add(n.pos, path, err.Error(), "")
}

func (d *decoder) structure(n *node, path string, v reflect.Value) {
	if n.kind != kindMap {
		d.add(n.pos, path, describe(n)+" where a map is wanted", "write keys under it: "+strings.Join(keys(fields(v.Type())), ", "))
		return
	}
	known := fields(v.Type())
	d.entries(n, path, func(e entry, at string) {
		i, ok := known[e.key]
		if !ok {
			d.add(e.pos, at, fmt.Sprintf("there is no key %q here", clip(e.key)), nearest(e.key, keys(known)))
			return
		}
		d.value(e.value, at, v.Field(i))
	})
}

// entries calls each with every key once, and reports the ones that come again.
func (d *decoder) entries(n *node, path string, each func(entry, string)) {
	seen := make(map[string]Position, len(n.entries))
	for _, e := range n.entries {
		at := join(path, e.key)
		if first, again := seen[e.key]; again {
			d.add(e.pos, at, fmt.Sprintf("is written twice, first on line %d", first.Line), "keep one of the two")
			continue
		}
		seen[e.key] = e.pos
		each(e, at)
	}
}

func (d *decoder) mapping(n *node, path string, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		panic("yamlx: a map's key must be a string")
	}
	if n.kind != kindMap {
		d.add(n.pos, path, describe(n)+" where a map is wanted", "write name: value under it")
		return
	}
	m := reflect.MakeMapWithSize(v.Type(), len(n.entries))
	d.entries(n, path, func(e entry, at string) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(e.value, at, item)
		m.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	})
	v.Set(m)
}

func (d *decoder) list(n *node, path string, v reflect.Value) {
	if n.kind != kindList {
		d.add(n.pos, path, describe(n)+" where a list is wanted", "write [a, b] or one \"- \" line an item")
		return
	}
	s := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.value(item, path+"["+strconv.Itoa(i)+"]", s.Index(i))
	}
	v.Set(s)
}

// fields are a struct's keys: the yaml tag, or the field's name in lower case; "-" is none.
func fields(t reflect.Type) map[string]int {
	m := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		m[name] = i
	}
	return m
}

func keys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

func describe(n *node) string {
	switch n.kind {
	case kindMap:
		return "a map"
	case kindList:
		return "a list"
	case kindNull:
		return "nothing"
	default:
		return strconv.Quote(clip(n.text))
	}
}
