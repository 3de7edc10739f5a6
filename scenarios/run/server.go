package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/scenarios/load"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// server is what the harness can learn from the target beside its answers: clock, state, events,
// fault journal. Every call is bounded in time. A foreign target may offer none of it.
type server struct {
	target *target.Target
	clock  *event.Clock
	http   *http.Client
	faults *faults.Client // nil without a holder

	first, last map[string]event.Offset // by who: offsets at the start and at the end

	past   uint64 // Seq of the newest event from before this run
	mu     sync.Mutex
	events []event.Event // as they came, on the server's clock
	gap    uint64        // events the server no longer had
}

func newServer(t *target.Target, clock *event.Clock) (*server, error) {
	s := &server{target: t, clock: clock, http: &http.Client{Timeout: 10 * time.Second}}
	if t.Faults == "" {
		return s, nil
	}
	var err error
	s.faults, err = faults.NewClient(faults.ClientConfig{Endpoint: t.Faults, Token: t.FaultToken})
	return s, err
}

// canHarm resolves every fault against the target without injecting it.
func (s *server) canHarm(ctx context.Context, sp *spec.Spec) error {
	if s.faults == nil {
		return fmt.Errorf("scenario %s injects faults, but the target has no fault holder; give its admin listener with --target-admin URL if it is a refserver, or its own with --target-faults URL", sp.Name)
	}
	var all []error
	for _, f := range sp.Faults {
		if _, err := s.faults.Check(ctx, faults.InjectRequest{Fault: f.Fault.String()}); err != nil {
			all = append(all, fmt.Errorf("%s:%d: fault %q cannot be injected: %w", sp.File, f.Line, f.Fault.String(), err))
		}
	}
	return errors.Join(all...)
}

// meet learns the other clocks.
func (s *server) meet(ctx context.Context) error {
	var err error
	s.first, err = s.offsets(ctx)
	return err
}

// skipPast leaves out what a server that was there already has told so far: it is of no concern to this
// run, and the server may have dropped some of it.
func (s *server) skipPast(ctx context.Context) error {
	if s.target.Admin == "" {
		return nil
	}
	var page admin.EventPage
	if err := s.get(ctx, s.target.Admin+"/admin/events?follow=false&since=0", s.target.AdminToken, &page); err != nil {
		return fmt.Errorf("the events of the server at %s cannot be read: %w", s.target.Admin, err)
	}
	if n := len(page.Events); n > 0 {
		s.past = page.Events[n-1].Seq
	}
	return nil
}

// part learns them again, so that a drift or a replaced process shows.
func (s *server) part(ctx context.Context) error {
	var err error
	s.last, err = s.offsets(ctx)
	return err
}

func (s *server) offsets(ctx context.Context) (map[string]event.Offset, error) {
	found := map[string]event.Offset{}
	for who, url := range map[string]string{"server": s.target.Admin, "fault holder": s.target.Faults} {
		if url == "" {
			continue
		}
		token, path := s.target.AdminToken, "/admin/clock"
		if who == "fault holder" {
			token, path = s.target.FaultToken, "/faults/clock"
		}
		var probes []event.Probe
		for range 20 {
			p := event.Probe{Sent: s.clock.Now()}
			if err := s.get(ctx, url+path, token, &p.Theirs); err != nil {
				return nil, fmt.Errorf("the clock of the %s at %s cannot be read: %w", who, url, err)
			}
			p.Received = s.clock.Now()
			probes = append(probes, p)
		}
		o, ok := event.Estimate(probes)
		if !ok {
			return nil, fmt.Errorf("the %s at %s was replaced while its clock was read", who, url)
		}
		found[who] = o
	}
	return found, nil
}

func (s *server) get(ctx context.Context, url, token string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 64<<20)).Decode(into)
}

// saturation asks the timing model; zero when the target has none.
func (s *server) saturation(ctx context.Context, plan load.Plan) saturation {
	prompt, output := plan.Means()
	st, err := s.state(ctx, fmt.Sprintf("?prompt=%d&output=%d", int(prompt), int(output)))
	if err != nil {
		return saturation{}
	}
	return saturation{st.Saturation, st.SaturationMinus1}
}

// simulated reports whether every engine of the target is simulated: only then is each token known beforehand.
func (s *server) simulated(ctx context.Context) bool {
	st, err := s.state(ctx, "")
	if err != nil {
		return false
	}
	devices := 0
	for _, n := range st.Nodes {
		for i := range n.Devices {
			if !n.Devices[i].Simulated {
				return false
			}
			devices++
		}
	}
	return devices > 0
}

func (s *server) state(ctx context.Context, query string) (admin.State, error) {
	var st admin.State
	if s.target.Admin == "" {
		return st, errors.New("no admin listener")
	}
	err := s.get(ctx, s.target.Admin+"/admin/state"+query, s.target.AdminToken, &st)
	return st, err
}

// follow collects events until ctx ends or the server does. It returns at once without an admin listener.
func (s *server) follow(ctx context.Context) {
	if s.target.Admin == "" {
		return
	}
	since := s.past
	for ctx.Err() == nil {
		if err := s.stream(ctx, &since); err != nil {
			select {
			case <-ctx.Done():
			case <-s.target.Died():
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
}

// stream reads one SSE connection of events, each data line one JSON event.
func (s *server) stream(ctx context.Context, since *uint64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/admin/events?since=%d", s.target.Admin, *since), http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.target.AdminToken)
	resp, err := (&http.Client{}).Do(req) // no timeout: it lives as long as the run
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("events: %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 0, 16<<10), 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e event.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return err
		}
		s.keep(e, since)
	}
	return errors.Join(lines.Err(), errors.New("the event stream ended"))
}

// maxEvents bounds what one run keeps.
const maxEvents = 500_000

func (s *server) keep(e event.Event, since *uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Seq > *since+1 {
		s.gap += e.Seq - *since - 1
	}
	*since = e.Seq
	if len(s.events) < maxEvents {
		s.events = append(s.events, e)
	} else {
		s.gap++
	}
}

// rest fetches what follow may not have seen yet.
func (s *server) rest(ctx context.Context) {
	if s.target.Admin == "" {
		return
	}
	since := s.past
	s.mu.Lock()
	if n := len(s.events); n > 0 {
		since = s.events[n-1].Seq
	}
	s.mu.Unlock()
	var page admin.EventPage
	if err := s.get(ctx, fmt.Sprintf("%s/admin/events?follow=false&since=%d", s.target.Admin, since), s.target.AdminToken, &page); err != nil {
		return // what the stream brought is what there is
	}
	for _, e := range page.Events {
		s.keep(e, &since)
	}
}
