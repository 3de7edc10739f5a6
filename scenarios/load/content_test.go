package load

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/synth"
)

func tokens(n int) Length { return Length{Dist: Fixed, Mean: float64(n)} }

// rich is a plan that uses everything.
func rich() Plan {
	p := plan(Poisson, 200)
	p.Duration = 10 * time.Second
	p.Prompt = Length{Dist: Normal, Mean: 60, Spread: 20, Min: 30, Max: 90}
	p.Output = tokens(8)
	p.Prefix = &Prefix{Tokens: 20, Pool: 5, Zipf: 1}
	p.Cancel = &Cancel{Share: 0.1, After: 500 * time.Millisecond}
	p.Conversation = &Conversation{Turns: Length{Dist: Uniform, Mean: 3, Spread: 2}, Think: Think{Dist: Exponential, Mean: 2 * time.Second}}
	p.Mix = []Class{
		{Name: "chat", Weight: 3, Tenant: "a"},
		{Name: "batch", Weight: 1, Tenant: "b", Model: "big", Stream: new(false), Prompt: Length{Dist: Choices, Choices: []Choice{{40, 1}, {80, 1}}},
			Prefix: &Prefix{}, Conversation: &Conversation{Turns: tokens(1), Think: Think{Mean: time.Second}}, Cancel: &Cancel{}},
	}
	return p
}

// near asserts that a share of n draws is what it should be, within four and a half standard deviations.
func near(t *testing.T, want float64, got, n int, text string) {
	t.Helper()
	assert.InDelta(t, want, float64(got)/float64(n), 4.5*math.Sqrt(want*(1-want)/float64(n))+1e-12, text)
}

func TestLengthsHaveTheMomentsTheySay(t *testing.T) {
	for name, l := range map[string]Length{
		"fixed":                   tokens(64),
		"fixed, cut":              {Dist: Fixed, Mean: 64, Max: 40},
		"uniform":                 {Dist: Uniform, Mean: 64, Spread: 20},
		"uniform, cut":            {Dist: Uniform, Mean: 64, Spread: 20, Max: 60},
		"uniform, half":           {Dist: Uniform, Mean: 64.5, Spread: 20.2},
		"lognormal":               {Dist: Lognormal, Mean: 512, Spread: 0.5},
		"lognormal, cut":          {Dist: Lognormal, Mean: 512, Spread: 1, Min: 300, Max: 900},
		"normal, as GuideLLM's":   {Dist: Normal, Mean: 512, Spread: 128},
		"normal, truncated":       {Dist: Normal, Mean: 20, Spread: 40, Min: 4, Max: 64},
		"normal, of one length":   {Dist: Normal, Mean: 20, Spread: 40, Min: 16, Max: 16},
		"exponential":             {Dist: Exponential, Mean: 200},
		"exponential, cut":        {Dist: Exponential, Mean: 200, Min: 50, Max: 300},
		"choices":                 {Dist: Choices, Choices: []Choice{{128, 3}, {4096, 1}, {7, 0}}},
		"choices, cut":            {Dist: Choices, Choices: []Choice{{128, 3}, {4096, 1}}, Max: 1000},
		"exponential, very short": {Dist: Exponential, Mean: 1},
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, l.Flaws(""))
			const n = 100_000
			least, most := l.bounds()
			sum, square, low, high := 0.0, 0.0, MaxTokens, 0
			for i := range uint64(n) {
				v := l.tokens(draw(9, forPromptLength, i))
				low, high = min(low, v), max(high, v)
				sum += float64(v)
				square += float64(v) * float64(v)
			}
			assert.GreaterOrEqual(t, low, least)
			assert.LessOrEqual(t, high, most)
			mean, second := l.moments()
			deviation := math.Sqrt(max(0, second-mean*mean))
			assert.InDelta(t, mean, sum/n, 4.5*deviation/math.Sqrt(n)+1e-9)
			assert.InEpsilon(t, second, square/n, 0.05)
			assert.InDelta(t, mean, l.Drawn(), 0)
		})
	}
}

