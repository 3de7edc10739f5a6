package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/fakellm"
)

// Span is when an outage really was.
type Span struct{ From, To event.Time }

// Outage is a server that answers perfectly but while it is out, and the driver that takes it out: for
// exactly the fault's duration, from the instant it notes. In between it answers 500 at once, or, Silent,
// keeps every request and answers it when the outage is over.
type Outage struct {
	Server *fakellm.Server
	Clock  *event.Clock
	Silent bool
	// Late is how much later than it says the outage begins: a control, for an honest one has none.
	Late time.Duration
	URL  string // where the proof asks, as any client would

	mu    sync.Mutex
	spans []Span
	said  []Span
}

// Said lists the outages as noted, in order.
func (o *Outage) Said() []Span {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Span(nil), o.said...)
}

// until is how long the outage that is on lasts; 0 = none is on.
func (o *Outage) until(now event.Time) event.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.spans {
		if now >= s.From && now < s.To {
			return s.To
		}
	}
	return 0
}

// ServeHTTP is the server that users see.
func (o *Outage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		if to := o.until(o.Clock.Now()); to != 0 && !o.Silent {
			http.Error(w, `{"error":{"message":"out","type":"outage"}}`, http.StatusInternalServerError)
			return
		} else if to != 0 {
			select {
			case <-time.After(to.Sub(o.Clock.Now())):
			case <-r.Context().Done():
				return
			}
		}
	}
	o.Server.ServeHTTP(w, r)
}

// Name implements faults.Driver.
func (o *Outage) Name() string { return "outage" }

// Kinds implements faults.Driver: the kind is only a name here.
func (o *Outage) Kinds() []string { return []string{"gpu.oom"} }

// Candidates implements faults.Driver. The first is what the server calls itself in its answers.
func (o *Outage) Candidates(context.Context) (map[string][]string, error) {
	return map[string][]string{"gpu": {"fake/g0", "fake/g1"}}, nil
}

// Arm implements faults.Driver.
func (o *Outage) Arm(_ context.Context, _ string, f faults.Fault, _ []string) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.Clock.Now()
	o.said = append(o.said, Span{now, now.Add(f.For)})
	o.spans = append(o.spans, Span{now.Add(o.Late), now.Add(o.Late + f.For)})
	return nil, nil
}

// Clear implements faults.Driver: it waits for the end, which is fixed.
func (o *Outage) Clear(ctx context.Context, _ string, _ []byte) error {
	for {
		to := o.until(o.Clock.Now())
		if to == 0 {
			return nil
		}
		select {
		case <-time.After(to.Sub(o.Clock.Now())):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Prove implements faults.Driver: a request of its own is refused or not answered.
func (o *Outage) Prove(ctx context.Context, _ string, _ faults.Fault, _ []string) (faults.Proof, error) {
	return o.look(ctx, false), nil
}

// ProveGone implements faults.Driver: a request of its own is answered.
func (o *Outage) ProveGone(ctx context.Context, _ string, _ faults.Fault, _ []string) (faults.Proof, error) {
	return o.look(ctx, true), nil
}

func (o *Outage) look(ctx context.Context, want bool) faults.Proof {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	text, good := "no answer within 30 ms", false
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL+"/v1/chat/completions",
		strings.NewReader(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"?"}]}`))
	if err != nil {
		return faults.Proof{Evidence: err.Error()}
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body) // only the status speaks
		resp.Body.Close()
		text, good = fmt.Sprintf("a request was answered %d", resp.StatusCode), resp.StatusCode == http.StatusOK
	}
	return faults.Proof{Holds: good == want, Evidence: text}
}
