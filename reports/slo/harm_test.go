package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
)

func TestHarm(t *testing.T) {
	limits := Limits{TTFT: 500 * time.Millisecond, TPOT: 50 * time.Millisecond, Gap: time.Second, E2E: 10 * time.Second}
	const ms = event.Time(1e6)
	due := s(1)
	// A stream of 11 tokens: first after 100 ms, 20 ms a token.
	base := record.Record{Due: due, Sent: due, First: due + 100*ms, Last: due + 300*ms, End: due + 310*ms, Outcome: record.OK, Streaming: true, OutputTokens: 11}
	rows := map[string]struct {
		change func(r *record.Record)
		gap    event.Time
		at     event.Time // from due
		limit  record.Limit
	}{
		"good":                      {func(*record.Record) {}, 0, 0, record.LimitNone},
		"first exactly at limit":    {func(r *record.Record) { r.First = due + 500*ms; r.Last = r.First }, 0, 0, record.LimitNone},
		"first late":                {func(r *record.Record) { r.First = due + 501*ms; r.Last = due + 600*ms }, 0, 500 * ms, record.LimitTTFT},
		"no first, ended later":     {func(r *record.Record) { r.First, r.Last, r.Outcome, r.End = 0, 0, record.TimeoutTTFT, due+900*ms }, 0, 500 * ms, record.LimitTTFT},
		"no first, ended before":    {func(r *record.Record) { r.First, r.Last, r.Outcome, r.End = 0, 0, record.Refused, due+3*ms }, 0, 3 * ms, record.LimitNone},
		"gap while running":         {func(r *record.Record) { r.MaxGap = 2 * time.Second }, due + 1100*ms, 1100 * ms, record.LimitGap},
		"gap, instant not known":    {func(r *record.Record) { r.MaxGap = 2 * time.Second }, 0, 300 * ms, record.LimitGap},
		"silence before a break":    {func(r *record.Record) { r.Outcome, r.End = record.Reset, due+2000*ms }, 0, 1300 * ms, record.LimitGap},
		"break without silence":     {func(r *record.Record) { r.Outcome, r.End = record.Truncated, due+301*ms }, 0, 301 * ms, record.LimitNone},
		"late usage is no gap":      {func(r *record.Record) { r.End = due + 5000*ms }, 0, 0, record.LimitNone},
		"slow tokens":               {func(r *record.Record) { r.Last, r.End = due+700*ms, due+700*ms }, 0, 700 * ms, record.LimitTPOT},
		"slow tokens of a break":    {func(r *record.Record) { r.Last, r.End, r.Outcome = due+700*ms, due+700*ms, record.Reset }, 0, 700 * ms, record.LimitNone},
		"one token has no tpot":     {func(r *record.Record) { r.OutputTokens = 1; r.Last, r.End = due+900*ms, due+900*ms }, 0, 0, record.LimitNone},
		"whole answer late":         {func(r *record.Record) { r.OutputTokens = 10_000; r.Last, r.End = due+10_500*ms, due+10_500*ms }, 0, 10_000 * ms, record.LimitE2E},
		"earliest of two":           {func(r *record.Record) { r.First = due + 800*ms; r.Last = due + 900*ms }, due + 400*ms, 400 * ms, record.LimitGap},
		"error event":               {func(r *record.Record) { r.Outcome = record.ErrorEvent }, 0, 310 * ms, record.LimitNone},
		"dropped":                   {func(r *record.Record) { *r = record.Record{Due: due, Outcome: record.Dropped, Streaming: true} }, 0, 0, record.LimitNone},
		"planned cancel":            {func(r *record.Record) { r.Outcome = record.Cancelled }, 0, 0, record.LimitNone},
		"unfinished inside limits":  {func(r *record.Record) { r.Outcome = record.Unfinished }, 0, 0, record.LimitNone},
		"unfinished past e2e":       {func(r *record.Record) { r.Outcome, r.Last, r.End = record.Unfinished, due+10_900*ms, due+11_000*ms }, 0, 10_000 * ms, record.LimitE2E},
		"not streamed, slow inside": {func(r *record.Record) { r.Streaming = false; r.First = due + 9000*ms; r.End = due + 9000*ms }, 0, 0, record.LimitNone},
		"not streamed, late":        {func(r *record.Record) { r.Streaming = false; r.End = due + 11_000*ms }, 0, 10_000 * ms, record.LimitE2E},
		"degraded, late":            {func(r *record.Record) { r.Outcome = record.Degraded; r.First = due + 600*ms; r.Last = due + 700*ms }, 0, 500 * ms, record.LimitTTFT},
	}
	for name, row := range rows {
		r := base
		row.change(&r)
		at, limit := limits.Harm(&r, row.gap)
		want := due + row.at
		if row.at == 0 && name != "dropped" {
			want = 0
		}
		assert.Equal(t, want, at, name)
		assert.Equal(t, row.limit, limit, name)
		if name != "good" && at != 0 && limit != record.LimitNone {
			none, _ := Limits{}.Harm(&r, 0)
			assert.NotEqual(t, at, none, "control: without limits %s does no such harm", name)
		}
	}
}

func TestClassify(t *testing.T) {
	spec := Spec{Limits: Limits{TTFT: 500 * time.Millisecond}, Expected: []record.Outcome{record.RateLimited}}
	r := answered(1, s(1))
	check := func(name string, want class, harmed event.Time, change func(r *record.Record)) {
		one := r
		change(&one)
		c, at := spec.classify(&one)
		assert.Equal(t, want, c, name)
		assert.Equal(t, harmed, at, name)
	}
	check("good", good, 0, func(*record.Record) {})
	check("stamped", bad, s(1.3), func(r *record.Record) { r.Harmed = s(1.3) })
	check("late and not stamped", bad, s(1.5), func(r *record.Record) { r.First = s(2) })
	check("cancelled", planned, 0, func(r *record.Record) { r.Outcome = record.Cancelled })
	check("cancelled after a limit", bad, s(1.2), func(r *record.Record) { r.Outcome, r.Harmed = record.Cancelled, s(1.2) })
	check("cancelled after a limit, not stamped", bad, s(1.5), func(r *record.Record) { r.Outcome, r.First, r.Last, r.End = record.Cancelled, 0, 0, s(1.6) })
	check("cancelled before any answer was late", planned, 0, func(r *record.Record) { r.Outcome, r.First, r.Last, r.End = record.Cancelled, 0, 0, s(1.4) })
	check("unfinished", excluded, 0, func(r *record.Record) { r.Outcome = record.Unfinished })
	check("unfinished past a limit", bad, s(1.5), func(r *record.Record) { r.Outcome, r.First, r.Last, r.End = record.Unfinished, 0, 0, s(3) })
	check("expected", expected, 0, func(r *record.Record) { r.Outcome, r.Harmed = record.RateLimited, s(1.1) })
	check("not expected", bad, s(1.1), func(r *record.Record) { r.Outcome, r.End = record.Overloaded, s(1.1) })
	check("degraded", bad, r.End, func(r *record.Record) { r.Outcome = record.Degraded })
	check("dropped", bad, s(1), func(r *record.Record) { *r = record.Record{Due: s(1), Outcome: record.Dropped} })
	spec.DegradedIsGood = true
	check("degraded is good", good, 0, func(r *record.Record) { r.Outcome = record.Degraded })
	check("degraded and late", bad, s(1.5), func(r *record.Record) { r.Outcome, r.First = record.Degraded, s(2) })
}
