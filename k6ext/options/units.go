package options

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	errDuration = errors.New("no duration")
	errRate     = errors.New("no rate")
)

// duration reads "30s", or milliseconds.
func duration(v any) (time.Duration, error) {
	switch v := v.(type) {
	case string:
		return time.ParseDuration(v)
	case json.Number:
		ms, err := v.Float64()
		if ns := ms * 1e6; err == nil && math.Abs(ns) < math.MaxInt64 {
			return time.Duration(math.Round(ns)), nil
		}
	}
	return 0, errDuration
}

// rate reads "50/s", "300/m" or "3600/h", or a number a second.
func rate(v any) (float64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Float64()
	case string:
		number, unit, ok := strings.Cut(v, "/")
		seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if ok && seconds > 0 && err == nil {
			return n / seconds, nil
		}
	}
	return 0, errRate
}

// show is a value as it was written, cut to a length that fits a sentence.
func show(v any) string {
	const most = 40
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	if len(raw) <= most {
		return string(raw)
	}
	cut := most
	for !utf8.RuneStart(raw[cut]) {
		cut--
	}
	return string(raw[:cut]) + "…"
}
