// Package yamlx is strict YAML with positions: unknown keys, duplicate keys and wrong types are all
// reported at once, each as one sentence with file, line, column and the mend. Scenario files and the
// server's config are read here, and --set overrides are applied here.
//
// Left out on purpose, because a config needs none of it and a hostile file loves it: several documents,
// anchors, aliases, tags, merge keys and complex keys. Size, depth and the number of problems are bounded.
//
// What may not live here: what any one key means.
package yamlx

import (
	"crypto/sha256"
	"encoding/hex"
)

// Limits of a file.
const (
	MaxSize     = 1 << 20 // bytes
	MaxTokens   = 50_000  // words and signs: the parser below takes quadratic time
	MaxDepth    = 64      // maps and lists inside one another
	MaxProblems = 100     // reported at once
)

// Doc is one decoded file: it knows where everything was written.
type Doc struct {
	file string
	root *node
	raw  []byte // as written; nil once an assignment changed it
}

// Decode reads data strictly into v, a non-nil pointer, whose present values are the defaults of keys
// that are absent. The error, if any, is Problems. The Doc is never nil, so that a caller may add what
// it finds by itself to the same list.
func Decode(file string, data []byte, v any) (*Doc, error) { return Load(file, data, nil, v) }

// Load is Decode after assignments such as "load.arrivals.rate=200/s" were applied. Positions stay those
// of the file as written; a problem of an assigned value names the assignment instead of a line.
func Load(file string, data []byte, assignments []string, v any) (*Doc, error) {
	doc := &Doc{file: file, raw: data}
	root, problems := parse(file, data)
	if len(problems) > 0 {
		return doc, problems.sorted()
	}
	doc.root = root
	d := decoder{problems: assign(&doc.root, file, assignments)}
	if len(assignments) > 0 {
		doc.raw = nil
	}
	d.into(v, doc.root)
	if len(d.problems) > 0 {
		return doc, d.problems.sorted()
	}
	return doc, nil
}

// Set applies assignments ("a.b.c=value", "list[0].key=value"; the value is YAML) and returns the file
// that results, without its comments. Missing maps are created; a key that means nothing is found by the
// Decode that follows. Without assignments data comes back as it is.
func Set(file string, data []byte, assignments []string) ([]byte, error) {
	root, problems := parse(file, data)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	if len(assignments) == 0 {
		return data, nil
	}
	if problems = assign(&root, file, assignments); len(problems) > 0 {
		return nil, problems.sorted()
	}
	return emit(root), nil
}

// Effective is the YAML that was decoded: the file as written, or the outcome of the assignments.
func (d *Doc) Effective() []byte {
	if d.raw != nil || d.root == nil {
		return d.raw
	}
	return emit(d.root)
}

// Digest is the SHA-256 (hexadecimal) of what the file says: the order of keys, comments, quotes and
// layout do not change it.
func (d *Doc) Digest() string {
	sum := sha256.Sum256(emit(d.root.canonical()))
	return hex.EncodeToString(sum[:])
}

// Has reports whether the path was written, with a value.
func (d *Doc) Has(path string) bool {
	n, whole := d.find(path)
	return whole && n != nil && n.kind != kindNull
}

// Pos is where the value at path was written ("load.arrivals.rate", "slo.gates.fault[1]"), or where the
// nearest part of the path that exists was.
func (d *Doc) Pos(path string) Position {
	n, _ := d.find(path)
	if n == nil {
		return Position{File: d.file}
	}
	return n.pos
}

// Problem is a problem of the value at path, in the words of the caller.
func (d *Doc) Problem(path, what, mend string) Problem {
	return Problem{Position: d.Pos(path), Path: path, What: what, Mend: mend}
}

func (d *Doc) find(path string) (n *node, whole bool) {
	segments, ok := splitPath(path)
	n = d.root
	if !ok || n == nil {
		return n, false
	}
	for _, s := range segments {
		next := n.child(s)
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}
