package load

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// When requests are sent and what is in them are told apart; these are the places where they meet.

// talking gives p's requests conversations of two turns, or six.
func talking(p Plan) Plan {
	p.Conversation = &Conversation{Turns: Length{Dist: Choices, Choices: []Choice{{2, 1}, {6, 1}}}, Think: Think{Mean: 2 * time.Second}}
	return p
}

// lively are the first turns of conversations that begin after time zero.
func lively(p Plan) (due []time.Duration) {
	for a := range p.All() {
		if a.Turn == 0 && a.Item>>turnBits < startedLong {
			due = append(due, a.Due)
		}
	}
	return due
}

// All numbers of a process are scaled, so conversations start as requests without them would come, but fewer.
func TestConversationsStartAsTheProcessSays(t *testing.T) {
	for _, p := range everyProcess() {
		if p.Arrivals.Process == Replay || p.Arrivals.Process == Closed {
			continue
		}
		starts := p
		starts.Arrivals = p.Arrivals.times(0.25)
		for at := time.Duration(0); at < p.Duration; at += 5 * time.Second {
			want := p.Expected(at, at+5*time.Second) / 4
			assert.InDelta(t, want, starts.Expected(at, at+5*time.Second), 1e-6, "%v", p.Arrivals)
		}
		assert.InEpsilon(t, p.PeakRate()/4, starts.PeakRate(), 1e-9, "a floor and spikes, too")
		assert.Equal(t, slices.Collect(starts.instants()), lively(talking(p)), "%v", p.Arrivals)
	}
	p := staged(onOffPlan(40, time.Second, time.Second, 10))
	before := p.Clone()
	p.Arrivals.times(9)
	assert.Equal(t, before, p, "a copy is scaled")
}

func TestConversationsFollowStages(t *testing.T) {
	p := plan(Poisson, 100)
	p.Duration = 60 * time.Second
	p.Arrivals.Stages = []Stage{{20 * time.Second, 100}, {0, 400}}
	p = talking(p)
	require.NoError(t, p.Validate())
	steps := [3]int{}
	begun := [2]int{}
	for a := range p.All() {
		switch {
		case a.Due < 20*time.Second:
			steps[0]++
		case a.Due >= 30*time.Second && a.Due < 50*time.Second: // every conversation of before the step is over
			steps[1]++
		case a.Due < 22*time.Second: // nobody who began after the step has asked again
			steps[2]++
		}
		if a.Turn == 0 && a.Due < 40*time.Second {
			begun[a.Due/(20*time.Second)]++
		}
	}
	five := func(mean float64) float64 { return 5 * math.Sqrt(mean*3) } // turns come together
	assert.InDelta(t, 2000, steps[0], five(2000), "100 requests/s from the first second on")
	assert.InDelta(t, 8000, steps[1], five(8000), "400 requests/s")
	assert.InDelta(t, 2*(100+75), steps[2], five(350), "and between them starts at 100/s with the turns of before, 75/s")
	assert.InDelta(t, 500, begun[0], 5*math.Sqrt(500))
	assert.InDelta(t, 2000, begun[1], 5*math.Sqrt(2000))
}

// What was under way at time zero began at the rate of then: a stage or a spike to come does not touch it.
func TestWhatIsUnderWayKnowsNoStages(t *testing.T) {
	old := func(p Plan) (out []Arrival) {
		for a := range p.All() {
			if a.Item>>turnBits >= startedLong {
				a.Index, a.ID, a.Seed = 0, "", 0 // others come between
				out = append(out, a)
			}
		}
		return out
	}
	p := talking(plan(Poisson, 100))
	q := p.Clone()
	q.Arrivals.Stages, q.Arrivals.Spikes = []Stage{{5 * time.Second, 900}}, []Spike{{0, 10 * time.Second, 500}}
	want := old(p)
	// Of six turns 5 … 1 are left for two seconds each, of two turns one is: 12.5/s × (30 + 2).
	assert.InDelta(t, 400, len(want), 5*math.Sqrt(400*3))
	assert.Equal(t, want, old(q))
	assert.Greater(t, len(lively(q)), len(lively(p)), "negative control: what starts later follows them")

	q.Arrivals.Rate, q.Arrivals.Spikes = 0, nil
	require.NoError(t, q.Validate())
	assert.Empty(t, old(q), "a load that begins from nothing has nothing under way")
	assert.NotEmpty(t, lively(q))
}

