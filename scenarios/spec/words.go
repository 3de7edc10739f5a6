package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func short(d time.Duration) string { return yamlx.FormatDuration(d) }

func tokens(l load.Length) string {
	switch l.Dist {
	case load.Uniform:
		return fmt.Sprintf("%s (uniform, %s to %s)", number(l.Mean), thousands(l.Min), thousands(l.Max))
	case load.Lognormal:
		return fmt.Sprintf("%s (lognormal, sigma %s, %s to %s)", number(l.Mean), number(l.Spread), thousands(l.Min), thousands(l.Max))
	default:
		return number(l.Mean)
	}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// thousands writes 1,560.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// wrap breaks text at blanks into lines of at most so many bytes; a longer word gets its own line.
func wrap(text string, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > most {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
