package modules

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"

	"github.com/brownout-dev/brownout/faults"
)

// holder is the API of the process that holds faults.
type holder interface {
	Inject(ctx context.Context, req faults.InjectRequest) (faults.Held, error)
	Renew(ctx context.Context, id string, lease time.Duration) (faults.Held, error)
	Clear(ctx context.Context, id string) (faults.Held, error)
	List(ctx context.Context) ([]faults.Held, error)
}

// Faults is `new Faults({url, tokenEnv})`: faults that a script injects by hand. A fault stays on
// until it is cleared, its own duration is over, or the test ends, whichever is first; until then its
// lease is renewed, so that it ends by itself when the load generator dies.
type Faults struct {
	module *instance
	holder holder
	lease  time.Duration
	run    string

	mu   sync.Mutex
	mine map[string]*held // on, and injected by this VU
}

// Lease bounds: shorter ones are lost by an ordinary hiccup.
const (
	defaultLease = 3 * time.Second
	minLease     = 500 * time.Millisecond
)

// newFaults is the constructor.
func (i *instance) newFaults(call sobek.ConstructorCall) *sobek.Object {
	rt := i.vu.Runtime()
	o, err := read(call.Argument(0))
	if err != nil {
		common.Throw(rt, fmt.Errorf("new Faults: %w", err))
	}
	f := &Faults{module: i, lease: o.Duration("lease", defaultLease), run: o.Text("run"), mine: make(map[string]*held)}
	if f.lease < minLease || f.lease > faults.MaxDuration {
		o.Wrong("lease", "is %v: it must lie in %v…%v", f.lease, minLease, faults.MaxDuration)
	}
	url, name := o.Text("url"), o.Text("tokenEnv")
	token, _ := i.environment(name)
	switch {
	case name == "":
		o.Wrong("tokenEnv", "is missing: name the environment variable that holds the fault holder's token")
	case token == "":
		o.Wrong("tokenEnv", "names the environment variable %s, which is not set", name)
	}
	if url == "" {
		o.Wrong("url", "is missing: give the base URL of the fault holder, as in http://127.0.0.1:9100")
	} else if c, err := faults.NewClient(faults.ClientConfig{Endpoint: url, Token: orDash(token)}); err != nil {
		o.Wrong("url", "is wrong: %v", err)
	} else {
		f.holder = c
	}
	if err := oneSentence("new Faults", o.Mistakes()); err != nil {
		common.Throw(rt, err)
	}
	return rt.ToValue(f).ToObject(rt)
}

// orDash lets the address be checked where the token is missing.
func orDash(token string) string {
	if token == "" {
		return "-"
	}
	return token
}

// Held is a fault as the holder knows it.
type Held struct {
	ID       string   `js:"id"`
	Fault    string   `js:"fault"`
	Step     string   `js:"step"` // armed, effective, unproven, cleared, expired, clear_failed
	Targets  []string `js:"targets"`
	Evidence string   `js:"evidence"` // of its effect
	Gone     string   `js:"gone"`     // evidence that it is gone
	Cause    string   `js:"cause"`    // why it was cleared
	Error    string   `js:"error"`
}

func heldOf(h faults.Held) Held {
	return Held{
		ID: h.ID, Fault: h.Fault, Step: string(h.Step), Targets: h.Targets, Evidence: h.Evidence, Gone: h.Gone,
		Cause: string(h.Cause), Error: h.Error,
	}
}

// Inject is inject(fault, {reason, proveWithin}): it answers when the fault is proven, or known as unproven.
func (f *Faults) Inject(line string, params sobek.Value) Held {
	ctx := f.module.running("inject")
	rt, state := f.module.vu.Runtime(), f.module.vu.State()
	o, err := read(params)
	if err != nil {
		common.Throw(rt, fmt.Errorf("inject: %w", err))
	}
	reason, within := o.Text("reason"), o.Duration("proveWithin", 0)
	if within < 0 || within > time.Minute {
		o.Wrong("proveWithin", "is %v: it must lie in 0…1m", within)
	}
	if err := oneSentence("inject", o.Mistakes()); err != nil {
		common.Throw(rt, err)
	}
	parsed, err := faults.Parse(line)
	if err != nil {
		common.Throw(rt, err)
	}
	f.module.test.Out(state.Samples)
	story := f.module.test.Recovery.Fault(line, state.Tags.GetCurrentValues().Tags)
	// Not bound to the VU's context: an abort in the middle of the call would leave a fault whose id
	// nobody knows. The client bounds the call.
	ctx = context.WithoutCancel(ctx)
	// The fault's own duration runs at the holder from arming, so ours, which runs from asking, ends
	// first: the fault is cleared rather than expires.
	end := time.Now().Add(parsed.For)
	h, err := f.holder.Inject(ctx, faults.InjectRequest{
		Fault: line, Lease: min(f.lease, parsed.For), Run: f.run, Actor: "k6 script", Reason: reason, ProveWithin: within,
	})
	if err != nil {
		story.Failed(err)
		common.Throw(rt, err)
	}
	story.Answer(h)
	f.keep(ctx, h.ID, line, story, end)
	return heldOf(h)
}

// Renew is renew(id, lease): only needed for a fault that somebody else injected.
func (f *Faults) Renew(id string, lease sobek.Value) Held {
	f.module.running("renew")
	rt := f.module.vu.Runtime()
	d := f.lease
	if !common.IsNullish(lease) {
		wrapped := rt.NewObject()
		_ = wrapped.Set("lease", lease) // a fresh object takes any value
		o, err := read(wrapped)
		if err != nil {
			common.Throw(rt, fmt.Errorf("renew: %w", err))
		}
		d = o.Duration("lease", f.lease)
		if err := oneSentence("renew", o.Mistakes()); err != nil {
			common.Throw(rt, err)
		}
	}
	return f.answer(f.holder.Renew(f.module.vu.Context(), id, d))
}

// Clear is clear(id): it answers when the fault is proven gone, or could not be cleared (step).
func (f *Faults) Clear(id string) Held {
	ctx := f.module.running("clear")
	return f.answer(f.clear(context.WithoutCancel(ctx), id))
}

// List is list(): every fault the holder remembers.
func (f *Faults) List() []Held {
	list, err := f.holder.List(f.module.running("list"))
	if err != nil {
		common.Throw(f.module.vu.Runtime(), err)
	}
	out := make([]Held, 0, len(list))
	for _, h := range list {
		out = append(out, heldOf(h))
	}
	return out
}

func (f *Faults) answer(h faults.Held, err error) Held {
	if err != nil {
		common.Throw(f.module.vu.Runtime(), err)
	}
	return heldOf(h)
}