func TestTheDrawnMeanIsNotTheWrittenOneWhereBoundsCut(t *testing.T) {
	l := Length{Dist: Exponential, Mean: 200, Max: 200}
	assert.InDelta(t, 200*(1-math.Exp(-1)), l.Drawn(), 0.5, "E[min(X, m)] of an exponential with mean m")
	l = Length{Dist: Normal, Mean: 100, Spread: 50, Min: 100}
	assert.InDelta(t, 100+50*math.Sqrt(2/math.Pi), l.Drawn(), 0.5, "a half normal")
	l = Length{Dist: Uniform, Mean: 10, Spread: 5}
	assert.InDelta(t, 10, l.Drawn(), 1e-9)
}

func TestChoicesAreDrawnByWeight(t *testing.T) {
	l := Length{Dist: Choices, Choices: []Choice{{128, 3}, {4096, 1}, {5, 0}}}
	seen := map[int]int{}
	const n = 40_000
	for i := range uint64(n) {
		seen[l.tokens(synth.Mix(i))]++
	}
	near(t, 0.75, seen[128], n, "three of four")
	near(t, 0.25, seen[4096], n, "one of four")
	assert.Zero(t, seen[5], "no weight, no draw")
}

func TestPrefixesAreDrawnByZipf(t *testing.T) {
	for _, s := range []float64{0, 1, 1.5} {
		p := plan(Constant, 400)
		p.Prompt, p.Prefix = tokens(64), &Prefix{Tokens: 40, Pool: 8, Zipf: s}
		require.NoError(t, p.Validate())
		seen, n := make([]int, 9), 0
		for a := range p.All() {
			seen[a.Rank]++
			n++
		}
		assert.Zero(t, seen[0], "every request has one")
		harmonic := 0.0
		for k := 1; k <= 8; k++ {
			harmonic += math.Pow(float64(k), -s)
		}
		for k := 1; k <= 8; k++ {
			near(t, math.Pow(float64(k), -s)/harmonic, seen[k], n, "zipf")
		}
	}
}

func TestPromptsShareTheirPrefixAndNothingElse(t *testing.T) {
	p := plan(Constant, 20)
	p.Prompt, p.Prefix = Length{Dist: Uniform, Mean: 60, Spread: 10}, &Prefix{Tokens: 40, Pool: 4, Zipf: 1}
	prefixes, rests := map[int]string{}, map[string]bool{}
	for a := range p.All() {
		words := strings.Fields(string(p.AppendPrompt(nil, a)))
		require.Len(t, words, a.Prompt)
		head := strings.Join(words[:40], " ")
		if known, ok := prefixes[a.Rank]; ok {
			require.Equal(t, known, head)
		}
		prefixes[a.Rank] = head
		rest := strings.Join(words[40:45], " ")
		require.False(t, rests[rest], "the rest is unique from its start")
		rests[rest] = true
	}
	require.Len(t, prefixes, 4)
	for rank, head := range prefixes {
		for other, text := range prefixes {
			require.True(t, rank == other || head[:20] != text[:20], "prefixes differ from their start")
		}
	}
	// A class with a pool of its own shares nothing with the others; one without a prefix has none.
	p.Mix = []Class{{Name: "a", Weight: 1}, {Name: "b", Weight: 1, Prefix: &Prefix{Tokens: 40, Pool: 4, Group: 2}}, {Name: "c", Weight: 1, Prefix: &Prefix{}}}
	require.NoError(t, p.Validate())
	for a := range p.All() {
		head := strings.Join(strings.Fields(string(p.AppendPrompt(nil, a)))[:40], " ")
		require.Equal(t, a.Class == 0, slices.Contains([]string{prefixes[1], prefixes[2], prefixes[3], prefixes[4]}, head))
		require.Equal(t, a.Class == 2, a.Rank == 0)
	}
}

