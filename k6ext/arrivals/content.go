package arrivals

import (
	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// content reads what is sent beside lengths: prefix, conversation, cancel and mix.
func (c *Config) content(o *options.Object) {
	c.Plan.Prefix, c.Plan.Conversation, c.Plan.Cancel = prefix(o, 0), conversation(o), cancel(o)
	for i, m := range o.List("mix") {
		class := load.Class{
			Name: m.Text("class"), Weight: m.Number("weight", 1), Tenant: m.Text("tenant"), Model: m.Text("model"), KeyEnv: m.Text("keyEnv"),
			Prefix: prefix(m, i+1), Conversation: conversation(m), Cancel: cancel(m),
		}
		if m.Has("promptTokens") {
			class.Prompt = length(m, "promptTokens", 0)
		}
		if m.Has("outputTokens") {
			class.Output = length(m, "outputTokens", 0)
		}
		if m.Has("stream") {
			class.Stream = new(m.Flag("stream", true))
		}
		if m.Has("limits") {
			if c.ClassLimits == nil {
				c.ClassLimits = map[string]load.Limits{}
			}
			c.ClassLimits[class.Name] = client.ReadLimits(m)
		}
		c.Plan.Mix = append(c.Plan.Mix, class)
	}
}

func prefix(o *options.Object, group int) *load.Prefix {
	if !o.Has("prefix") {
		return nil
	}
	p := o.Object("prefix")
	return &load.Prefix{Tokens: int(p.Whole("tokens", 0)), Pool: int(p.Whole("pool", 0)), Zipf: p.Number("zipf", 0), Group: group}
}

func conversation(o *options.Object) *load.Conversation {
	if !o.Has("conversation") {
		return nil
	}
	d := o.Object("conversation")
	return &load.Conversation{Turns: length(d, "turns", 0), Think: think(d)}
}

func cancel(o *options.Object) *load.Cancel {
	if !o.Has("cancel") {
		return nil
	}
	d := o.Object("cancel")
	return &load.Cancel{Share: d.Number("share", 0), After: d.Duration("after", 0), AfterTokens: int(d.Whole("afterTokens", 0))}
}

// length is a number of tokens, or a distribution of them.
func length(o *options.Object, key string, otherwise float64) load.Length {
	switch {
	case !o.Has(key):
		return load.Length{Dist: load.Fixed, Mean: otherwise}
	case o.IsNumber(key):
		return load.Length{Dist: load.Fixed, Mean: o.Number(key, otherwise)}
	}
	d := o.Object(key)
	l := load.Length{Dist: d.Text("dist"), Spread: d.Number("spread", 0), Min: int(d.Whole("min", 0)), Max: int(d.Whole("max", 0))}
	for _, c := range d.List("choices") {
		l.Choices = append(l.Choices, load.Choice{Tokens: int(c.Whole("tokens", 0)), Weight: c.Number("weight", 1)})
	}
	switch {
	case d.Has("choices"):
		l.Mean = d.Number("mean", 0)
		if !d.Has("dist") {
			l.Dist = load.Choices
		}
	default:
		l.Mean = d.Number("mean", otherwise)
		if !d.Has("dist") {
			l.Dist = load.Fixed
		}
	}
	l.CutTail()
	return l
}

// think is a pause: "2s", or { dist: 'exponential', mean: '2s' }.
func think(o *options.Object) load.Think {
	if o.IsObject("think") {
		t := o.Object("think")
		return load.Think{Dist: t.Text("dist"), Mean: t.Duration("mean", 0)}
	}
	return load.Think{Mean: o.Duration("think", 0)}
}
