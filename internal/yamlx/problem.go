package yamlx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Position is where something was written. Lines and columns (in characters) count from 1; Line 0 means
// that it has no line: an assignment, or a file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String is "file:line:column", as editors and CI systems link it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	Position
	Path string // "load.arrivals.rate"; empty for the file as a whole
	What string // what is wrong: "\"fast\" is not a rate"
	Mend string // how to mend it: "write for example 130/s"
}

// Error is the one sentence a user sees.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Position.String())
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.What)
	if p.Mend != "" {
		b.WriteString("; ")
		b.WriteString(p.Mend)
	}
	return b.String()
}

// Problems are all that is wrong with a file, in the order of its lines.
type Problems []Problem

// Error is one line a problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes every single problem findable with errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Touches reports whether path, a part of it or something inside it has a problem already: a value that
// could not be read needs no second complaint that it is missing or zero.
func (ps Problems) Touches(path string) bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return within(p.Path, path) || within(path, p.Path) })
}

// within reports whether path is outer or lies inside it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Join is both lists in the order of the lines, as an error; nil when both are empty.
func Join(a, b Problems) error {
	if len(a)+len(b) == 0 {
		return nil
	}
	return slices.Concat(a, b).sorted()
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	if more := len(ps) - MaxProblems; more > 0 {
		last := ps[MaxProblems].Position
		ps = append(ps[:MaxProblems:MaxProblems], Problem{Position: last, What: fmt.Sprintf("and %d more problems from here on", more)})
	}
	return ps
}

// Wrong is what an UnmarshalText may return to give a Problem its mend apart from its fault.
type Wrong struct {
	What, Mend string
}

// Error is both as one sentence.
func (w Wrong) Error() string {
	if w.Mend == "" {
		return w.What
	}
	return w.What + "; " + w.Mend
}
