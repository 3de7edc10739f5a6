package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/reports/slo"
)

// none stands where there is no number.
const none = "–"

// infinite is how a percentile reads that falls among the failures.
const infinite = "∞ (failed)"

// seconds writes a length of time the way one says it: "93 ms", "2.1 s", "3 min 20 s". Infinite has its own word.
func seconds(s float64) string { return secondsTo(s, 0) }

// secondsTo adds extra digits.
func secondsTo(s float64, extra int) string {
	if s == slo.Infinite {
		return infinite
	}
	sign := ""
	if s < 0 {
		sign, s = "−", -s
	}
	switch {
	case math.IsNaN(s):
		return none
	case s == 0:
		return "0 s"
	case s < 0.9995e-3:
		return sign + digits(s*1e6, 2, extra) + " µs"
	case s < 0.9995:
		return sign + digits(s*1e3, 2, extra) + " ms"
	case s < 119.5:
		significant := 2
		if s >= 9.95 {
			significant = 3
		}
		return sign + digits(max(s, 1), significant, extra) + " s"
	case s < 3570:
		whole := int(math.Round(s))
		return fmt.Sprintf("%s%d min %02d s", sign, whole/60, whole%60)
	}
	minutes := int(math.Round(min(s, 1e12) / 60))
	return fmt.Sprintf("%s%d h %02d min", sign, minutes/60, minutes%60)
}

// digits keeps as many significant digits as asked, and never cuts before the point.
func digits(v float64, significant, extra int) string {
	places := significant - 1 - int(math.Floor(math.Log10(v)+1e-9))
	return strconv.FormatFloat(v, 'f', max(places, 0)+extra, 64)
}

// share writes 0…1 as a percentage. Only a full share reads 100 %, and only an empty one 0 %.
func share(v float64) string { return shareTo(v, 0) }

func shareTo(v float64, extra int) string {
	switch {
	case math.IsNaN(v):
		return none
	case v == 1:
		return "100 %"
	case v == 0:
		return "0 %"
	}
	for places := 1 + extra; places < 6; places++ {
		text := strconv.FormatFloat(v*100, 'f', places, 64)
		if n, err := strconv.ParseFloat(text, 64); err == nil && n != 100 && n != 0 {
			return text + " %"
		}
	}
	return strconv.FormatFloat(v*100, 'g', -1, 64) + " %"
}

// count groups thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	digitsFrom := 0
	if n < 0 {
		digitsFrom = 1
	}
	for i := len(s) - 3; i > digitsFrom; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rate writes a number of things a second.
func rate(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return none
	case v >= 99.95:
		return count(int(math.Round(min(v, 1e15))))
	case v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// number writes a quantity that has no unit of its own.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return count(int(v))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// plus writes a length of time as an offset: "+0.4 s".
func plus(s float64) string {
	if s < 0 {
		return seconds(s)
	}
	return "+" + seconds(s)
}

// bare drops a ".0": limits and marks of an axis are round numbers, not measurements.
func bare(s string) string { return strings.Replace(s, ".0 ", " ", 1) }

// percentile looks a percentile up; one without enough samples is absent.
func percentile(values map[string]float64, name string) string {
	v, ok := values[name]
	if !ok {
		return none
	}
	return seconds(v)
}

// words picks the singular for one.
func words(n int, one, many string) string {
	if n == 1 {
		return count(n) + " " + one
	}
	return count(n) + " " + many
}

// clean drops what could steer a terminal or break a line; names come from files and servers.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t' || c == '\r':
			return ' '
		case c < 0x20 || c >= 0x7f && c < 0xa0 || c == '\u2028' || c == '\u2029' || c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069':
			return -1
		}
		return c
	}, s)
}
