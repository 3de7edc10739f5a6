package faults

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxLine bounds the one-line form of a fault, in bytes.
const MaxLine = 1024

// Parse reads the one-line form of a fault:
//
//	KIND on KEY=GLOB[,KEY=GLOB]… for DURATION [ramp=DURATION] [NAME=VALUE]… [seed=N] [max_share=SHARE]
//
// The clauses after the kind may come in any order, each once. The error is a *SyntaxError that names
// every mistake of syntax and of meaning (see Fault.Validate) with its column.
func Parse(line string) (Fault, error) {
	p := &parser{line: line, column: map[string]int{}, seen: map[string]bool{}}
	if len(line) > MaxLine {
		p.line = line[:64] + "…"
		p.fail("line", 0, "a fault is at most %d bytes, this one has %d: shorten it", MaxLine, len(line))
		return Fault{}, p.err()
	}
	f := p.fault()
	if f.Kind == "" { // nothing was written, which is one mistake and not three
		return Fault{}, p.err()
	}
	for _, m := range f.mistakes() {
		// What could not even be read is already reported at its own place.
		if p.broken(m.Field) {
			continue
		}
		m.Column = p.column[m.Field]
		p.problems = append(p.problems, m)
	}
	if err := p.err(); err != nil {
		return Fault{}, err
	}
	return f, nil
}

// Validate says everything that is wrong with a fault that was built rather than parsed.
func (f Fault) Validate() error {
	if m := f.mistakes(); len(m) > 0 {
		return &SyntaxError{Problems: m}
	}
	return nil
}

type parser struct {
	line     string
	problems []Problem
	column   map[string]int  // where each field is
	seen     map[string]bool // clauses met so far
}

type word struct {
	text string
	at   int // byte offset in the line
}

func (p *parser) fail(field string, at int, format string, args ...any) {
	p.problems = append(p.problems, Problem{Column: p.columnAt(at), Field: field, Text: fmt.Sprintf(format, args...)})
}

func (p *parser) columnAt(at int) int {
	return utf8.RuneCountInString(p.line[:min(at, len(p.line))]) + 1
}

func (p *parser) broken(field string) bool {
	return slices.ContainsFunc(p.problems, func(q Problem) bool { return q.Field == field && q.Column > 0 })
}

func (p *parser) err() error {
	if len(p.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Column - b.Column })
	return &SyntaxError{Line: p.line, Problems: p.problems}
}

func (p *parser) words() []word {
	var words []word
	for at := 0; at < len(p.line); {
		skip := strings.IndexFunc(p.line[at:], func(r rune) bool { return r != ' ' && r != '\t' })
		if skip < 0 {
			break
		}
		at += skip
		size := strings.IndexAny(p.line[at:], " \t")
		if size < 0 {
			size = len(p.line) - at
		}
		words = append(words, word{text: p.line[at : at+size], at: at})
		at += size
	}
	return words
}

func (p *parser) fault() Fault {
	var f Fault
	words := p.words()
	if len(words) == 0 {
		p.fail("kind", 0, "nothing is written: name a kind, a target and a duration, as in 'gpu.oom on gpu=n2/g1 for 10s'")
		return f
	}
	f.Kind = words[0].text
	p.column["kind"] = p.columnAt(words[0].at)
	words = words[1:]
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		switch {
		case w.text == "on" || w.text == "for":
			if len(words) == 0 || words[0].text == "on" || words[0].text == "for" {
				p.seen[w.text] = true
				p.fail(w.text, w.at, "nothing follows %q: %s", w.text, clauseHelp(w.text))
				continue
			}
			if p.once(w.text, w) {
				p.clause(&f, w.text, words[0])
			}
			words = words[1:]
		case strings.Contains(w.text, "="):
			name, value, _ := strings.Cut(w.text, "=")
			if p.once(name, w) {
				p.param(&f, name, word{text: value, at: w.at})
			}
		default:
			p.fail("line", w.at, "%q is not understood: after the kind come 'on KEY=TARGET', 'for DURATION' and name=value", w.text)
		}
	}
	for _, clause := range []string{"on", "for"} {
		if !p.seen[clause] {
			p.fail(clause, len(p.line), "%q is missing: %s", clause, clauseHelp(clause))
		}
	}
	return f
}

func clauseHelp(clause string) string {
	if clause == "on" {
		return "say what is harmed, as in 'on gpu=n2/g1' (an empty selector never means everything)"
	}
	return "say how long, as in 'for 10s'"
}

func (p *parser) once(clause string, w word) bool {
	if p.seen[clause] {
		p.fail("line", w.at, "%q is given twice: keep one", clause)
		return false
	}
	p.seen[clause] = true
	return true
}

func (p *parser) clause(f *Fault, clause string, w word) {
	p.column[clause] = p.columnAt(w.at)
	if clause == "for" {
		f.For = p.duration("for", w)
		return
	}
	at := w.at
	for text := range strings.SplitSeq(w.text, ",") {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			p.fail("on", at, "%q is no selector: write KEY=TARGET, as in 'gpu=n2/g1'", text)
		}
		f.On = append(f.On, Term{Key: key, Value: value})
		at += len(text) + 1
	}
}

// param takes the value, at the place of its name.
func (p *parser) param(f *Fault, name string, w word) {
	if _, taken := p.column[name]; !taken { // "kind=x" must not move the column of the kind
		p.column[name] = p.columnAt(w.at)
	}
	switch name {
	case "ramp":
		f.Ramp = p.duration(name, w)
	case "seed":
		n, err := strconv.ParseUint(w.text, 10, 64)
		if err != nil {
			p.fail(name, w.at, "seed %q is not a whole number from 0 to 18446744073709551615", w.text)
		}
		f.Seed = n
	case "max_share":
		share, err := parseShare(w.text)
		if err != nil || !legalShare(share) {
			p.fail(name, w.at, "max_share %q is not a share: write 75%% or 0.75, above 0 and at most 1", w.text)
			return
		}
		f.MaxShare = share
	default:
		if f.Params == nil {
			f.Params = map[string]string{}
		}
		f.Params[name] = w.text
	}
}

func (p *parser) duration(field string, w word) time.Duration {
	d, err := time.ParseDuration(w.text)
	if err != nil {
		p.fail(field, w.at, "%q is not a duration: write a number with a unit, as in '10s', '1m30s' or '500ms'", w.text)
	}
	return d
}

// parseShare reads "75%" and "0.75" as 0.75.
func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	return x, err
}
