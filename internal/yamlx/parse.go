package yamlx

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parse turns a file into our tree. Problems mean that there is none: what cannot be parsed cannot be
// checked any further. An empty file is an empty map.
func parse(file string, data []byte) (root *node, problems Problems) {
	whole := Position{File: file}
	if len(data) > MaxSize {
		return nil, Problems{{Position: whole, What: fmt.Sprintf("the file has %d bytes, and %d are allowed", len(data), MaxSize), Mend: "split it"}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, Problems{{Position: whole, What: "the file is not UTF-8 text", Mend: "save it as UTF-8"}}
	}
	defer func() {
		// The parser is foreign code that sees whatever a user wrote; a file must never end the process.
		if r := recover(); r != nil {
			root = nil
			problems = Problems{{Position: whole, What: fmt.Sprintf("the YAML parser gave up (%v)", r), Mend: "look for unbalanced quotes or brackets"}}
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if len(tokens) > MaxTokens {
		return nil, Problems{{Position: whole, What: fmt.Sprintf("the file has %d words and signs, and %d are allowed", len(tokens), MaxTokens), Mend: "split it"}}
	}
	if problems = refuse(file, tokens); len(problems) > 0 {
		return nil, problems
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Problems{syntaxProblem(file, err)}
	}
	c := converter{file: file}
	root = &node{kind: kindMap, pos: whole}
	bodies := 0
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if bodies++; bodies > 1 {
			c.problem(doc.Body, "a second document begins here", "keep one document a file")
			break
		}
		root = c.node(doc.Body, 0)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return root, nil
}

// refuse finds what this package leaves out, and nesting deep enough to exhaust the parser's recursion,
// before the parser sees it.
func refuse(file string, tokens token.Tokens) Problems {
	var ps Problems
	add := func(t *token.Token, what, mend string) {
		if len(ps) <= MaxProblems {
			ps = append(ps, Problem{Position: position(file, t), What: what, Mend: mend})
		}
	}
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType:
			add(t, "anchors and aliases are not read", "write the value out")
		case token.TagType, token.DirectiveType:
			add(t, fmt.Sprintf("%q is a tag or directive, and these are not read", clip(t.Value)), "remove it, or quote the text")
		case token.MergeKeyType:
			add(t, "merge keys (<<) are not read", "write the keys out")
		case token.MappingKeyType:
			add(t, "complex keys (?) are not read", "write the key as plain text")
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType:
			dashes++
		}
		if flow+dashes > MaxDepth {
			add(t, fmt.Sprintf("more than %d lists and maps lie inside one another", MaxDepth), "flatten it")
			return ps
		}
	}
	return ps
}

func syntaxProblem(file string, err error) Problem {
	p := Problem{Position: Position{File: file}, What: "this is not YAML: " + err.Error(), Mend: "check indentation, quotes and brackets"}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		p.What = "this is not YAML: " + e.GetMessage()
		if t := e.GetToken(); t != nil {
			p.Position = position(file, t)
		}
	}
	return p
}

func position(file string, t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{File: file}
	}
	return Position{File: file, Line: t.Position.Line, Column: t.Position.Column}
}

// converter walks the parser's tree into ours.
type converter struct {
	file     string
	problems Problems
}

func (c *converter) problem(n ast.Node, what, mend string) {
	c.problems = append(c.problems, Problem{Position: position(c.file, n.GetToken()), What: what, Mend: mend})
}

func (c *converter) node(n ast.Node, depth int) *node {
	out := &node{pos: position(c.file, n.GetToken())}
	if depth > MaxDepth {
		c.problem(n, fmt.Sprintf("more than %d lists and maps lie inside one another", MaxDepth), "flatten it")
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = kindMap
		for _, v := range n.Values {
			c.entry(out, v, depth)
		}
	case *ast.MappingValueNode:
		out.kind = kindMap
		c.entry(out, n, depth)
	case *ast.SequenceNode:
		out.kind = kindList
		for _, v := range n.Values {
			out.items = append(out.items, c.node(v, depth+1))
		}
	case *ast.LiteralNode:
		out.kind, out.text, out.quoted = kindScalar, n.Value.Value, true
	case *ast.StringNode:
		out.kind, out.text = kindScalar, n.Value
		out.quoted = n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
	case *ast.NullNode, *ast.CommentGroupNode:
		out.kind = kindNull
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = kindScalar, n.GetToken().Value
	default:
		c.problem(n, fmt.Sprintf("%s is not read here", n.Type().YAMLName()), "write a plain value")
	}
	return out
}

func (c *converter) entry(m *node, v *ast.MappingValueNode, depth int) {
	key := v.Key.GetToken()
	e := entry{pos: position(c.file, key), key: key.Value}
	if s, ok := v.Key.(*ast.StringNode); ok {
		e.key = s.Value
	}
	if len(m.entries) == 0 {
		m.pos = e.pos
	}
	e.value = c.node(v.Value, depth+1)
	if e.value.kind != kindScalar {
		e.value.pos = e.pos // an editor should land on the key, not on the first thing inside
	}
	m.entries = append(m.entries, e)
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
