package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

func short(d time.Duration) string { return yamlx.FormatDuration(d) }

// tokens says a length in words, and the mean that is really drawn where bounds move it by more than 1 %.
func tokens(l load.Length) string {
	text := written(l)
	if drawn := l.Drawn(); l.Dist != load.Choices && math.Abs(drawn-l.Mean) > 0.01*l.Mean {
		text += fmt.Sprintf(" with a drawn mean of %s", number(round(drawn)))
	}
	return text
}

func written(l load.Length) string {
	switch l.Dist {
	case load.Uniform:
		return fmt.Sprintf("%s (uniform, %s to %s)", number(l.Mean), thousands(l.Min), thousands(l.Max))
	case load.Lognormal:
		return fmt.Sprintf("%s (lognormal, sigma %s, %s to %s)", number(l.Mean), number(l.Spread), thousands(l.Min), thousands(l.Max))
	case load.Normal:
		return fmt.Sprintf("%s (normal, deviation %s, %s to %s)", number(l.Mean), number(l.Spread), thousands(l.Min), thousands(l.Max))
	case load.Exponential:
		return fmt.Sprintf("%s (exponential, %s to %s)", number(l.Mean), thousands(l.Min), thousands(l.Max))
	case load.Choices:
		var parts []string
		total := 0.0
		for _, c := range l.Choices {
			total += c.Weight
		}
		for _, c := range l.Choices {
			parts = append(parts, fmt.Sprintf("%s in %s", thousands(c.Tokens), percent(c.Weight/total)))
		}
		return fmt.Sprintf("%s (%s)", number(round(l.Drawn())), strings.Join(parts, ", "))
	default:
		return number(l.Mean)
	}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "x") {
		what += "e"
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
