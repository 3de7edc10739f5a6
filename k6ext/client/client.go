package client

import (
	"context"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Client sends requests to one target over one pool of connections. Safe for concurrent use.
type Client struct {
	*settings
	carrier   carrier
	readers   sync.Pool // *openai.EventReader
	gaps      sync.Pool // *[]time.Duration
	exchanges sync.Pool // *exchange
	counts    counts
}

type counts struct{ bytes, chunks, chunkReads atomic.Uint64 }

// Counts is what the client read so far.
type Counts struct {
	Bytes      uint64
	Chunks     uint64 // with content
	ChunkReads uint64 // reads that brought at least one of them
}

// Request is one prepared request.
type Request struct {
	load.Arrival
	Due    event.Time
	Body   []byte
	Answer synth.Key // the exact answer, where the target is exact
	// OnText gets every piece of the answer's text, which it may not keep; nil = nobody wants it.
	OnText func(piece []byte)
}

// Result is what became of it.
type Result struct {
	Record record.Record
	// Gaps are all gaps between content chunks, in order: the later chunk of the first came at
	// Record.First + Gaps[0]. Hand them back with Recycle.
	Gaps []time.Duration
}

// New makes a client; nothing is sent yet. The error lists everything that is wrong.
func New(cfg Config) (*Client, error) {
	s, err := cfg.settle()
	if err != nil {
		return nil, err
	}
	c := &Client{settings: s}
	c.carrier = c.carrierOf()
	c.readers.New = func() any {
		return openai.NewEventReader(nil, openai.EventReaderConfig{MaxEvent: int(s.MaxBody), Now: s.Clock.Now})
	}
	c.gaps.New = func() any { return new([]time.Duration) }
	c.exchanges.New = func() any { return &exchange{c: c, watch: newWatchdog(s)} }
	return c, nil
}

// Prepare writes the request of arrival a, ahead of its time. start is time zero of the plan.
func (c *Client) Prepare(p *load.Plan, a load.Arrival, start event.Time) *Request {
	r := &Request{Arrival: a, Due: start.Add(a.Due)}
	k := &c.kinds[a.Class]
	const around = 128 // bytes of names and numbers
	b := make([]byte, 0, len(k.static)+around*(1+a.Turn)+6*a.Prompt)
	b = append(b, '{')
	b = append(b, k.static...)
	b = append(b, `,"max_tokens":`...)
	b = strconv.AppendInt(b, int64(a.Output), 10)
	b = append(b, `,"seed":`...)
	b = strconv.AppendUint(b, a.Seed, 10)
	b = append(b, `,"messages":`...)
	if a.Turn == 0 {
		b = append(b, `[{"role":"user","content":"`...)
		from := len(b)
		b = p.AppendPrompt(b, a) // synth text needs no escaping
		r.answer(c, k, b[from:])
		b = append(b, `"}]`...)
	} else {
		b = p.AppendMessages(b, a)
		r.answer(c, k, p.AppendPrompt(nil, a))
	}
	b = append(b, '}')
	r.Body = b
	return r
}

// answer notes what an exact server must say to the prompt.
func (r *Request) answer(c *Client, k *kind, prompt []byte) {
	if c.Exact {
		r.Answer = synth.AnswerKey(k.Model, string(prompt), r.Seed)
	}
}

// Dropped is the record of a request that could not be sent.
func (c *Client) Dropped(a load.Arrival, due event.Time, note string) record.Record {
	k := &c.kinds[a.Class]
	r := k.record(&a, due)
	r.Outcome, r.Note = record.Dropped, note
	r.Harmed, r.Violated = k.limits.Harm(&r, 0)
	return r
}

// Do sends one request and reads its answer to the end. When ctx ends first, the request is unfinished.
func (c *Client) Do(ctx context.Context, req *Request) Result {
	gaps := c.gaps.Get().(*[]time.Duration)
	x := c.exchanges.Get().(*exchange)
	k := &c.kinds[req.Class]
	*x = exchange{
		c: c, kind: k, req: req, watch: x.watch, mould: x.mould.empty(), gaps: (*gaps)[:0],
		model: checker{key: req.Answer, want: req.Output},
	}
	x.rec = k.record(&req.Arrival, req.Due)
	x.run(ctx)
	x.rec.Harmed, x.rec.Violated = k.limits.Harm(&x.rec, x.gapExceeded)
	res := Result{Record: x.rec, Gaps: x.gaps}
	*x = exchange{watch: x.watch, mould: x.mould} // the pool must not hold on to the request
	c.exchanges.Put(x)
	return res
}

// Recycle takes the gaps of a Result back; the caller keeps no reference.
func (c *Client) Recycle(gaps []time.Duration) {
	if cap(gaps) > 0 {
		c.gaps.Put(&gaps)
	}
}

// Counts is what was read so far.
func (c *Client) Counts() Counts {
	return Counts{Bytes: c.counts.bytes.Load(), Chunks: c.counts.chunks.Load(), ChunkReads: c.counts.chunkReads.Load()}
}

// Close gives idle connections up.
func (c *Client) Close() { c.carrier.close() }

// readBody counts the bytes of answers that are not streams; streams are counted by their reader.
func (c *Client) readBody(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, c.MaxBody+1))
	c.counts.bytes.Add(uint64(len(data)))
	return data, err
}
