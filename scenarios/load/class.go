package load

import (
	"fmt"
	"slices"
)

// Class is one kind of request of a mix. What is left out comes from the plan.
type Class struct {
	Name         string        `json:"class"`
	Weight       float64       `json:"weight"` // of the requests, against the sum of all
	Tenant       string        `json:"tenant,omitempty"`
	Model        string        `json:"model,omitempty"`
	Stream       *bool         `json:"stream,omitempty"`
	KeyEnv       string        `json:"key_env,omitempty"` // environment variable that holds this class's API key
	Prompt       Length        `json:"prompt_tokens,omitzero"`
	Output       Length        `json:"output_tokens,omitzero"`
	Prefix       *Prefix       `json:"prefix,omitempty"`
	Conversation *Conversation `json:"conversation,omitempty"`
	Cancel       *Cancel       `json:"cancel,omitempty"`
}

// Streams reports whether the class asks for streams; of Plan.Classes only, where nothing is left out.
func (c *Class) Streams() bool { return c.Stream != nil && *c.Stream }

// MaxClasses bounds a mix.
const MaxClasses = 32

// Classes are the kinds of request with nothing left out; a plan without a mix has one, without a name.
func (p *Plan) Classes() []Class {
	out := make([]Class, max(1, len(p.Mix)))
	for i := range out {
		out[i] = p.class(i)
	}
	return out
}

// class is one of Classes; it allocates nothing.
func (p *Plan) class(i int) Class {
	whole := Class{Weight: 1, Tenant: p.Tenant, Model: p.Model, Stream: &p.Stream, Prompt: p.Prompt, Output: p.Output,
		Prefix: p.Prefix, Conversation: p.Conversation, Cancel: p.Cancel}
	if len(p.Mix) == 0 {
		return whole
	}
	return p.Mix[i].over(&whole)
}

// over fills what c leaves out.
func (c Class) over(whole *Class) Class {
	if c.Tenant == "" {
		c.Tenant = whole.Tenant
	}
	if c.Model == "" {
		c.Model = whole.Model
	}
	if c.Stream == nil {
		c.Stream = whole.Stream
	}
	if c.Prompt.Dist == "" {
		c.Prompt = whole.Prompt
	}
	if c.Output.Dist == "" {
		c.Output = whole.Output
	}
	if c.Prefix == nil {
		c.Prefix = whole.Prefix
	}
	if c.Conversation == nil {
		c.Conversation = whole.Conversation
	}
	if c.Cancel == nil {
		c.Cancel = whole.Cancel
	}
	return c
}

