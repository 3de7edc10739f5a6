package yamlx

import (
	"bytes"
	"encoding/json"
	"strings"
)

// emit writes the tree in block style. Parsing the outcome gives the same tree, positions aside.
func emit(root *node) []byte {
	var b bytes.Buffer
	if root.kind == kindMap && len(root.entries) > 0 || root.kind == kindList && len(root.items) > 0 {
		emitBlock(&b, root, 0)
	} else {
		b.WriteString(inline(root))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func emitBlock(b *bytes.Buffer, n *node, indent int) {
	for _, e := range n.entries {
		b.WriteString(strings.Repeat(" ", indent))
		b.WriteString(quote(e.key, false))
		b.WriteByte(':')
		emitValue(b, e.value, indent)
	}
	for _, item := range n.items {
		b.WriteString(strings.Repeat(" ", indent))
		b.WriteByte('-')
		emitValue(b, item, indent)
	}
}

func emitValue(b *bytes.Buffer, n *node, indent int) {
	if len(n.entries) == 0 && len(n.items) == 0 {
		b.WriteByte(' ')
		b.WriteString(inline(n))
		b.WriteByte('\n')
		return
	}
	b.WriteByte('\n')
	emitBlock(b, n, indent+2)
}

// inline is a scalar, nothing, or an empty map or list.
func inline(n *node) string {
	switch n.kind {
	case kindNull:
		return "null"
	case kindMap:
		return "{}"
	case kindList:
		return "[]"
	default:
		return quote(n.text, !n.quoted)
	}
}

// quote writes a text plain where no reader could take it for anything but itself. typed says that it
// is a number or a bool, and shall stay one.
func quote(s string, typed bool) string {
	if (&node{text: s}).looksTyped() {
		if typed {
			return s
		}
	} else if isPlain(s) {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// isPlain reports whether s means itself without quotes wherever it stands.
func isPlain(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '/', c == '+':
		case i == 0:
			return false
		case strings.IndexByte(".-%<>=^*()", c) >= 0:
		case c == ' ':
			if s[i-1] == ' ' || i == len(s)-1 {
				return false
			}
		default:
			return false
		}
	}
	return s != ""
}