func TestEveryProcessTalks(t *testing.T) {
	for _, p := range everyProcess() {
		if p.Arrivals.Process == Replay || p.Arrivals.Process == Closed {
			continue
		}
		p := talking(p)
		p.Duration = 30 * time.Second
		require.NoError(t, p.Validate())
		whole := slices.Collect(p.All())
		last := time.Duration(0)
		for i, a := range whole {
			require.Equal(t, uint64(i), a.Index)
			require.GreaterOrEqual(t, a.Due, last)
			require.Less(t, a.Due, p.Duration)
			last = a.Due
		}
		var parts []Arrival
		for _, share := range []Share{{0, 0.3}, {0.3, 1}} {
			parts = append(parts, slices.Collect(p.Of(share))...)
		}
		slices.SortFunc(parts, func(a, b Arrival) int { return int(a.Index) - int(b.Index) })
		assert.Equal(t, whole, parts, "%v", p.Arrivals)
		assert.NotEqual(t, whole, slices.Collect(p.WithSeed(p.Seed+1).All()))
	}
}

// closedMix is a closed loop of everything it may send.
func closedMix(users int) Plan {
	p := rich()
	p.Conversation, p.Mix[1].Conversation = nil, nil
	p.Arrivals, p.MaxInFlight = Arrivals{Process: Closed, Concurrency: users}, users
	return p
}

// Request k of a closed loop is request k of an open one with the same seed, but for when it is due.
func TestAClosedLoopSendsTheSameRequests(t *testing.T) {
	p := closedMix(3)
	require.NoError(t, p.Validate())
	open := p.Clone()
	open.Arrivals = Arrivals{Process: Constant, Rate: 300}
	require.NoError(t, open.Validate())
	want := slices.Collect(open.All())
	users, chat, cancelled := p.Users(), 0, 0
	for a := range p.All() {
		for ok := true; ok && a.Index < uint64(len(want)); a, ok = users.Next(a, time.Second, false) {
			one := want[a.Index]
			one.Due = a.Due
			require.Equal(t, one, a)
			require.Equal(t, p.AppendMessages(nil, a), open.AppendMessages(nil, one))
			if a.Class == 0 {
				chat++
				require.NotZero(t, a.Rank, "a prefix of the pool")
			}
			if a.CancelAfter > 0 {
				cancelled++
			}
		}
	}
	require.Len(t, want, 3000)
	near(t, 0.75, chat, len(want), "classes by weight")
	near(t, 0.1, cancelled, chat, "cancels of chats")
}

// A trace's answers have lengths of their own, and hanging up goes by those.
func TestCancelsOfATraceKnowItsLengths(t *testing.T) {
	p := opened(t, mooncakeTrace, nil) // answers of 500, 490, 794 and 3 tokens
	p.Stream, p.Cancel = true, &Cancel{Share: 1, AfterTokens: 490}
	require.NoError(t, p.Validate())
	var after []int
	for a := range p.All() {
		after = append(after, a.CancelTokens)
	}
	assert.Equal(t, []int{490, 0, 490, 0}, after, "who asks for as many or fewer is answered before")
	sent, answered := p.Means()
	assert.InDelta(t, (1100+600+1100+40)/4.0, sent, 1e-9)
	assert.InDelta(t, (500+490+794+3)/4.0, answered, 1e-9)
}

func TestMessagesOfATraceHaveItsBlocks(t *testing.T) {
	p := opened(t, mooncakeTrace, nil)
	var texts []string
	for a := range p.All() {
		text := string(p.AppendPrompt(nil, a))
		assert.Equal(t, `[{"role":"user","content":"`+text+`"}]`, string(p.AppendMessages(nil, a)))
		texts = append(texts, text)
	}
	assert.Equal(t, texts[0][:512], texts[1][:512], "what is sent shares the block")
	assert.False(t, strings.HasPrefix(texts[3], texts[0][:64]), "negative control")
}

