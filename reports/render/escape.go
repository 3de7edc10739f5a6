package render

import (
	"fmt"
	"strings"
	"unicode"
)

// joiner is a word joiner: it shows as nothing, and keeps a forge from reading a mention or a
// reference out of a sign and the word behind it.
const joiner = "\u2060"

// plain makes text that came from files or servers harmless inside a line of Markdown: it cannot
// become markup, HTML, a link, a mention or a reference to an issue. Forges look for the last two in
// the finished page, where an escaped sign is a plain one again; a joiner after the sign stops them.
func plain(s string) string {
	runes := []rune(strings.TrimSpace(clean(s)))
	ordinal := 0 // where "12." or "12)" would begin a list
	for ordinal < len(runes) && unicode.IsDigit(runes[ordinal]) {
		ordinal++
	}
	near := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return ' '
		}
		return runes[i]
	}
	var b strings.Builder
	for i, c := range runes {
		before, after := near(i-1), near(i+1)
		switch {
		case strings.ContainsRune("@#!~$&%^", c) && (wordy(after) || after == '"' || after == '_'):
			fmt.Fprintf(&b, "&#%d;%s", c, joiner)
		case strings.ContainsRune("&<>\"`*[]\\|{}@#!~$^", c):
			fmt.Fprintf(&b, "&#%d;", c)
		case c == '_' && wordy(before) && wordy(after): // inside a word it is no emphasis
			b.WriteRune(c)
		case c == '_', c == ':' && !unicode.IsSpace(after), c == '/' && !wordy(before):
			fmt.Fprintf(&b, "&#%d;", c)
		case i == 0 && strings.ContainsRune("-+=", c), i > 0 && i == ordinal && strings.ContainsRune(".)", c) && !wordy(after):
			fmt.Fprintf(&b, "&#%d;", c)
		case c == '.' && strings.EqualFold(string(runes[max(i-3, 0):i]), "www"):
			fmt.Fprintf(&b, "&#%d;", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

func wordy(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// fenced puts text into a block that nothing in it can end.
func fenced(language, text string) string {
	longest, run := 2, 0
	for _, c := range text {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	var b strings.Builder
	b.WriteString(fence + language + "\n")
	for line := range strings.SplitSeq(strings.TrimRight(text, "\r\n"), "\n") {
		b.WriteString(clean(line) + "\n")
	}
	b.WriteString(fence + "\n")
	return b.String()
}

// quoted is one word for a POSIX shell.
func quoted(s string) string {
	s = clean(s)
	safe := func(c rune) bool { return c < 0x80 && (wordy(c) || strings.ContainsRune("-_./:=,%+@", c)) }
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !safe(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