func conversations(turns Length, think Think) Plan {
	p := plan(Poisson, 200)
	p.Prompt, p.Output = Length{Dist: Uniform, Mean: 20, Spread: 10}, Length{Dist: Uniform, Mean: 8, Spread: 4}
	p.Conversation = &Conversation{Turns: turns, Think: think}
	return p
}

func TestConversationsAreOpenLoop(t *testing.T) {
	for name, think := range map[string]Think{"fixed": {Mean: 2 * time.Second}, "exponential": {Dist: Exponential, Mean: 2 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			p := conversations(Length{Dist: Choices, Choices: []Choice{{2, 1}, {6, 1}}}, think)
			p.Duration = 40 * time.Second
			require.NoError(t, p.Validate())
			type state struct {
				turn int
				due  time.Duration
			}
			seen, index, last := map[uint64]state{}, uint64(0), time.Duration(0)
			var pauses []float64
			ids := map[string]bool{}
			perSecond := make([]int, 40)
			first := 0
			for a := range p.All() {
				require.Equal(t, index, a.Index, "indices have no gap")
				require.GreaterOrEqual(t, a.Due, last, "in order of due")
				require.False(t, ids[a.ID])
				ids[a.ID] = true
				number := a.Item >> turnBits
				if before, ok := seen[number]; ok {
					require.Equal(t, before.turn+1, a.Turn, "no turn is left out")
					if before.due < 25*time.Second { // the end of the run cuts long ones off
						pauses = append(pauses, (a.Due - before.due).Seconds())
					}
				} else if a.Turn == 0 {
					first++
				} else {
					require.GreaterOrEqual(t, number, uint64(startedLong), "only what was under way begins in its middle")
				}
				seen[number] = state{a.Turn, a.Due}
				perSecond[a.Due/time.Second]++
				index, last = index+1, a.Due
			}
			mean, cv := meanAndCV(pauses)
			wantCV := map[string]float64{"fixed": 0, "exponential": 1}[name]
			assert.InDelta(t, wantCV, cv, 0.05)
			assert.InDelta(t, 2, mean, 0.1)
			// 200 requests/s from the first second on: a load that only began would reach that after
			// (6−1) × 2 s. Poisson counts of correlated turns: five deviations.
			for sec, n := range perSecond[:10] {
				assert.InDelta(t, 200, n, 5*math.Sqrt(200*2), "second %d", sec)
			}
			assert.InDelta(t, 200*40, int(index), 5*math.Sqrt(200*40*6))
			near(t, 0.25, first, int(index), "one request of four begins a conversation: 2 or 6 turns are 4 on average")
			assert.InDelta(t, 50, p.Starts(), 1e-9)
		})
	}
}

// Without the conversations that are under way at time zero the load would begin with a quarter of its rate.
func TestTheRateHoldsFromTheFirstSecond(t *testing.T) {
	p := conversations(tokens(4), Think{Mean: 20 * time.Second})
	p.Duration = 5 * time.Second
	begun, early := 0, 0
	for a := range p.All() {
		if a.Due < 5*time.Second {
			early++
			if a.Turn == 0 {
				begun++
			}
		}
	}
	assert.InDelta(t, 1000, early, 5*math.Sqrt(1000))
	assert.InDelta(t, 250, begun, 5*math.Sqrt(250), "negative control: what begins in that time is a quarter")
}

func TestTurnsGrowTheirPrefix(t *testing.T) {
	p := conversations(Length{Dist: Uniform, Mean: 3, Spread: 2}, Think{Mean: time.Second})
	p.Prompt.Mean, p.Duration = 60, 20*time.Second
	p.Prefix = &Prefix{Tokens: 40, Pool: 3}
	require.NoError(t, p.Validate())
	texts := map[uint64]string{}
	prompts, n := 0, 0
	for a := range p.All() {
		text := string(p.AppendPrompt(nil, a))
		require.Equal(t, a.Prompt, synth.Count(text))
		messages := string(p.AppendMessages(nil, a))
		require.Equal(t, a.Turn+1, strings.Count(messages, `"role":"user"`))
		require.Equal(t, a.Turn, strings.Count(messages, `"role":"assistant"`))
		if before, ok := texts[a.Item>>turnBits]; ok {
			require.True(t, strings.HasPrefix(text, before+"\n"), "what was sent before is sent again")
		}
		texts[a.Item>>turnBits] = text
		if prompts += a.Prompt; a.Turn == 0 {
			require.Equal(t, 1, strings.Count(text, "\n")+1)
		}
		n++
	}
	sent, _ := p.Means()
	assert.InEpsilon(t, sent, float64(prompts)/float64(n), 0.05, "the history counts")
	assert.Greater(t, sent, 100.0)
}

