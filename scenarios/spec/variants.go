package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

// maxVariants bounds a series: each costs a whole run a trial.
const maxVariants = 20

// Variant is the scenario with some values changed. Variants are run side by side with the same seeds.
type Variant struct {
	Name string
	// Set are its overrides in the syntax of --set. They are applied after the command line's.
	Set []string
	// Expect is ExpectPass for a variant under test, as the first one always is; ExpectFail for a control:
	// if that passes, the scenario proves nothing; empty for one that is shown beside and not judged.
	Expect string

	spec *Spec
	err  error // why the overrides of the command line leave nothing to run; nil with a spec
}

// Words of a variant's expect.
const (
	ExpectPass = "pass"
	ExpectFail = "fail"
)

// Variant is the scenario as the variant of that name has it: checked, and itself without variants.
// The error says which there are.
func (s *Spec) Variant(name string) (*Spec, error) {
	names := make([]string, 0, len(s.Variants))
	for _, v := range s.Variants {
		switch {
		case v.Name == name && v.err != nil:
			return nil, fmt.Errorf("with these overrides the variant %s of scenario %s cannot be run: %w", name, s.Name, v.err)
		case v.Name == name:
			return v.spec.WithSeed(s.Seed), nil
		}
		names = append(names, v.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("scenario %s has no variants, so no %.80q either; list them under variants", s.Name, name)
	}
	mend := "name one of " + anyOf(names)
	if near := yamlx.Nearest(name, names); near != "" {
		mend = fmt.Sprintf("did you mean %.80q?", near)
	}
	return nil, fmt.Errorf("scenario %s has no variant %.80q; %s", s.Name, name, mend)
}

// variants parses the whole scenario once for each of them, so that none can be found broken after
// others have run for an hour.
func (c *checker) variants(f *file, file string, data []byte, set []string, saturation float64) []Variant {
	if len(f.Variants) > maxVariants {
		c.wrong("variants", fmt.Sprintf("there are %d variants", len(f.Variants)), fmt.Sprintf("write at most %d", maxVariants))
		return nil
	}
	own := slices.Concat(c.reading, c.found) // of the scenario itself, which every variant would repeat
	seen := map[string]int{}
	var out []Variant
	for i, v := range f.Variants {
		path := fmt.Sprintf("variants[%d]", i)
		if c.name(path+".name", v.Name, "none") {
			if first, again := seen[v.Name]; again {
				c.wrong(path+".name", fmt.Sprintf("%.80q is variant %d already", v.Name, first+1), "give it another name")
			}
			seen[v.Name] = i
		}
		if v.Expect != "" {
			c.word(path+".expect", "what a variant may be expected to do", v.Expect, []string{ExpectPass, ExpectFail})
		}
		if i == 0 && v.Expect == ExpectFail {
			c.wrong(path+".expect", "the first variant is the one under test, so it cannot be the control", "put another variant before it, or expect pass")
		}
		one := Variant{Name: v.Name, Set: slices.Clone(v.Set), Expect: v.Expect}
		if i == 0 {
			one.Expect = ExpectPass
		}
		c.comparable(path, v.Set)
		var err error
		one.spec, err = read(file, data, slices.Concat(set, v.Set), reading{check: c.check, saturation: saturation})
		if err != nil && len(set) > 0 {
			if _, alone := read(file, data, v.Set, reading{check: c.check, saturation: saturation}); alone == nil {
				one.err, err = err, nil // a single run with these overrides needs no variants
			}
		}
		if err != nil {
			c.ofVariant(path, v.Set, own, err)
		}
		out = append(out, one)
	}
	return out
}

// comparable refuses overrides that would make a variant another scenario.
func (c *checker) comparable(path string, set []string) {
	for i, assignment := range set {
		key, _, _ := strings.Cut(assignment, "=")
		switch key = strings.TrimSpace(key); {
		case key == "variants" || strings.HasPrefix(key, "variants["):
			c.wrong(fmt.Sprintf("%s.set[%d]", path, i), "a variant has no variants", "write them side by side")
		case slices.Contains([]string{"apiVersion", "name", "question", "seed"}, key):
			c.wrong(fmt.Sprintf("%s.set[%d]", path, i), fmt.Sprintf("%s is the same in every variant", key), "change something else, or write another scenario")
		}
	}
}

// ofVariant notes what is wrong with a variant and not with the scenario itself. A problem of an
// override has the override's line; another one, which it brought about elsewhere, has its own.
func (c *checker) ofVariant(path string, set []string, own yamlx.Problems, err error) {
	problems, ok := errors.AsType[yamlx.Problems](err)
	if !ok {
		c.wrong(path, err.Error(), "")
		return
	}
	for _, p := range problems {
		if slices.Contains(own, p) {
			continue
		}
		at := path + ".set"
		for i, assignment := range set {
			if p.Position == yamlx.AssignedBy(assignment) {
				at = fmt.Sprintf("%s.set[%d]", path, i)
			}
		}
		where := ""
		if p.Path != "" {
			where = p.Path + ": "
		}
		if p.Line > 0 {
			where = fmt.Sprintf("with this, line %d, %s", p.Line, where)
		}
		c.wrong(at, where+p.What, p.Mend)
	}
}
