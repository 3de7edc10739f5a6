package faults

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Share is the value of a "%" parameter (default applied) as 0…1.
func (f Fault) Share(name string) (float64, error) {
	value, err := f.param(name, "%")
	if err != nil {
		return 0, err
	}
	return parseShare(value)
}

// Multiple is the value of an "x" parameter (default applied): 8 for "8x".
func (f Fault) Multiple(name string) (float64, error) {
	value, err := f.param(name, "x")
	if err != nil {
		return 0, err
	}
	return parseMultiple(value)
}

// Word is the value of a "word" parameter, default applied.
func (f Fault) Word(name string) (string, error) { return f.param(name, "word") }

func (f Fault) param(name, unit string) (string, error) {
	k, _ := find(f.Kind)
	i := slices.IndexFunc(k.Params, func(p ParamInfo) bool { return p.Name == name && p.Unit == unit })
	if i < 0 {
		return "", fmt.Errorf("the kind %q has no parameter %q with the unit %q", f.Kind, name, unit)
	}
	return cmp.Or(f.Params[name], k.Params[i].Default), nil
}

// mistakes is everything that is wrong with the meaning of f, kind by kind.
func (f Fault) mistakes() []Problem {
	var out []Problem
	add := func(field, format string, args ...any) {
		out = append(out, Problem{Field: field, Text: fmt.Sprintf(format, args...)})
	}
	k, known := find(f.Kind)
	if !known {
		add("kind", "there is no kind %q: the kinds are %s", f.Kind, kindNames())
	}
	if len(f.On) == 0 {
		add("on", "the selector is empty, which never means everything: say what is harmed, as in 'on gpu=n2/g1'")
	}
	for _, t := range f.On {
		if !plainName(t.Key) || !plainValue(t.Value) {
			add("on", "the selector %q is not understood: write KEY=TARGET with letters, digits and any of %s", t.Key+"="+t.Value, valueMarks)
		}
	}
	if f.For <= 0 || f.For > MaxDuration {
		add("for", "a fault lasts more than 0s and at most %s, not %s", formatDuration(MaxDuration), formatDuration(f.For))
	}
	if f.Ramp < 0 || f.For > 0 && f.Ramp > f.For {
		add("ramp", "a ramp is from 0s to the fault's duration (%s), not %s", formatDuration(f.For), formatDuration(f.Ramp))
	}
	if f.MaxShare != 0 && !legalShare(f.MaxShare) {
		add("max_share", "a share cap is above 0 and at most 1, not %v", f.MaxShare)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		if !known {
			break // whose parameters they are is not known
		}
		i := slices.IndexFunc(k.Params, func(p ParamInfo) bool { return p.Name == name })
		if i < 0 {
			add(name, "%s has no parameter %q: it takes %s", f.Kind, name, paramNames(k.Params))
			continue
		}
		if text := k.Params[i].mistake(f.Params[name]); text != "" {
			add(name, "%s", text)
		}
	}
	if known && len(out) == 0 && k.check != nil {
		out = k.check(f)
	}
	if n := len(f.String()); len(out) == 0 && n > MaxLine {
		add("line", "a fault is at most %d bytes when written out, this one has %d: shorten it", MaxLine, n)
	}
	return out
}

// minShare keeps the cap's decimal form short; a smaller share of any real fleet is less than one device.
const minShare = 1e-9

func legalShare(x float64) bool { return x >= minShare && x <= 1 } // NaN is not

// mistake is "" when value is a legal value of the parameter.
func (p ParamInfo) mistake(value string) string {
	switch p.Unit {
	case "%":
		x, err := parseShare(value)
		if err != nil || !plainValue(value) {
			return fmt.Sprintf("%s=%s is not a percentage: write it as in %s=%s", p.Name, value, p.Name, p.Default)
		}
		if !strings.HasSuffix(value, "%") {
			return fmt.Sprintf("%s=%s has no unit: write %s=%s%%", p.Name, value, p.Name, value)
		}
		if !(x*100 >= p.Min && x*100 <= p.Max) {
			return fmt.Sprintf("%s=%s is out of bounds: it is from %v%% to %v%%", p.Name, value, p.Min, p.Max)
		}
	case "duration":
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Sprintf("%s=%s is not a duration: write it as in %s=%s", p.Name, value, p.Name, p.Default)
		}
		if d.Seconds() < p.Min || d.Seconds() > p.Max {
			return fmt.Sprintf("%s=%s is out of bounds: it is from %vs to %vs", p.Name, value, p.Min, p.Max)
		}
	case "x":
		x, err := parseMultiple(value)
		if err != nil || !plainValue(value) {
			return fmt.Sprintf("%s=%s is not a multiple: write it as in %s=%s", p.Name, value, p.Name, p.Default)
		}
		if !strings.HasSuffix(value, "x") {
			return fmt.Sprintf("%s=%s has no unit: write %s=%sx", p.Name, value, p.Name, value)
		}
		if !(x >= p.Min && x <= p.Max) {
			return fmt.Sprintf("%s=%s is out of bounds: it is from %vx to %vx", p.Name, value, p.Min, p.Max)
		}
	case "word":
		if !slices.Contains(p.Words, value) {
			return fmt.Sprintf("%s=%s is not one of its words: it is %s", p.Name, value, strings.Join(p.Words, " or "))
		}
	}
	return ""
}

// parseMultiple reads "8x" and "8" as 8.
func parseMultiple(s string) (float64, error) {
	return strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
}

func paramNames(params []ParamInfo) string {
	names := make([]string, 0, len(params)+3)
	for _, p := range params {
		names = append(names, p.Name)
	}
	return strings.Join(append(names, "ramp", "seed", "max_share"), ", ")
}

// valueMarks are the marks a value may hold beside letters and digits; none of them has a meaning
// in the line, in a URL path segment's neighbourhood or in a shell's double quotes.
const valueMarks = "_ . / : % + - *"

func plainValue(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !letterOrDigit(r) && !strings.ContainsRune("_./:%+-*", r)
	}) < 0
}

func plainName(s string) bool {
	return s != "" && s[0] >= 'a' && s[0] <= 'z' && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	}) < 0
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
