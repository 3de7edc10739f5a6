package spec

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// content says what is sent: one paragraph, or one a class.
func (e *explainer) content() {
	classes, shares := e.Load.Classes(), e.Load.Shares()
	name := 0
	for i := range classes {
		name = max(name, len(classes[i].Name))
	}
	for i := range classes {
		c := &classes[i]
		lead := ""
		if c.Name != "" {
			lead = fmt.Sprintf("%-*s %4s of the requests: ", name, c.Name, percent(shares[i]))
		}
		lines := e.kind(c, e.Load.MeanRate()*shares[i])
		for _, text := range wrap(lead+lines[0], width-10) {
			e.line("          %s", text)
		}
		for _, more := range lines[1:] {
			for _, text := range wrap(more, width-12) {
				e.line("            %s", text)
			}
		}
	}
	prompt, _ := e.Load.Means()
	if prompt > maxContext {
		e.warn("A request sends %s tokens on average, which is more than most models take.", thousands(int(prompt)))
	}
}

// maxContext is the context of most models that are served today, in tokens.
const maxContext = 128 << 10

// kind says what one class sends, at so many requests/s.
func (e *explainer) kind(c *load.Class, rate float64) []string {
	streamed := "streamed"
	if !c.Streams() {
		streamed = "in one piece"
	}
	first := fmt.Sprintf("%s, model %s", streamed, c.Model)
	if e.Load.Arrivals.Process != load.Replay { // whose lengths are told above
		first = fmt.Sprintf("prompt %s, answer %s tokens, %s", tokens(c.Prompt), tokens(c.Output), first)
	}
	if c.Tenant != "" {
		first += ", tenant " + c.Tenant
	}
	if c.KeyEnv != "" {
		first += ", key of $" + c.KeyEnv
	}
	lines := []string{first}
	if c.MeanTurns() > 1 {
		lines = append(lines, talk(c, rate))
		if len(e.Load.Arrivals.Stages)+len(e.Load.Arrivals.Spikes) > 0 {
			lines = append(lines, "stages and spikes change how many start; requests follow as conversations go on")
		}
	}
	if x := c.Prefix; x != nil && x.Tokens > 0 {
		lines = append(lines, shared(c))
	}
	if h := c.Cancel; h != nil && h.Share > 0 {
		when := short(h.After) + " after they were due"
		if h.AfterTokens > 0 {
			when = "after " + plural(h.AfterTokens, "token")
		}
		lines = append(lines, fmt.Sprintf("%s of them hang up %s, and count neither as good nor as bad", percent(h.Share), when))
		if h.AfterTokens > 0 && float64(h.AfterTokens) >= c.Output.Drawn() {
			e.warn("%s: an answer has %s tokens on average, so hanging up after %d seldom happens.", cmp.Or(c.Name, "cancel"), number(round(c.Output.Drawn())), h.AfterTokens)
		}
	}
	return lines
}

// talk says how conversations go.
func talk(c *load.Class, rate float64) string {
	t := c.Conversation
	turns := strings.TrimSuffix(tokens(t.Turns), " tokens")
	pause := short(t.Think.Mean) + " apart"
	if t.Think.Dist == load.Exponential {
		pause += " on average (exponential)"
	}
	starts := rate / c.MeanTurns()
	return fmt.Sprintf("in conversations of %s turns, %s: %s start every second; a request sends %s tokens on average, its history included",
		turns, pause, number(round(starts)), thousands(int(math.Round(c.MeanPrompt()))))
}

// shared says what a prefix cache could hold.
func shared(c *load.Class) string {
	x := c.Prefix
	drawn := "all alike"
	if x.Zipf > 0 {
		drawn = fmt.Sprintf("by zipf %s: the first in %s", number(x.Zipf), percent(x.Shares()[0]))
	}
	what := "each prompt begins"
	if c.MeanTurns() > 1 {
		what = "each first turn begins"
	}
	return fmt.Sprintf("%s with one of %s of %s tokens, drawn %s; that is %s of its tokens",
		what, plural(x.Pool, "shared prefix"), thousands(x.Tokens), drawn, percent(float64(x.Tokens)/c.Prompt.Drawn()))
}

// round keeps what one reads: three digits.
func round(f float64) float64 {
	if f <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(f))-2)
	if unit >= 1 {
		return math.Round(f)
	}
	return math.Round(f/unit) / math.Round(1/unit)
}

func percent(share float64) string { return yamlx.Share(math.Round(share*1000) / 1000).String() }
