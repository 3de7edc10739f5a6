package load

import (
	"fmt"
	"math"
	"time"
)

// Conversation makes every arrival the first turn of a conversation. Turn k+1 is due at due(k) + think,
// whatever the server did: open loop. It sends the earlier turns again, with the answers that were planned
// and not those that came, so that what is sent depends on the plan alone.
//
// The plan's rate stays one of requests: conversations start at rate ÷ mean turns, and at time zero as
// many are under way as if the load had always been on, so the rate holds from the first second. Stages and
// spikes change how many start.
type Conversation struct {
	Turns Length `json:"turns"` // a number of turns, not tokens
	Think Think  `json:"think"`
}

// Think is the pause between the due times of two turns.
type Think struct {
	Dist string        `json:"dist,omitempty"` // "fixed" [default], "exponential"
	Mean time.Duration `json:"mean_ns"`
}

// Bounds of conversations.
const (
	MaxTurns = 1000
	MaxThink = time.Hour
	// MaxContext is the longest prompt that a conversation may grow to, in tokens.
	MaxContext = MaxTokens
	// maxBefore bounds the turns that are drawn for the time before zero: so many take some tens of
	// milliseconds, which is how long before time zero the first requests are prepared.
	maxBefore = 200_000

	turnBits    = 10
	startedLong = 1 << 40 // the first number of a conversation that started before time zero
)

// after is the pause after the turn of that item.
func (t *Think) after(seed, item uint64) time.Duration {
	if t.Dist != Exponential {
		return t.Mean
	}
	return time.Duration(math.Round(-math.Log(unit(draw(seed, forThink, item))) * float64(t.Mean)))
}

// longest is how long a conversation may take from its first to its last turn; with exponential pauses six
// standard deviations above the mean of the longest.
func (c *Conversation) longest() time.Duration {
	if c == nil {
		return 0
	}
	_, most := c.Turns.bounds()
	n := float64(most - 1)
	if c.Think.Dist == Exponential && n > 0 {
		n += 6 * math.Sqrt(n)
	}
	return time.Duration(n * float64(c.Think.Mean))
}

// turnsOf is how many turns that conversation has.
func (c *Conversation) turnsOf(seed, conversation uint64) int {
	if c == nil {
		return 1
	}
	return c.Turns.tokens(draw(seed, forTurns, conversation))
}

func (c *Conversation) meanTurns() float64 {
	if c == nil {
		return 1
	}
	return c.Turns.Drawn()
}

// MeanTurns is the mean number of turns of the class's conversations; 1 where it has none.
func (c *Class) MeanTurns() float64 { return c.Conversation.meanTurns() }

// Starts is the rate (1/s) at which conversations start at time zero; that of requests where there are none.
func (p *Plan) Starts() float64 { return p.Arrivals.Rate * p.perRequest() }

// perRequest is how many conversations start for each request that is due.
func (p *Plan) perRequest() float64 {
	sum := 0.0
	for i, share := range p.Shares() {
		c := p.class(i)
		sum += share / c.MeanTurns()
	}
	return sum
}

// converses reports whether any class has conversations.
func (p *Plan) converses() bool {
	if p.Conversation != nil {
		return true
	}
	for i := range p.Mix {
		if p.Mix[i].Conversation != nil {
			return true
		}
	}
	return false
}

func (c *Conversation) flaws(key string, class *Class, when *Arrivals) (wrong []Flaw) {
	if c == nil {
		return nil
	}
	bad := func(part, what, mend string) { wrong = append(wrong, Flaw{key + part, what, mend}) }
	if when.Process == Closed {
		bad("", "stands beside a closed loop, whose users wait for answers and not for due times", "remove it, or write another arrivals.process")
		return wrong
	}
	switch c.Think.Dist {
	case "", Fixed, Exponential:
	default:
		bad(".think.dist", fmt.Sprintf("is %.80q", c.Think.Dist), "write fixed or exponential")
	}
	if c.Think.Mean <= 0 || c.Think.Mean > MaxThink {
		bad(".think", fmt.Sprintf("is %v", c.Think.Mean), fmt.Sprintf("it must be above 0 and at most %v", MaxThink))
	}
	turns := c.Turns.Flaws(key + ".turns")
	wrong = append(wrong, turns...)
	if len(wrong) > 0 {
		return wrong
	}
	_, most := c.Turns.bounds()
	if most > MaxTurns {
		bad(".turns", fmt.Sprintf("may be %d", most), fmt.Sprintf("write a max of %d or less", MaxTurns))
		return wrong
	}
	if turns := when.Rate * c.longest().Seconds(); turns > maxBefore {
		bad("", fmt.Sprintf("may last %v, in which %.0f requests are due", c.longest(), turns), fmt.Sprintf("write fewer turns, less think time or a lower rate: %d at most", maxBefore))
	}
	if len(class.Prompt.Flaws("")) > 0 || len(class.Output.Flaws("")) > 0 {
		return wrong
	}
	_, prompt := class.Prompt.bounds()
	_, output := class.Output.bounds()
	if sent := most*prompt + (most-1)*output; sent > MaxContext {
		bad("", fmt.Sprintf("may grow to a prompt of %d tokens", sent), fmt.Sprintf("write a max for turns, prompt_tokens or output_tokens that keeps it below %d", MaxContext))
	}
	return wrong
}
