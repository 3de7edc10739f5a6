package spec

import (
	"fmt"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// What load says is sent, beside lengths. What is wrong with it is for the load's own rules to say; here
// it gets its place in the file.

type prefixKeys struct {
	Tokens int     `yaml:"tokens"`
	Pool   int     `yaml:"pool"`
	Zipf   float64 `yaml:"zipf"`
}

type conversationKeys struct {
	Turns length `yaml:"turns"`
	Think think  `yaml:"think"`
}

// think is a pause, 2s, or a distribution, {dist: exponential, mean: 2s}.
type think struct {
	Dist string         `yaml:"dist"`
	Mean yamlx.Duration `yaml:"mean"`
}

// UnmarshalText reads the short form.
func (t *think) UnmarshalText(text []byte) error {
	*t = think{Dist: load.Fixed}
	return t.Mean.UnmarshalText(text)
}

type cancelKeys struct {
	Share       yamlx.Share    `yaml:"share"`
	After       yamlx.Duration `yaml:"after"`
	AfterTokens int            `yaml:"after_tokens"`
}

type classKeys struct {
	Class        string            `yaml:"class"`
	Weight       float64           `yaml:"weight"`
	Tenant       string            `yaml:"tenant"`
	Model        string            `yaml:"model"`
	KeyEnv       string            `yaml:"key_env"`
	Stream       *bool             `yaml:"stream"`
	Prompt       length            `yaml:"prompt_tokens"`
	Output       length            `yaml:"output_tokens"`
	Prefix       *prefixKeys       `yaml:"prefix"`
	Conversation *conversationKeys `yaml:"conversation"`
	Cancel       *cancelKeys       `yaml:"cancel"`
}

// content fills in what the plan sends, and notes everything that is wrong with it.
func (c *checker) content(f *file, p *load.Plan, fit *load.Fit) {
	l := &f.Load
	before := len(c.found)
	if p.Arrivals.Process != load.Replay {
		c.lengths(l, p, fit)
	}
	p.Prefix, p.Conversation, p.Cancel = l.Prefix.plan(0), c.conversation("load", l.Conversation), l.Cancel.plan()
	for i := range l.Mix {
		p.Mix = append(p.Mix, c.class(fmt.Sprintf("load.mix[%d]", i), &l.Mix[i], i))
	}
	if c.doc.Has("load.mix") && len(l.Mix) == 0 {
		c.wrong("load.mix", "has no class", "write at least one, for example - {class: chat, weight: 3}, or remove it")
	}
	c.flaws(p.ContentFlaws(), c.found[before:])
}

// lengths are the file's own, or those of the load it is like; with a mix, classes may have them all.
func (c *checker) lengths(l *loadFile, p *load.Plan, fit *load.Fit) {
	if fit != nil {
		p.Prompt, p.Output = fit.Prompt, fit.Output
	}
	needed := fit == nil && len(l.Mix) == 0
	if needed || c.doc.Has("load.prompt_tokens") {
		p.Prompt = c.length("load.prompt_tokens", l.Prompt)
	}
	if needed || c.doc.Has("load.output_tokens") {
		p.Output = c.length("load.output_tokens", l.Output)
	}
}

// flaws notes what the load's own rules say, but where a problem stands already.
func (c *checker) flaws(list []load.Flaw, already yamlx.Problems) {
	for _, f := range list {
		path := "load." + f.Key
		if !already.Touches(path) {
			c.wrong(path, f.What, f.Mend)
		}
	}
}

func (c *checker) class(path string, k *classKeys, i int) load.Class {
	class := load.Class{Name: k.Class, Weight: k.Weight, Tenant: k.Tenant, Model: k.Model, KeyEnv: k.KeyEnv, Stream: k.Stream,
		Prefix: k.Prefix.plan(i + 1), Conversation: c.conversation(path, k.Conversation), Cancel: k.Cancel.plan()}
	if !c.doc.Has(path + ".weight") {
		class.Weight = 1
	}
	if at := path + ".prompt_tokens"; c.doc.Has(at) {
		class.Prompt = c.length(at, k.Prompt)
	}
	if at := path + ".output_tokens"; c.doc.Has(at) {
		class.Output = c.length(at, k.Output)
	}
	return class
}

func (k *prefixKeys) plan(group int) *load.Prefix {
	if k == nil {
		return nil
	}
	return &load.Prefix{Tokens: k.Tokens, Pool: k.Pool, Zipf: k.Zipf, Group: group}
}

func (k *cancelKeys) plan() *load.Cancel {
	if k == nil {
		return nil
	}
	return &load.Cancel{Share: float64(k.Share), After: time.Duration(k.After), AfterTokens: k.AfterTokens}
}

func (c *checker) conversation(path string, k *conversationKeys) *load.Conversation {
	if k == nil {
		return nil
	}
	at := path + ".conversation"
	if !c.doc.Has(at + ".think") {
		c.wrong(at+".think", "is missing", "write for example think: 2s, or think: {dist: exponential, mean: 2s}")
	}
	return &load.Conversation{Turns: c.length(at+".turns", k.Turns), Think: load.Think{Dist: k.Think.Dist, Mean: time.Duration(k.Think.Mean)}}
}

// streams reports whether the answers of a class come token by token; "" = of any class.
func (f *file) streams(class string) bool {
	for i := range f.Load.Mix {
		m := &f.Load.Mix[i]
		streams := f.Load.Stream
		if m.Stream != nil {
			streams = *m.Stream
		}
		if streams && (class == "" || m.Class == class) {
			return true
		}
	}
	return len(f.Load.Mix) == 0 && f.Load.Stream
}

// unit is what a length at that path counts.
func unit(path string) string {
	if strings.HasSuffix(path, ".turns") {
		return "turns"
	}
	return "tokens"
}
