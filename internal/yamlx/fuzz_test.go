package yamlx

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

// Whatever the bytes, Decode ends without a panic of its own making; what it accepts survives being
// written out and read again, and every problem lies inside the file.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{scenario, "", "a: [1, {b: c}]", "a: |\n  x\n  y\n", "a: \"\\u00e9\\n\"", "- - a", "{}", "a: 'it''s'", "? x", "a: &b c", "\"\\x01\": 1", "a: 0x1F\nb: 1_0\nc: ~\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v outer
		if _, err := Decode("f", data, &v); err != nil {
			problems, ok := errors.AsType[Problems](err)
			if !ok {
				t.Fatalf("%v is not Problems", err)
			}
			for _, p := range problems {
				if p.File != "f" || p.What == "" {
					t.Fatalf("a problem without a place or a word: %+v", p)
				}
			}
		}
		root, problems := parse("f", data)
		if len(problems) > 0 {
			return
		}
		text := emit(root)
		again, problems := parse("f", text)
		if len(problems) > 0 {
			t.Fatalf("%q was written as %q, which is not read: %v", data, text, problems)
		}
		if a, b := root.canonical(), again.canonical(); !reflect.DeepEqual(bare(a), bare(b)) {
			t.Fatalf("%q was written as %q, which reads differently", data, text)
		}
	})
}

// bare drops positions.
func bare(n *node) *node {
	n.relocate(Position{})
	return n
}

func FuzzUnits(f *testing.F) {
	for _, seed := range []string{"10s", "130/s", "60%", "-1", "1e9h", "NaN%", "0x10/s", " 5 / m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d Duration
		if d.UnmarshalText([]byte(text)) == nil && (d < 0 || time.Duration(d) < 0) {
			t.Fatalf("%q became %v", text, d)
		}
		var r Rate
		if r.UnmarshalText([]byte(text)) == nil && !(r >= 0) {
			t.Fatalf("%q became %v", text, r)
		}
		var s Share
		if s.UnmarshalText([]byte(text)) == nil && !(s >= 0 && s <= 1) {
			t.Fatalf("%q became %v", text, s)
		}
	})
}
