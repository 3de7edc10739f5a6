package yamlx

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

func (d *decoder) scalar(n *node, path string, v reflect.Value) {
	want, mend := wanted(v)
	if n.kind != kindScalar {
		d.add(n.pos, path, describe(n)+" where "+want+" is wanted", mend)
		return
	}
	if !setScalar(n, v) {
		d.add(n.pos, path, fmt.Sprintf("%s is not %s", describe(n), want), mend)
	}
}

// setScalar stores the text in v as v's kind reads it; false when it does not.
func setScalar(n *node, v reflect.Value) bool {
	if v.Kind() == reflect.String {
		v.SetString(n.text)
		return n.quoted || !n.looksTyped()
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		t, err := parseDuration(n.text)
		v.SetInt(int64(t))
		return err == nil
	}
	if n.quoted {
		return false
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(strings.EqualFold(n.text, "true"))
		return isBool(n.text)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 10, v.Type().Bits())
		v.SetInt(i)
		return err == nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i, err := strconv.ParseUint(strings.ReplaceAll(n.text, "_", ""), 10, v.Type().Bits())
		v.SetUint(i)
		return err == nil
	case reflect.Float32, reflect.Float64:
		f, err := parseNumber(n.text)
		v.SetFloat(f)
		return err == nil
	default:
		panic("yamlx: cannot decode into " + v.Type().String())
	}
}

func wanted(v reflect.Value) (what, mend string) {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return "a duration", durationMend
	}
	switch v.Kind() {
	case reflect.String:
		return "a text", "put it in quotes if it is meant"
	case reflect.Bool:
		return "a yes or no", "write true or false"
	case reflect.Float32, reflect.Float64:
		return "a number", "write for example 1.5"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<v.Type().Bits()-1), "write for example 3"
	default:
		return "a whole number", "write for example 3"
	}
}

// free decodes into any: map[string]any, []any, string, bool, int64, float64 or nil.
func (d *decoder) free(n *node, path string) any {
	switch n.kind {
	case kindMap:
		m := make(map[string]any, len(n.entries))
		d.entries(n, path, func(e entry, at string) {
			m[e.key] = nil
			if e.value.kind != kindNull {
				m[e.key] = d.free(e.value, at)
			}
		})
		return m
	case kindList:
		s := make([]any, len(n.items))
		for i, item := range n.items {
			if item.kind != kindNull {
				s[i] = d.free(item, path+"["+strconv.Itoa(i)+"]")
			}
		}
		return s
	}
	if !n.quoted {
		if isBool(n.text) {
			return strings.EqualFold(n.text, "true")
		}
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			return i
		}
		if f, err := parseNumber(n.text); err == nil {
			return f
		}
	}
	return n.text
}
