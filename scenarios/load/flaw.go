package load

import "strings"

// Flaw is one mistake of a plan: at which key, what is wrong, and how to mend it. Keys are written as in
// scenario files ("mix[1].cancel.after").
type Flaw struct{ Key, What, Mend string }

// Error is the flaw as a sentence.
func (f Flaw) Error() string { return f.Key + " " + f.What + ": " + f.Mend }

// anyOf is "a, b or c".
func anyOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