// Clone is a deep copy; the requests of a trace, which never change, are shared.
func (p *Plan) Clone() Plan {
	c := *p
	c.Arrivals.Stages, c.Arrivals.Spikes = slices.Clone(c.Arrivals.Stages), slices.Clone(c.Arrivals.Spikes)
	c.Arrivals.Trace = copied(c.Arrivals.Trace)
	part := func(l *Length, x **Prefix, t **Conversation, h **Cancel) {
		l.Choices = slices.Clone(l.Choices)
		*x, *t, *h = copied(*x), copied(*t), copied(*h)
		if *t != nil {
			(*t).Turns.Choices = slices.Clone((*t).Turns.Choices)
		}
	}
	part(&c.Prompt, &c.Prefix, &c.Conversation, &c.Cancel)
	c.Output.Choices = slices.Clone(c.Output.Choices)
	c.Mix = slices.Clone(c.Mix)
	for i := range c.Mix {
		m := &c.Mix[i]
		m.Stream = copied(m.Stream)
		part(&m.Prompt, &m.Prefix, &m.Conversation, &m.Cancel)
		m.Output.Choices = slices.Clone(m.Output.Choices)
	}
	return c
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// Shares are the classes' shares of the requests.
func (p *Plan) Shares() []float64 {
	if len(p.Mix) == 0 {
		return []float64{1}
	}
	out, total := make([]float64, len(p.Mix)), 0.0
	for i := range p.Mix {
		total += p.Mix[i].Weight
	}
	for i := range out {
		out[i] = p.Mix[i].Weight / total
	}
	return out
}

// Means are the mean tokens of a request: of all it sends, the history of a conversation included, and of
// its planned answer.
func (p *Plan) Means() (prompt, output float64) {
	if p.Arrivals.Process == Replay { // Open left them there
		return p.Prompt.Mean, p.Output.Mean
	}
	for i, share := range p.Shares() {
		c := p.class(i)
		sent, answered := c.means()
		prompt += share * sent
		output += share * answered
	}
	return prompt, output
}

// MeanPrompt is the mean of the tokens that a request of the class sends, its history included.
func (c *Class) MeanPrompt() float64 {
	prompt, _ := c.means()
	return prompt
}

func (c *Class) means() (prompt, output float64) {
	prompt, output = c.Prompt.Drawn(), c.Output.Drawn()
	if c.Conversation == nil {
		return prompt, output
	}
	// Turn k sends k+1 prompts and k answers; a request is a turn, so long conversations weigh more.
	turns, square := c.Conversation.Turns.moments()
	return (prompt*(square+turns) + output*(square-turns)) / (2 * turns), output
}

// ContentFlaws lists everything that is wrong with what is sent, the lengths aside that the plan has for
// all: of prefixes, conversations, cancels and the mix.
func (p *Plan) ContentFlaws() (wrong []Flaw) {
	if p.Arrivals.Process == Replay {
		return p.besideTrace()
	}
	whole := &Class{Prompt: p.Prompt, Output: p.Output, Stream: &p.Stream}
	if len(p.Mix) == 0 {
		wrong = append(wrong, p.Prefix.flaws("prefix", &p.Prompt)...)
		wrong = append(wrong, p.Cancel.flaws("cancel", p.Stream)...)
		return append(wrong, p.Conversation.flaws("conversation", whole, &p.Arrivals)...)
	}
	if len(p.Mix) > MaxClasses {
		return []Flaw{{"mix", fmt.Sprintf("has %d classes", len(p.Mix)), fmt.Sprintf("write at most %d", MaxClasses)}}
	}
	seen := map[string]bool{}
	total := 0.0
	all := p.Classes()
	for i := range p.Mix {
		at := fmt.Sprintf("mix[%d]", i)
		switch name := p.Mix[i].Name; {
		case !isClassName(name):
			wrong = append(wrong, Flaw{at + ".class", fmt.Sprintf("is %.80q", name), "write a name of lower case, digits and dashes, a letter first, for example chat"})
		case seen[name]:
			wrong = append(wrong, Flaw{at + ".class", fmt.Sprintf("is %.80q once more", name), "give the class another name"})
		default:
			seen[name] = true
		}
		if !isWeight(p.Mix[i].Weight) {
			wrong = append(wrong, weightFlaw(at, p.Mix[i].Weight))
		}
		total += p.Mix[i].Weight
		for _, f := range all[i].flaws(at, &p.Mix[i], &p.Arrivals) {
			if !slices.Contains(wrong, f) { // classes share what comes from the plan
				wrong = append(wrong, f)
			}
		}
	}
	if !(total > 0) && len(wrong) == 0 {
		wrong = append(wrong, Flaw{"mix", "has no weight at all", "give at least one class a weight above 0"})
	}
	return wrong
}

// besideTrace lists what a trace leaves no room for, and what is wrong with the rest.
func (p *Plan) besideTrace() (wrong []Flaw) {
	for _, k := range []struct {
		key   string
		given bool
		why   string
	}{
		{"prefix", p.Prefix != nil, "which has the prompts of its own requests"},
		{"conversation", p.Conversation != nil, "which has the turns as requests of their own"},
		{"mix", len(p.Mix) > 0, "which has the lengths of its own requests"},
	} {
		if k.given {
			wrong = append(wrong, Flaw{k.key, "stands beside a trace, " + k.why, "remove it, or write another arrivals.process"})
		}
	}
	return append(wrong, p.Cancel.flaws("cancel", p.Stream)...)
}

// flaws lists what is wrong with a class; written is what the mix says of it.
func (c *Class) flaws(at string, written *Class, when *Arrivals) (wrong []Flaw) {
	if c.Model == "" {
		wrong = append(wrong, Flaw{at + ".model", "is empty", "name the model, here or for the whole load"})
	}
	for _, l := range []struct {
		key       string
		got, mine *Length
	}{{".prompt_tokens", &c.Prompt, &written.Prompt}, {".output_tokens", &c.Output, &written.Output}} {
		switch {
		case l.got.Dist == "":
			wrong = append(wrong, Flaw{at + l.key, "is missing", "write it here or for the whole load, for example " + l.key[1:] + ": 64"})
		case l.mine.Dist != "":
			wrong = append(wrong, l.got.Flaws(at+l.key)...)
		}
	}
	if written.KeyEnv != "" && !isEnvName(written.KeyEnv) {
		wrong = append(wrong, Flaw{at + ".key_env", fmt.Sprintf("is %.80q", written.KeyEnv), "write the name of an environment variable, for example TEAM_A_KEY"})
	}
	// What comes from the plan is wrong there, where it was written.
	where := func(mine bool, key string) string {
		if mine {
			return at + "." + key
		}
		return key
	}
	wrong = append(wrong, c.Prefix.flaws(where(written.Prefix != nil, "prefix"), &c.Prompt)...)
	wrong = append(wrong, c.Cancel.flaws(where(written.Cancel != nil, "cancel"), c.Streams())...)
	return append(wrong, c.Conversation.flaws(where(written.Conversation != nil, "conversation"), c, when)...)
}

// MaxClassName bounds a class's name, which stands in every report.
const MaxClassName = 63

func isClassName(s string) bool {
	if s == "" || len(s) > MaxClassName || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
