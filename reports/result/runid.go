package result

import (
	"fmt"
	"strings"
	"time"
)

// NewRunID names a run after its start (UTC), its scenario and 16 random bits (the low ones of random,
// which the caller draws): "20261121T114801-gpu-oom-7f3a". It is a safe file name.
func NewRunID(now time.Time, name string, random uint64) string {
	return fmt.Sprintf("%s-%s-%04x", now.UTC().Format("20060102T150405"), slug(name), random&0xffff)
}

// slug keeps letters and digits of ASCII in lower case, at most 40, and turns any other run of characters into one dash.
func slug(name string) string {
	const longest = 40
	var b strings.Builder
	dash := false
	for _, c := range strings.ToLower(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			dash = b.Len() > 0
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		if b.Len() >= longest {
			break
		}
		b.WriteRune(c)
	}
	if b.Len() == 0 {
		return "run"
	}
	return strings.TrimRight(b.String(), "-")
}
