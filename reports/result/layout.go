package result

import (
	"bytes"
	"strings"
)

// Flat puts every list that holds numbers alone onto one line of indented JSON: the samples of a run
// would take a line a number otherwise. It works on whole lines, and no JSON string holds a line break.
func Flat(text []byte) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	var out bytes.Buffer
	for i := 0; i < len(lines); i++ {
		end := numbersEnd(lines, i)
		if end < 0 {
			out.WriteString(lines[i])
			continue
		}
		out.WriteString(strings.TrimRight(lines[i], "\n"))
		for _, l := range lines[i+1 : end] {
			out.WriteString(strings.TrimSpace(l))
		}
		out.WriteString(strings.TrimLeft(lines[end], " "))
		i = end
	}
	return out.Bytes()
}

// numbersEnd is the line that closes the list opened on line i, -1 unless only numbers are between.
func numbersEnd(lines []string, i int) int {
	if !strings.HasSuffix(strings.TrimRight(lines[i], "\n"), "[") {
		return -1
	}
	for k := i + 1; k < len(lines); k++ {
		l := strings.TrimSpace(lines[k])
		if strings.HasPrefix(l, "]") {
			return k
		}
		if strings.Trim(strings.TrimSuffix(l, ","), "0123456789+-.eE") != "" {
			return -1
		}
	}
	return -1
}
