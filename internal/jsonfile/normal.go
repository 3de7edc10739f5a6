package jsonfile

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// Normal copies a value for writing: nil lists and maps become empty, so that a reader in any language
// meets an array where the schema promises one. A number that JSON cannot hold is an error that names
// its place.
func Normal[T any](v T) (T, error) {
	out, err := normalValue("", reflect.ValueOf(v))
	if err != nil {
		var zero T
		return zero, err
	}
	return out.Interface().(T), nil
}

func normalValue(path string, v reflect.Value) (reflect.Value, error) {
	switch v.Kind() {
	case reflect.Float64:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return v, fmt.Errorf("%s is %v, which JSON cannot hold (infinity is written as -1)", path, v.Float())
		}
	case reflect.Pointer:
		if !v.IsNil() {
			_, err := normalValue(path, v.Elem())
			return v, err
		}
	case reflect.Struct:
		return normalStruct(path, v)
	case reflect.Slice:
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			e, err := normalValue(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			if err != nil {
				return v, err
			}
			out.Index(i).Set(e)
		}
		return out, nil
	case reflect.Map:
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			e, err := normalValue(path+"."+it.Key().String(), it.Value())
			if err != nil {
				return v, err
			}
			out.SetMapIndex(it.Key(), e)
		}
		return out, nil
	default: // words, whole numbers, flags, and what /admin/state said: as they are
	}
	return v, nil
}

func normalStruct(path string, v reflect.Value) (reflect.Value, error) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return v, nil
	}
	out := reflect.New(v.Type()).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if path != "" {
			name = path + "." + name
		}
		f, err := normalValue(name, v.Field(i))
		if err != nil {
			return v, err
		}
		out.Field(i).Set(f)
	}
	return out, nil
}
