package yamlx

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, zero or more: "10s", "500ms", "1m30s".
type Duration time.Duration

const durationMend = "write for example 10s or 500ms"

// UnmarshalText reads the form above.
func (d *Duration) UnmarshalText(text []byte) error {
	t, err := parseDuration(string(text))
	*d = Duration(t)
	return err
}

// String is the shortest form that reads back.
func (d Duration) String() string { return FormatDuration(time.Duration(d)) }

func parseDuration(s string) (time.Duration, error) {
	t, err := time.ParseDuration(s)
	if err == nil && t >= 0 {
		return t, nil
	}
	switch _, e := parseNumber(s); {
	case err == nil:
		return 0, Wrong{What: fmt.Sprintf("%q is negative", clip(s)), Mend: durationMend}
	case e == nil:
		return 0, Wrong{What: fmt.Sprintf("%q has no unit", clip(s)), Mend: fmt.Sprintf("write for example %ss or %sms", s, s)}
	default:
		return 0, Wrong{What: fmt.Sprintf("%q is not a duration", clip(s)), Mend: durationMend}
	}
}

// FormatDuration is the shortest form that ParseDuration reads back: "1m30s", "1m", never "1m0s".
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Rate is how often a second: "130/s", "5/m", "1000/h".
type Rate float64

const rateMend = "write for example 130/s"

// UnmarshalText reads the forms above.
func (r *Rate) UnmarshalText(text []byte) error {
	s := string(text)
	number, unit, hasUnit := strings.Cut(s, "/")
	f, err := parseNumber(strings.TrimSpace(number))
	per, known := map[string]float64{"s": 1, "m": 60, "min": 60, "h": 3600}[strings.TrimSpace(unit)]
	switch {
	case err == nil && !hasUnit:
		return Wrong{What: fmt.Sprintf("%q has no unit", clip(s)), Mend: "write " + clip(s) + "/s, /m or /h"}
	case err != nil || !known:
		return Wrong{What: fmt.Sprintf("%q is not a rate", clip(s)), Mend: rateMend}
	case f < 0:
		return Wrong{What: fmt.Sprintf("%q is negative", clip(s)), Mend: rateMend}
	}
	*r = Rate(f / per)
	return nil
}

// String is the rate a second: "130/s".
func (r Rate) String() string { return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s" }

// Share is a part of a whole, from 0 to 1: "60%" or 0.6.
type Share float64

// UnmarshalText reads both forms.
func (s *Share) UnmarshalText(text []byte) error {
	t := string(text)
	number, percent := strings.CutSuffix(t, "%")
	f, err := parseNumber(strings.TrimSpace(number))
	if err != nil {
		return Wrong{What: fmt.Sprintf("%q is not a share", clip(t)), Mend: "write for example 60% or 0.6"}
	}
	switch {
	case percent:
		f /= 100
	case f > 1 && f <= 100:
		return Wrong{What: fmt.Sprintf("%q is more than the whole", clip(t)), Mend: fmt.Sprintf("write %s%% if per cent are meant", clip(t))}
	}
	if f < 0 || f > 1 {
		return Wrong{What: fmt.Sprintf("%q is not between 0%% and 100%%", clip(t)), Mend: "write for example 60% or 0.6"}
	}
	*s = Share(f)
	return nil
}

// String is the share in per cent: "99.5%".
func (s Share) String() string {
	// Twelve digits: 0.07 is 7.000000000000001 % in binary arithmetic.
	return strconv.FormatFloat(float64(s)*100, 'g', 12, 64) + "%"
}

// parseNumber is a finite decimal number.
func parseNumber(s string) (float64, error) {
	if strings.ContainsAny(s, "xXpP_nN") { // hexadecimal floats, underscores, inf and nan are Go's, not a user's
		return 0, strconv.ErrSyntax
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, strconv.ErrSyntax
	}
	return f, nil
}
