package modules

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"
	"go.k6.io/k6/v2/js/promises"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/k6ext/options"
	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Client is `new Client({…})`: the measuring client in one VU. Only the VU's goroutine calls it; a
// promise's goroutine uses what was made for it.
type Client struct {
	module  *instance
	config  client.Config
	senders [2]*client.Client // by stream; made when first needed, because k6's dialer is the VU's
	makers  map[*metrics.TagSet]*sample.Maker
}

// mostMakers bounds the cache of prepared tag sets: scripts that tag by a unique value would fill it.
const mostMakers = 64

// newClient is the constructor.
func (i *instance) newClient(call sobek.ConstructorCall) *sobek.Object {
	rt := i.vu.Runtime()
	o, err := read(call.Argument(0))
	if err != nil {
		common.Throw(rt, fmt.Errorf("new Client: %w", err))
	}
	cfg := client.Read(o)
	cfg.Clock, cfg.Key = i.test.Clock, o.Text("apiKey")
	if cfg.KeyEnv != "" {
		key, ok := i.environment(cfg.KeyEnv)
		switch {
		case cfg.Key != "":
			o.Wrong("keyEnv", "is set beside apiKey: keep one")
		case !ok:
			o.Wrong("keyEnv", "names the environment variable %s, which is not set", cfg.KeyEnv)
		}
		cfg.Key = key
	}
	if err := oneSentence("new Client", o.Mistakes()); err != nil {
		common.Throw(rt, err)
	}
	c := &Client{module: i, config: cfg, makers: make(map[*metrics.TagSet]*sample.Maker)}
	if _, err := client.New(cfg); err != nil { // a CA file that cannot be read fails now
		common.Throw(rt, fmt.Errorf("new Client: %w", err))
	}
	return rt.ToValue(c).ToObject(rt)
}

// Chat is chat(request, params): it blocks until the answer is over. What becomes of the request is
// its outcome; only a wrong call throws.
func (c *Client) Chat(request, params sobek.Value) *Answer {
	ctx := c.module.running("chat")
	t, err := c.talk(request, params)
	if err != nil {
		common.Throw(c.module.vu.Runtime(), err)
	}
	return t.run(ctx)
}

// ChatAsync is chatAsync(request, params): a promise of the same answer. A wrong call rejects.
func (c *Client) ChatAsync(request, params sobek.Value) *sobek.Promise {
	ctx := c.module.running("chatAsync")
	promise, resolve, reject := promises.New(c.module.vu)
	t, err := c.talk(request, params)
	if err != nil {
		reject(c.module.vu.Runtime().NewGoError(err))
		return promise
	}
	go func() { resolve(t.run(ctx)) }()
	return promise
}

// talk is one prepared request with all that its goroutine needs.
type talk struct {
	sender  *client.Client
	request *client.Request
	model   string
	maker   *sample.Maker
	module  *instance
	out     chan<- metrics.SampleContainer
	text    strings.Builder
}

// talk prepares a request on the VU's goroutine.
func (c *Client) talk(request, params sobek.Value) (*talk, error) {
	state := c.module.vu.State()
	p, err := readParams(params)
	if err != nil {
		return nil, err
	}
	b, err := c.body(request)
	if err != nil {
		return nil, err
	}
	sender, err := c.sender(state, b.stream)
	if err != nil {
		return nil, err
	}
	c.module.test.Out(state.Samples)
	tags := state.Tags.GetCurrentValues().Tags.WithTagsFromMap(p.tags)
	t := &talk{sender: sender, model: b.model, maker: c.maker(tags), module: c.module, out: state.Samples}
	id := p.id
	if id == "" {
		id = fmt.Sprintf("b-%016x", rand.Uint64()) //nolint:gosec // a name, no secret
	}
	t.request = &client.Request{
		Arrival: load.Arrival{ID: id}, Body: b.json, OnText: func(piece []byte) { t.text.Write(piece) },
	}
	return t, nil
}

// run sends the request, reports it to k6 and to the recorder, and answers.
func (t *talk) run(ctx context.Context) *Answer {
	t.request.Due = t.module.test.Clock.Now()
	res := t.sender.Do(ctx, t.request)
	res.Record.Model = t.model
	t.module.test.Recovery.Request(&res.Record)
	metrics.PushIfNotDone(ctx, t.out, metrics.Samples(t.maker.Make(res.Record, nil, time.Now()).GetSamples()))
	a := answerOf(&res.Record, res.Gaps, t.text.String())
	t.sender.Recycle(res.Gaps)
	return a
}

func (c *Client) maker(tags *metrics.TagSet) *sample.Maker {
	m := c.makers[tags]
	if m == nil {
		if len(c.makers) >= mostMakers {
			clear(c.makers)
		}
		m = sample.NewMaker("", c.module.metrics, nil, tags)
		c.makers[tags] = m
	}
	return m
}

// sender is the client for streams or for whole answers. It dials through k6, so that hosts,
// blacklistIPs and data_sent hold.
func (c *Client) sender(state *lib.State, stream bool) (*client.Client, error) {
	n := 0
	if stream {
		n = 1
	}
	if c.senders[n] == nil {
		cfg := c.config
		cfg.Stream = stream
		if state.Dialer != nil {
			cfg.Dial = through(state.Dialer)
		}
		s, err := client.New(cfg)
		if err != nil {
			return nil, err
		}
		c.senders[n] = s
	}
	return c.senders[n], nil
}

// read turns a script's options into an Object, as JSON.stringify sees them.
func read(v sobek.Value) (*options.Object, error) {
	if common.IsNullish(v) {
		return options.Read([]byte("{}"))
	}
	raw, err := stringify(v)
	if err != nil {
		return nil, err
	}
	return options.Read(raw)
}

func stringify(v sobek.Value) ([]byte, error) {
	object, ok := v.(*sobek.Object)
	if !ok {
		return nil, fmt.Errorf("%s is no object: write { … }", v)
	}
	raw, err := object.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("the object is no JSON: %w", err)
	}
	if len(raw) == 0 { // a function, for example
		return nil, errors.New("the object is no JSON")
	}
	return raw, nil
}