func TestWhatCannotBeTogether(t *testing.T) {
	talk := &Conversation{Turns: tokens(3), Think: Think{Mean: time.Second}}
	trace := func(p *Plan) {
		p.Arrivals = Arrivals{Process: Replay, Trace: &TraceFile{File: "x.csv"}}
		p.Prompt, p.Output = Length{}, Length{}
	}
	closed := func(p *Plan) { p.Arrivals = Arrivals{Process: Closed, Concurrency: 3} }
	for name, tc := range map[string]struct {
		process func(*Plan)
		change  func(*Plan)
		says    []string
	}{
		"trace and cancel":  {trace, func(p *Plan) { p.Cancel = &Cancel{Share: 1, After: time.Second} }, nil},
		"trace and prefix":  {trace, func(p *Plan) { p.Prefix = &Prefix{Tokens: 5, Pool: 1} }, []string{"prefix stands beside a trace, which has the prompts of its own requests: remove it, or write another arrivals.process"}},
		"trace and mix":     {trace, func(p *Plan) { p.Mix = []Class{{Name: "a", Weight: 1}} }, []string{"mix stands beside a trace"}},
		"trace and talk":    {trace, func(p *Plan) { p.Conversation = talk }, []string{"conversation stands beside a trace"}},
		"trace and all":     {trace, func(p *Plan) { *p = rich(); trace(p) }, []string{"prefix stands", "conversation stands", "mix stands"}},
		"closed and mix":    {closed, func(p *Plan) { p.Mix = []Class{{Name: "a", Weight: 1}} }, nil},
		"closed and prefix": {closed, func(p *Plan) { p.Prefix = &Prefix{Tokens: 5, Pool: 1} }, nil},
		"closed and talk":   {closed, func(p *Plan) { p.Conversation = talk }, []string{"conversation stands beside a closed loop, whose users wait for answers and not for due times: remove it, or write another arrivals.process"}},
		"closed and a talking class": {closed, func(p *Plan) { p.Mix = []Class{{Name: "a", Weight: 1}, {Name: "b", Weight: 1, Conversation: talk}} },
			[]string{"mix[1].conversation stands beside a closed loop"}},
		"closed and talking classes": {closed, func(p *Plan) {
			p.Conversation, p.Mix = talk, []Class{{Name: "a", Weight: 1}, {Name: "b", Weight: 1}}
		}, []string{"conversation stands beside a closed loop"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(Poisson, 50)
			tc.process(&p)
			tc.change(&p)
			err := p.Validate()
			if len(tc.says) == 0 {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, want := range tc.says {
				require.ErrorContains(t, err, want)
			}
			assert.Len(t, strings.Split(err.Error(), "\n"), len(tc.says), "nothing else: %v", err)
		})
	}
}

// A plan may have one of the two lengths for all classes, which then have the other.
func TestClassesMayHaveOneOfTheLengths(t *testing.T) {
	p := plan(Poisson, 50)
	p.Output, p.Mix = Length{}, []Class{{Name: "a", Weight: 1, Output: tokens(4)}}
	require.NoError(t, p.Validate())
	p.Mix[0].Output = Length{}
	require.ErrorContains(t, p.Validate(), "mix[0].output_tokens is missing")
}

func TestACloneSharesNothing(t *testing.T) {
	p := staged(rich())
	p.Arrivals.Trace = &TraceFile{File: "a"}
	q := p.WithSeed(p.Seed)
	require.Equal(t, p, q)
	q.Arrivals.Stages[0].To, q.Arrivals.Spikes[0].Rate, q.Arrivals.Trace.File = 1, 1, "b"
	q.Mix[0].Name, q.Prefix.Pool = "x", 1
	assert.NotEqual(t, p.Arrivals.Stages, q.Arrivals.Stages)
	assert.NotEqual(t, p.Arrivals.Spikes, q.Arrivals.Spikes)
	assert.Equal(t, []any{"a", "chat", 5}, []any{p.Arrivals.Trace.File, p.Mix[0].Name, p.Prefix.Pool})
}