func TestAMixIsDrawnByWeightOfRequests(t *testing.T) {
	p := rich()
	require.NoError(t, p.Validate())
	p.Duration = 60 * time.Second
	chat, cancelled, n := 0, 0, 0
	for a := range p.All() {
		n++
		if a.Class == 0 {
			chat++
			if a.CancelAfter != 0 {
				require.Equal(t, 500*time.Millisecond, a.CancelAfter)
				cancelled++
			}
			require.NotZero(t, a.Rank)
			continue
		}
		require.Zero(t, a.CancelAfter, "its share is 0")
		require.Zero(t, a.Turn)
		require.Contains(t, []int{40, 80}, a.Prompt)
	}
	// Chats have three turns on average and batch jobs one: starts are drawn 1:1 so that requests are 3:1.
	assert.InDelta(t, 0.75, float64(chat)/float64(n), 0.03)
	near(t, 0.1, cancelled, chat, "cancels")
	assert.InDelta(t, 200*(0.75/3+0.25), p.Starts(), 1e-9)
	kinds := p.Classes()
	assert.Equal(t, []any{"a", "m", false}, []any{kinds[0].Tenant, kinds[0].Model, kinds[0].Streams()})
	assert.Equal(t, []any{"b", "big", false}, []any{kinds[1].Tenant, kinds[1].Model, kinds[1].Streams()})
	assert.Equal(t, p.Prompt, kinds[0].Prompt, "what is left out comes from the load")
}

func TestSharesTileARichPlan(t *testing.T) {
	p := rich()
	p.Duration = 5 * time.Second
	var parts []Arrival
	for _, share := range []Share{{0, 0.3}, {0.3, 1}} {
		parts = append(parts, slices.Collect(p.Of(share))...)
	}
	slices.SortFunc(parts, func(a, b Arrival) int { return int(a.Index) - int(b.Index) })
	assert.Equal(t, slices.Collect(p.All()), parts)
}

func TestCancelsByTokensSpareShorterAnswers(t *testing.T) {
	p := plan(Constant, 100)
	p.Stream, p.Output, p.Cancel = true, Length{Dist: Choices, Choices: []Choice{{10, 1}, {20, 1}}}, &Cancel{Share: 1, AfterTokens: 10}
	require.NoError(t, p.Validate())
	for a := range p.All() {
		require.Equal(t, map[int]int{10: 0, 20: 10}[a.Output], a.CancelTokens)
	}
}

