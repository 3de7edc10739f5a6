package yamlx

import (
	"fmt"
	"strings"
)

// nearest is the mend of an unknown word: the known one it was probably meant to be, or all of them.
func nearest(word string, known []string) string {
	if best := Nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 0 {
		return "remove it"
	}
	return "known are " + strings.Join(known, ", ")
}

// Nearest is the known word that lies closest to word, or "" when none is close: at most a third of its
// letters, and never more than three, differ.
func Nearest(word string, known []string) string {
	best, least := "", min(3, max(1, len(word)/3))+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k, least); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the optimal string alignment distance (insert, delete, replace, swap of neighbours) of two
// words; from atLeast on only that it is so far is known.
func distance(a, b string, atLeast int) int {
	if len(a)-len(b) >= atLeast || len(b)-len(a) >= atLeast {
		return atLeast
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
