package yamlx

import (
	"fmt"
	"strings"
)

// AssignedBy is where a value that was assigned says it came from.
func AssignedBy(assignment string) Position { return Position{File: "--set " + clip(assignment)} }

// assign applies every assignment it can to the tree.
func assign(root **node, file string, assignments []string) Problems {
	var ps Problems
	for _, a := range assignments {
		if p, ok := assignOne(root, a); !ok {
			if p.File == "" {
				p.File = file
			}
			ps = append(ps, p)
		}
	}
	return ps
}

func assignOne(root **node, assignment string) (Problem, bool) {
	source := AssignedBy(assignment)
	wrong := func(what, mend string) (Problem, bool) {
		return Problem{Position: source, What: what, Mend: mend}, false
	}
	path, text, ok := strings.Cut(assignment, "=")
	path = strings.TrimSpace(path)
	segments, valid := splitPath(path)
	if !ok || !valid || len(segments) == 0 {
		return wrong("this is not an assignment", "write key.key=value")
	}
	if len(segments) > MaxDepth {
		return wrong(fmt.Sprintf("the path has more than %d parts", MaxDepth), "shorten it")
	}
	value, problems := parse(source.File, []byte(text))
	if len(problems) > 0 {
		p := problems[0]
		p.Position = source // a line inside an assignment helps nobody
		return p, false
	}
	if strings.TrimSpace(text) == "" {
		value = &node{}
	}
	value.relocate(source)
	at := root
	for i, s := range segments {
		next, what, mend := step(*at, s, source)
		if next == nil {
			return wrong(fmt.Sprintf("%s %s", formatPath(segments[:i], "the file"), what), mend)
		}
		at = next
	}
	*at = value
	return Problem{}, true
}

// step is the place of a child that may be replaced: an existing one, a new key, or one item past the
// end of a list. A place that holds nothing yet becomes a map.
func step(n *node, s segment, source Position) (place **node, what, mend string) {
	if s.isIndex {
		switch {
		case n.kind != kindList:
			return nil, "is not a list", "use key.key=value"
		case s.index > len(n.items):
			return nil, fmt.Sprintf("has only %d items", len(n.items)), fmt.Sprintf("use an index up to %d", len(n.items))
		case s.index == len(n.items):
			n.items = append(n.items, &node{pos: source})
		}
		return &n.items[s.index], "", ""
	}
	switch n.kind {
	case kindNull:
		n.kind = kindMap
	case kindScalar, kindList:
		return nil, "is " + describe(n) + " and has no keys", "set the whole of it"
	}
	for i := range n.entries {
		if n.entries[i].key == s.key {
			return &n.entries[i].value, "", ""
		}
	}
	n.entries = append(n.entries, entry{key: s.key, pos: source, value: &node{pos: source}})
	return &n.entries[len(n.entries)-1].value, "", ""
}

// relocate makes everything in the tree come from one place.
func (n *node) relocate(to Position) {
	n.pos = to
	for i := range n.entries {
		n.entries[i].pos = to
		n.entries[i].value.relocate(to)
	}
	for _, item := range n.items {
		item.relocate(to)
	}
}

func formatPath(segments []segment, empty string) string {
	path := ""
	for _, s := range segments {
		if s.isIndex {
			path += fmt.Sprintf("[%d]", s.index)
			continue
		}
		path = join(path, s.key)
	}
	if path == "" {
		return empty
	}
	return path
}
