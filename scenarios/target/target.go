// Package target is what a run is aimed at: a reference server started as a child of this binary,
// or a server that was there already. It starts, waits until ready, watches and stops.
//
// What may not live here: load, faults, judging.
package target

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
)

// Environment variables that carry tokens to a child; never on a command line, where ps shows them.
const (
	AdminTokenEnv = "BROWNOUT_ADMIN_TOKEN"
	FaultTokenEnv = "BROWNOUT_FAULT_TOKEN"
	// ParentFDEnv names an inherited pipe whose end of file means that the parent is gone.
	ParentFDEnv = "BROWNOUT_PARENT_FD"
	// ReadyFDEnv names an inherited pipe for the child's one admin.Listening line.
	ReadyFDEnv = "BROWNOUT_READY_FD"
)

// Target is where requests go, and where its state and faults are to be had ("" = not to be had).
type Target struct {
	Kind       string // "refserver": ours, started by us; "foreign": was there
	API        string // base URL
	Admin      string // base URL of the admin listener, or ""
	Faults     string // base URL of the fault holder's API, or ""
	AdminToken string
	FaultToken string
	Dialect
	MaxRate float64 // requests/s that may be sent; 0 = no cap

	child     *Child
	agent     *Child            // holds faults for a server that is not ours; nil without one
	transport http.RoundTripper // for our few calls to API; nil = the default
}

// stopGrace is how long a child may take to end in order.
const stopGrace = 5 * time.Second

// Reachable reports whether anything speaks HTTP there, whatever it says.
func (t *Target) Reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.API+"/v1/models", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: t.transport}).Do(req)
	if err != nil {
		var inner *url.Error
		if e, ok := err.(*url.Error); ok { //nolint:errorlint // client.Do documents that it returns *url.Error itself
			inner = e
			return inner.Err
		}
		return err
	}
	resp.Body.Close()
	return nil
}

// Ready waits until the server says that it can serve; at most within.
func (t *Target) Ready(ctx context.Context, within time.Duration) error {
	if t.Kind == "foreign" {
		return nil // its health endpoint, if any, is not ours to know
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if t.readyNow(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-t.Died():
			return fmt.Errorf("the server ended before it was ready; its last words: %s", t.child.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("the server at %s was not ready within %v; see %s", t.API, within, t.child.LogFile)
		}
	}
}

func (t *Target) readyNow(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.API+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Died is closed when a server of ours ended; nil (blocks for ever) for one that is not ours.
func (t *Target) Died() <-chan struct{} {
	if t.child == nil {
		return nil
	}
	return t.child.Done()
}

// Stop ends a server of ours, gently first; one that is not ours is left alone. Faults are undone
// before: their holder ends first.
func (t *Target) Stop() {
	if t.agent != nil {
		t.agent.Stop(agentGrace)
	}
	if t.child != nil {
		t.child.Stop(stopGrace)
	}
}

// fill takes the addresses a child reported.
func (t *Target) fill(l admin.Listening) {
	t.API, t.Admin, t.Faults = l.API, l.Admin, l.Faults
}