func TestContentMistakes(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Plan)
		says   []string
	}{
		"lengths": {func(p *Plan) {
			p.Prompt = Length{Dist: Normal, Mean: 50}
			p.Output = Length{Dist: Choices, Choices: []Choice{{0, -1}, {5, math.Inf(1)}}}
		}, []string{"prompt_tokens.spread is 0", "output_tokens.choices[0].tokens is 0", "output_tokens.choices[0].weight is -1", "choices[1].weight is +Inf"}},
		"no choice":        {func(p *Plan) { p.Output = Length{Dist: Choices} }, []string{"output_tokens.choices are 0"}},
		"weightless":       {func(p *Plan) { p.Output = Length{Dist: Choices, Choices: []Choice{{5, 0}}} }, []string{"have no weight at all"}},
		"choices and mean": {func(p *Plan) { p.Output = Length{Dist: Choices, Mean: 4, Choices: []Choice{{5, 1}}} }, []string{"a mean or a spread beside them"}},
		"choices of fixed": {func(p *Plan) { p.Output.Choices = []Choice{{5, 1}} }, []string{"output_tokens.choices stand beside dist uniform"}},
		"normal far off":   {func(p *Plan) { p.Prompt = Length{Dist: Normal, Mean: 50, Spread: 1, Min: 90} }, []string{"lies outside its min and max"}},
		"exponential":      {func(p *Plan) { p.Prompt = Length{Dist: Exponential, Mean: 50, Spread: 1} }, []string{"exponential lengths have none"}},
		"prefix":           {func(p *Plan) { p.Prefix = &Prefix{Tokens: 10, Pool: 0, Zipf: -1} }, []string{"prefix.pool is 0", "prefix.zipf is -1"}},
		"prefix too long":  {func(p *Plan) { p.Prefix = &Prefix{Tokens: 12, Pool: 1} }, []string{"prefix.tokens of 12 do not fit prompts as short as 16: shorten the prefix, or write prompt_tokens with a min of 17 or more"}},
		"conversation": {func(p *Plan) { p.Conversation = &Conversation{Think: Think{Dist: "long"}} },
			[]string{"conversation.think.dist is \"long\"", "conversation.think is 0s", "conversation.turns.dist is \"\"", "conversation.turns.mean is 0"}},
		"too many turns": {func(p *Plan) { p.Conversation = &Conversation{Turns: tokens(2000), Think: Think{Mean: 1}} }, []string{"conversation.turns may be 2000"}},
		"endless": {func(p *Plan) {
			p.Conversation = &Conversation{Turns: tokens(900), Think: Think{Mean: time.Hour}}
			p.Prompt = tokens(16)
			p.Output = tokens(16)
		}, []string{"conversation may last 899h"}},
		"too long": {func(p *Plan) {
			p.Conversation = &Conversation{Turns: tokens(900), Think: Think{Mean: time.Millisecond}}
		},
			[]string{"conversation may grow to a prompt of 3772704 tokens"}},
		"cancel":      {func(p *Plan) { p.Cancel = &Cancel{Share: 2} }, []string{"cancel.share is 2", "cancel does not say when"}},
		"cancel both": {func(p *Plan) { p.Cancel = &Cancel{Share: 1, After: -1, AfterTokens: 4} }, []string{"cancel.after is -1ns", "both"}},
		"mix": {func(p *Plan) {
			p.Model = ""
			p.Mix = []Class{{Name: "a", Weight: -1, KeyEnv: "a b"}, {Name: "a", Model: "m", Prompt: Length{Dist: "x"}, Cancel: &Cancel{Share: 1}}, {Name: "Ä", Model: "m"}}
		}, []string{"mix[0].weight is -1", "mix[0].model is empty", "mix[0].key_env is \"a b\"", "mix[1].class is \"a\" once more",
			"mix[1].prompt_tokens.dist is \"x\"", "mix[1].prompt_tokens.mean is 0", "mix[1].cancel does not say when", "mix[2].class is \"Ä\""}},
		"no weights":   {func(p *Plan) { p.Mix = []Class{{Name: "a"}} }, []string{"mix has no weight at all"}},
		"many classes": {func(p *Plan) { p.Mix = make([]Class, 33) }, []string{"mix has 33 classes"}},
		"no lengths": {func(p *Plan) { p.Prompt, p.Output, p.Mix = Length{}, Length{}, []Class{{Name: "a", Weight: 1}} },
			[]string{"mix[0].prompt_tokens is missing", "mix[0].output_tokens is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(Poisson, 50)
			tc.change(&p)
			err := p.Validate()
			require.Error(t, err)
			for _, want := range tc.says {
				require.ErrorContains(t, err, want)
			}
			assert.Len(t, strings.Split(err.Error(), "\n"), len(tc.says), "nothing else: %v", err)
		})
	}
}
