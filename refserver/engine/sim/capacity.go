package sim

import (
	"time"

	"github.com/brownout-dev/brownout/refserver/gpu"
)

// Bounds of a capacity study: it ends when both warm-up and measurement have seen enough steps.
const (
	studyTurnover = 3         // batches' worth of tokens before measuring, and while measuring
	studyTokens   = 1_000_000 // of answers, at most
	studySteps    = 50_000    // at most
)

// Capacity is the highest rate, in requests per second, that one undisturbed engine of this config can
// finish when every request has prompt and output tokens: the schedule in virtual time, with a queue
// that never empties. Zero when one request does not fit.
func Capacity(cfg Config, spec gpu.Spec, prompt, output int) float64 {
	cfg = cfg.withDefaults()
	foot, err := cfg.footprint(spec)
	if err != nil || prompt < 1 || output < 1 {
		return 0
	}
	s := schedule{
		maxSequences: cfg.MaxSequences, blockTokens: cfg.BlockTokens, budget: cfg.TokenBudget,
		blocks: foot.Blocks, free: foot.Blocks,
	}
	if s.blocksFor(prompt+output) > foot.Blocks {
		return 0
	}
	timing := gpu.TimingOf(spec, cfg.Model).Slowed(cfg.Slowdown)
	all := min(2*studyTurnover*cfg.MaxSequences*output, studyTokens)
	warm := all / 2
	var clock, from time.Duration
	tokens, before := 0, 0
	for range studySteps {
		for len(s.waiting) < cfg.MaxSequences {
			s.waiting = append(s.waiting, &sequence{prompt: prompt, end: output})
		}
		clock += timing.Step(s.plan())
		for _, q := range s.finish() {
			tokens++
			if q.next++; q.next == q.end {
				s.retire(q)
			}
		}
		s.sweep()
		if from == 0 && tokens >= warm {
			from, before = clock, tokens
		}
		if tokens >= all {
			break
		}
	}
	if clock == from {
		return 0
	}
	return float64(tokens-before) / float64(output) / (clock - from).Seconds()
}
