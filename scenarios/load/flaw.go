package load

import (
	"fmt"
	"strings"
)

// Flaw is one mistake of a plan: at which key, what is wrong, and how to mend it. Keys are written as in
// scenario files ("mix[1].cancel.after").
type Flaw struct{ Key, What, Mend string }

// Error is the flaw as a sentence.
func (f Flaw) Error() string { return f.Key + " " + f.What + ": " + f.Mend }

// MaxWeight bounds weights, which mean nothing but their ratio.
const MaxWeight = 1e6

func isWeight(w float64) bool { return w >= 0 && w <= MaxWeight }

func weightFlaw(at string, w float64) Flaw {
	return Flaw{at + ".weight", fmt.Sprintf("is %v", w), fmt.Sprintf("it must lie in 0…%v", float64(MaxWeight))}
}

// anyOf is "a, b or c".
func anyOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
