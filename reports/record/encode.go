package record

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/brownout-dev/brownout/internal/event"
)

// Bits of a record's first byte. Due is coded from the header's start and the others from due; "never"
// is a missing bit, so that no delta has to mean it.
const (
	hasDue = 1 << iota
	hasSent
	hasFirst
	hasLast
	hasEnd
	hasHarmed
	isStreaming
	byUsage
)

// appendRecord appends r's payload: flags, outcome, violated limit, arrival, times, numbers, words.
// It allocates nothing once b is large enough.
func appendRecord(b []byte, r *Record, start event.Time) []byte {
	flags := byte(0)
	set := func(bit byte, on bool) {
		if on {
			flags |= bit
		}
	}
	set(hasDue, r.Due != 0)
	set(hasSent, r.Sent != 0)
	set(hasFirst, r.First != 0)
	set(hasLast, r.Last != 0)
	set(hasEnd, r.End != 0)
	set(hasHarmed, r.Harmed != 0)
	set(isStreaming, r.Streaming)
	set(byUsage, r.TokensBy == TokensByUsage)
	b = append(b, flags, byte(r.Outcome), byte(r.Violated))
	b = binary.AppendUvarint(b, r.Arrival)
	b = appendTime(b, r.Due, start)
	b = appendTime(b, r.Sent, r.Due)
	b = appendTime(b, r.First, r.Due)
	b = appendTime(b, r.Last, r.Due)
	b = appendTime(b, r.End, r.Due)
	b = appendTime(b, r.Harmed, r.Due)
	b = binary.AppendVarint(b, int64(r.MaxGap))
	b = binary.AppendVarint(b, int64(r.Status))
	b = binary.AppendVarint(b, int64(r.PromptTokens))
	b = binary.AppendVarint(b, int64(r.OutputTokens))
	b = binary.AppendVarint(b, int64(r.Chunks))
	b = binary.AppendVarint(b, int64(r.Attempts))
	b = appendText(b, r.ID, maxWord)
	b = appendText(b, r.Tenant, maxWord)
	b = appendText(b, r.Model, maxWord)
	b = appendText(b, r.Class, maxWord)
	b = appendText(b, r.Node, maxWord)
	return appendText(b, r.Note, maxNote)
}

func appendTime(b []byte, t, from event.Time) []byte {
	if t == 0 {
		return b
	}
	return binary.AppendVarint(b, int64(t-from))
}

// appendText cuts what is too long between two characters: node and note come from the server under test.
func appendText(b []byte, s string, bound int) []byte {
	if len(s) > bound {
		cut := bound
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// checkRecord refuses what the reader would refuse.
func checkRecord(r *Record) error {
	switch {
	case r.Outcome == Unset || r.Outcome >= NumOutcomes:
		return fmt.Errorf("request %d has no valid outcome (%d); every request must end in exactly one", r.Arrival, r.Outcome)
	case r.Violated >= NumLimits:
		return fmt.Errorf("request %d names limit %d, which does not exist", r.Arrival, r.Violated)
	case r.TokensBy > TokensByUsage:
		return fmt.Errorf("request %d names token source %d, which does not exist", r.Arrival, r.TokensBy)
	}
	return nil
}

// appendGaps appends one second's histogram: the non-empty buckets only, each as its distance from the
// one before (in microseconds between their lower edges) and its count.
func appendGaps(b []byte, sec int, h *hdrhistogram.Histogram) []byte {
	b = binary.AppendUvarint(b, uint64(max(sec, 0)))
	before := int64(0)
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		b = binary.AppendUvarint(b, uint64(bar.From-before))
		b = binary.AppendUvarint(b, uint64(bar.Count))
		before = bar.From
	}
	return b
}
