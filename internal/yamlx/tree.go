package yamlx

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

type kind uint8

const (
	kindNull kind = iota
	kindScalar
	kindMap
	kindList
)

// node is a value of the file. The parser's own tree is left behind at once: ours has positions that
// survive --set, keeps duplicate keys until they are reported, and holds nothing that was refused.
type node struct {
	kind    kind
	pos     Position
	text    string // of a scalar
	quoted  bool   // the scalar is a string whatever it looks like
	entries []entry
	items   []*node
}

// entry is one key of a map, in the order written.
type entry struct {
	key   string
	pos   Position
	value *node
}

// segment is one step of a path: a key, or an index when isIndex.
type segment struct {
	key     string
	index   int
	isIndex bool
}

func (n *node) child(s segment) *node {
	if s.isIndex {
		if n.kind == kindList && s.index < len(n.items) {
			return n.items[s.index]
		}
		return nil
	}
	for _, e := range n.entries {
		if e.key == s.key {
			return e.value
		}
	}
	return nil
}

// canonical is the tree with keys sorted and nothing of its layout; a nil tree is an empty map.
func (n *node) canonical() *node {
	if n == nil {
		return &node{kind: kindMap}
	}
	c := &node{kind: n.kind, text: n.text, quoted: n.quoted && n.looksTyped()}
	for _, e := range n.entries {
		c.entries = append(c.entries, entry{key: e.key, value: e.value.canonical()})
	}
	slices.SortStableFunc(c.entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	for _, item := range n.items {
		c.items = append(c.items, item.canonical())
	}
	return c
}

// looksTyped reports whether the plain text of a scalar would be read as a number, a bool or null
// (YAML 1.2 core schema, section 10.3.2, and the underscores and bases of YAML 1.1 beside it).
func (n *node) looksTyped() bool {
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return isBool(n.text) || isNumber(n.text)
}

func isBool(s string) bool {
	switch s {
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return true
	}
	return false
}

func isNumber(s string) bool {
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 || unsigned == "" {
		return false
	}
	switch strings.ToLower(unsigned) {
	case ".inf", ".nan":
		return true
	}
	if unsigned[0] != '.' && (unsigned[0] < '0' || unsigned[0] > '9') {
		return false
	}
	if _, err := strconv.ParseInt(unsigned, 0, 64); err == nil {
		return true
	}
	_, err := strconv.ParseFloat(strings.ReplaceAll(unsigned, "_", ""), 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// splitPath reads `a.b[0].c`; a key with a dot or bracket is written `headers["x.y"]`.
func splitPath(path string) (segments []segment, ok bool) {
	for rest := path; rest != ""; {
		if inner, found := strings.CutPrefix(rest, "["); found {
			if quoted, err := strconv.QuotedPrefix(inner); err == nil {
				key, _ := strconv.Unquote(quoted) // QuotedPrefix has just accepted it
				inner, found = strings.CutPrefix(inner[len(quoted):], "]")
				segments = append(segments, segment{key: key})
			} else {
				var digits string
				digits, inner, found = strings.Cut(inner, "]")
				i, err := strconv.Atoi(digits)
				if err != nil || i < 0 {
					return nil, false
				}
				segments = append(segments, segment{index: i, isIndex: true})
			}
			if !found {
				return nil, false
			}
			if rest = inner; rest != "" && rest[0] == '.' {
				if rest = rest[1:]; rest == "" {
					return nil, false
				}
			}
			continue
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			return append(segments, segment{key: rest}), true
		}
		if end == 0 {
			return nil, false
		}
		segments = append(segments, segment{key: rest[:end]})
		if rest[end] == '.' {
			end++
			if end == len(rest) {
				return nil, false
			}
		}
		rest = rest[end:]
	}
	return segments, true
}

// join is the path of a key inside path.
func join(path, key string) string {
	switch {
	case key == "" || strings.ContainsAny(key, ".[\""):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
