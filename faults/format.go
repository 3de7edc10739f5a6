package faults

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// String is the canonical one-line form: kind, selector, duration, ramp, parameters by name, seed,
// cap. Parse reads back an equal Fault.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Kind)
	b.WriteString(" on ")
	b.WriteString(f.On.String())
	b.WriteString(" for ")
	b.WriteString(formatDuration(f.For))
	if f.Ramp != 0 {
		b.WriteString(" ramp=")
		b.WriteString(formatDuration(f.Ramp))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		b.WriteString(" " + name + "=" + f.Params[name])
	}
	if f.Seed != 0 {
		b.WriteString(" seed=" + strconv.FormatUint(f.Seed, 10))
	}
	if f.MaxShare != 0 {
		b.WriteString(" max_share=" + strconv.FormatFloat(f.MaxShare, 'f', -1, 64))
	}
	return b.String()
}

// String writes the terms joined by ',' ("node=n2,gpu=*/g0").
func (s Selector) String() string {
	terms := make([]string, len(s))
	for i, t := range s {
		terms[i] = t.Key + "=" + t.Value
	}
	return strings.Join(terms, ",")
}

// formatDuration is time.Duration's form without its zero tail: "10s", "2m", "1h".
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
