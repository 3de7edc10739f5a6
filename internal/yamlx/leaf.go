package yamlx

import "strings"

// Leaf is one value of a file with its path, as an assignment would write both.
type Leaf struct {
	Path string // "router.resumes", from where the walk began
	Text string // YAML on one line: "0", "[a, b]"
}

// Assignment is the leaf in the syntax of Set: "router.resumes=0".
func (l Leaf) Assignment() string { return l.Path + "=" + l.Text }

// Leaves are the values inside the map at path, maps within it opened, in the order written. A list is
// one value, for an assignment replaces the whole of it. None when there is no such map.
func (d *Doc) Leaves(path string) []Leaf {
	n, whole := d.find(path)
	if !whole || n == nil || n.kind != kindMap {
		return nil
	}
	return leaves(nil, n, "")
}

func leaves(into []Leaf, n *node, path string) []Leaf {
	for _, e := range n.entries {
		at := join(path, e.key)
		if e.value.kind == kindMap {
			into = leaves(into, e.value, at)
			continue
		}
		into = append(into, Leaf{Path: at, Text: flow(e.value)})
	}
	return into
}

// flow is the value in flow style, on one line.
func flow(n *node) string {
	var parts []string
	switch {
	case n.kind == kindMap && len(n.entries) > 0:
		for _, e := range n.entries {
			parts = append(parts, quote(e.key, false)+": "+flow(e.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case n.kind == kindList && len(n.items) > 0:
		for _, item := range n.items {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return inline(n)
}
