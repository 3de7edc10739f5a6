package lies

import (
	"errors"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/record"
)

// ofServers are lies a server tells in its answers.
func ofServers() []Lie {
	return []Lie{
		{
			Name:  "fast because it sheds half",
			Told:  "every second request gets a 503 at once; the p99 of those that are served is 20 ms",
			Truth: "fail: what was not served is infinitely slow, in percentiles too",
			Tell: func(s *Stage) error {
				return s.sheds(plan{rate: 100, phases: "[{name: all, for: 10s}]", gates: "run: [p99 ttft <= 300ms]"})
			},
			Guard: []Edit{{"reports/slo/dist.go", "			c.ttft.failed++\n			c.tpot.failed++\n", ""}},
		},
		{
			Name:  "good to those it serves",
			Told:  "every second request gets a 503; of the requests that succeed all are inside their limits",
			Truth: "fail: goodput is over requests due",
			Tell: func(s *Stage) error {
				return s.sheds(plan{rate: 50, gates: "run: [goodput >= 99%]"})
			},
			Guard: []Edit{{"reports/slo/dist.go", "return c.good + c.bad + c.expected", "return c.good + c.expected"}},
		},
		{
			Name:  "every request fails, exit 0",
			Told:  "all answers are a 500; the load was delivered, so the tool reports success",
			Truth: "fail",
			Tell: func(s *Stage) error {
				o, err := s.against("status=500", plan{rate: 50, gates: "run: [availability >= 1%]"}.yaml(), nil)
				return errors.Join(err, o.expect(fail, ""), outcomes(o.Result, record.HTTP5xx, 200))
			},
			Guard: []Edit{{"k6ext/client/exchange.go", "	case resp.Status() != http.StatusOK:\n		x.refusal(resp)\n", "	case resp.Status() != http.StatusOK:\n		x.end(record.OK, \"\")\n"}},
		},
		{
			Name:  "an error inside a 200",
			Told:  "after two tokens an error event comes, then a finish reason and [DONE]; the status was 200",
			Truth: "fail: error_event",
			Tell: func(s *Stage) error {
				o, err := s.against("fail=error-done,after=2", plan{rate: 50, gates: "run: [goodput >= 99%]"}.yaml(), nil)
				return errors.Join(err, o.expect(fail, ""), outcomes(o.Result, record.ErrorEvent, 200))
			},
			Guard: []Edit{{"k6ext/client/stream.go", `if string(ev.Type) == "error" {`, `if string(ev.Type) == "never" {`}},
		},
		{
			Name:  "streams cut cleanly",
			Told:  "after four of eight tokens the answer ends as HTTP wants it; a shorter answer is even faster",
			Truth: "fail: truncated, for no finish reason came",
			Tell: func(s *Stage) error {
				o, err := s.against("fail=truncate,after=4", plan{rate: 50, gates: "run: [goodput >= 99%]"}.yaml(), nil)
				return errors.Join(err, o.expect(fail, ""), outcomes(o.Result, record.Truncated, 200))
			},
			Guard: []Edit{{"k6ext/client/exchange.go", "	if !x.finished {\n		x.endAt(at, record.Truncated,", "	if false {\n		x.endAt(at, record.Truncated,"}},
		},
		{
			Name:  "the role chunk first",
			Told:  "a chunk with a role and no text is sent on arrival; the first text comes after 600 ms",
			Truth: "fail: the time to first token is 600 ms",
			Tell: func(s *Stage) error {
				o, err := s.against("role,ttft=600ms", plan{rate: 50, gates: "run: [goodput >= 99%]"}.yaml(), nil)
				return errors.Join(err, o.expect(fail, ""))
			},
			Guard: []Edit{{"k6ext/client/chunk.go", "return len(c.text) > 0 || c.other }", "return len(c.text) > 0 || c.other || (c.choices > 0 && !c.finished) }"}},
		},
		{
			Name:  "headers first, all tokens at the end",
			Told:  "the status and headers come at once; 800 ms later all tokens in one burst",
			Truth: "fail: the time to first token is 800 ms",
			Tell: func(s *Stage) error {
				o, err := s.against("role,ttft=800ms,perchunk=8", plan{rate: 50, gates: "run: [goodput >= 99%]"}.yaml(), nil)
				return errors.Join(err, o.expect(fail, ""))
			},
			Guard: []Edit{{"k6ext/client/exchange.go", "	x.head(resp)\n", "	x.head(resp)\n	x.rec.First, x.rec.Last = x.c.Clock.Now(), x.c.Clock.Now()\n"}},
		},
		{
			Name:  "one token, then a burst",
			Told:  "the first token comes at once and the other 31 together after 800 ms: 26 ms a token on average",
			Truth: "fail: users waited 800 ms in the middle of the answer",
			Tell: func(s *Stage) error {
				o, err := s.against("burst,gap=800ms", plan{rate: 50, output: 32, limits: "ttft: 300ms, tpot: 50ms, max_gap: 500ms, e2e: 3s",
					gates: "run: [goodput >= 99%]"}.yaml(), nil)
				return errors.Join(err, o.expect(fail, ""))
			},
			Guard: []Edit{
				{"k6ext/client/stream.go", "x.rec.MaxGap = max(x.rec.MaxGap, gap)", "_ = gap"},
				{"k6ext/client/stream.go", "gap > limit && x.gapExceeded == 0 {", "gap > limit && false {"},
			},
		},
		{
			Name:  "a token said twice",
			Told:  "the fourth token comes twice, as after a resume that lost count; the stream ends as it should",
			Truth: "fail: corrupt",
			Tell: func(s *Stage) error {
				w, err := s.world(fakellm.Script{Fail: fakellm.FailRepeat, After: 3})
				if err != nil {
					return err
				}
				o, err := w.run(plan{rate: 50, gates: "run: [count corrupt == 0]"})
				return errors.Join(err, o.expect(fail, ""), outcomes(o.Result, record.Corrupt, 200))
			},
			Guard: []Edit{
				{"k6ext/client/stream.go", "x.model.take(c, x.exact); note != \"\" {", "x.model.take(c, false); note != \"\" {"},
				{"k6ext/client/exchange.go", "	if x.exact {\n		if !x.usage {", "	if false {\n		if !x.usage {"},
			},
		},
	}
}

// sheds runs the plan on a server that refuses every second request.
func (s *Stage) sheds(p plan) error {
	url, err := s.serve(&fakellm.Server{Pick: func(n uint64) fakellm.Script {
		if n%2 == 1 {
			return fakellm.Script{Fail: fakellm.FailStatus + "=503"}
		}
		return fakellm.Script{}
	}})
	if err != nil {
		return err
	}
	o, err := s.run(p.yaml(), nil, "--target", url)
	return errors.Join(err, o.expect(fail, ""), outcomes(o.Result, record.Overloaded, 100))
}
